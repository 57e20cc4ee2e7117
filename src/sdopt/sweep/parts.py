"""What a sweep has finished, on disk: one file per block, whole or not taken for a part.

A sweep that was stopped, killed or out of disk goes on from there, and the results are made of these files
alone: so their bytes do not depend on how often it was stopped, nor on who did the work.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.errors import ExportError
from sdopt.optimise.whole_files import lock, read_whole, unlock, write_whole

Arrays = Mapping[str, NDArray[Any]]

NOTE = """An unfinished sweep of sdopt: the blocks that are done, for `sdopt sweep CONFIG --resume`.
It goes when that sweep has finished. You may delete this folder.
"""
README, LOCK = "README.txt", "lock"
FOLDER, SUFFIX = "unfinished-sweep-", ".npz"
KEY_DIGITS = 16


class Parts:
    """The parts of one sweep, in a folder of its own under the results. Use it in a `with` statement.

    The folder goes when `finished` is set; otherwise it stays. `earlier` is how many parts an earlier run
    left: they are used with `resume`, and never thrown away without being asked.
    """

    def __init__(self, root: Path, key: str, *, resume: bool) -> None:
        """`key` stands for all that decides the results and is known beforehand: config, model, versions."""
        self.folder, self.resume = root / f"{FOLDER}{key[:KEY_DIGITS]}", resume
        self.finished = False
        self.lock: IO[bytes] | None = None
        self.earlier = self.count

    def __enter__(self) -> Parts:
        """Be the only run that writes here, until this process ends, however it ends."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / README).write_text(NOTE, encoding="utf-8")
            self.lock = (self.folder / LOCK).open("ab")
        except OSError as error:
            if not (self.folder / LOCK).exists():  # else another run may be at work there
                self._tidy()
            raise self._failure(error) from error
        try:
            lock(self.lock)
        except OSError:
            self.lock.close()
            raise ExportError(f"{self.folder}: another run of this sweep is writing there.") from None
        if self.earlier and not self.resume:
            unlock(self.lock)
            raise ExportError(
                f"{self.folder}: an earlier run of this sweep left {self.earlier} finished parts there. Give "
                "--resume to go on from them, or delete that folder to start afresh."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the folder free; after a finished sweep it goes, with all that this module put there."""
        if self.lock is not None:
            unlock(self.lock)
        self._tidy()

    @property
    def count(self) -> int:
        """How many parts there are now."""
        return len(list(self.folder.glob(f"*{SUFFIX}")))

    @property
    def others(self) -> tuple[str, ...]:
        """The folders beside this one with parts of other sweeps, by name."""
        found = sorted(path.parent for path in self.folder.parent.glob(f"{FOLDER}*/*{SUFFIX}"))
        return tuple(dict.fromkeys(folder.name for folder in found if folder != self.folder))

    def _tidy(self) -> None:
        """Take the folder away when the sweep is finished, or when nothing was kept."""
        with suppress(OSError):
            if self.finished or not self.count:
                for pattern in (f"*{SUFFIX}", "*.new", README, LOCK):
                    for path in self.folder.glob(pattern):
                        path.unlink(missing_ok=True)
                self.folder.rmdir()

    def keep(self, name: str, arrays: Arrays) -> None:
        """Write a part, on disk when this returns; it replaces what was kept under this name.

        Raises
        ------
        ExportError
            When it cannot be written, on a full disk for one; the other parts stay.
        """
        buffer = io.BytesIO()
        held: dict[str, Any] = dict(arrays)
        np.savez(buffer, **held)
        try:
            made = write_whole(self.folder, name, SUFFIX, buffer.getvalue())
            for path in self.folder.glob(f"{name}-*{SUFFIX}"):
                if path != made:
                    path.unlink()
        except OSError as error:
            with suppress(OSError):
                (self.folder / f"{name}.new").unlink(missing_ok=True)
            raise self._failure(error) from error

    def recall(self, name: str) -> dict[str, NDArray[Any]] | None:
        """A part; None when there is none, or its contents are not what its name promises."""
        for path in sorted(self.folder.glob(f"{name}-*{SUFFIX}")):
            try:
                content = read_whole(path)
                if content is not None:
                    with np.load(io.BytesIO(content), allow_pickle=False) as held:
                        return dict(held)
            except (OSError, ValueError, zipfile.BadZipFile):
                continue
        return None

    def _failure(self, error: OSError) -> ExportError:
        why = f"{self.folder}: cannot be written ({error.strerror or error})."
        count = self.count
        if not count:
            return ExportError(
                f"{why} Nothing was done yet. Check free space and rights, or choose another "
                "output.directory or --output."
            )
        return ExportError(
            f"{why} What is done ({count} parts) is kept there: make room, then give the same command with "
            "--resume."
        )
