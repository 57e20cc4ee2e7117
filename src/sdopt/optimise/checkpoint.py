"""A memory on disk, so that a run that was stopped or killed can go on where it was.

One folder per question in the results folder. Answers are gathered and written a few seconds apart, each time
as one new file that gets its name, with a hash of its contents, when it is complete: what a kill, a full disk
or a power cut leaves behind is either whole or is not taken for a part.
"""

from __future__ import annotations

import io
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from sdopt.optimise.memory import Arrays, Memory, digest
from sdopt.optimise.whole_files import lock as take
from sdopt.optimise.whole_files import read_whole, unlock, write_whole

EVERY = 2.0
"""Seconds between two files."""
NOTE = """An unfinished run of sdopt: what was worked out so far, for `sdopt optimise CONFIG --resume`.
It goes when that run has finished. You may delete this folder.
"""
README, LOCK = "README.txt", "lock"
FOLDER = "unfinished-"
KEY_DIGITS = 16


class Checkpoint(Memory):
    """Answers of earlier runs (`answers`), and those of this one, written as they come.

    `failed` is why nothing more is written, or None: a full disk costs the checkpoint, not the run. `earlier`
    says whether an earlier run left parts; without `resume` they stay where they are, unused. `finished` is
    for whoever runs the search to tell whether its answer is final.
    """

    def __init__(self, root: Path, key: str, *, resume: bool) -> None:
        """`key` stands for all that the answers depend on: config, model, versions."""
        self.folder = root / f"{FOLDER}{key[:KEY_DIGITS]}"
        self.answers: dict[str, dict[str, NDArray[np.float64]]] = {}
        self.fresh: dict[str, Arrays] = {}
        self.failed: str | None = None
        self.finished = True
        self.written = time.monotonic()
        self.lock: IO[bytes] | None = None
        parts = sorted(self.folder.glob("part-*.npz"))
        self.earlier = bool(parts)
        for part in parts if resume else []:
            self.answers |= _read(part)

    def recall(self, kind: str, question: NDArray[np.float64]) -> Arrays | None:
        """The answer to a question, from this run or an earlier one."""
        return self.answers.get(digest(kind, question))

    def keep(self, kind: str, question: NDArray[np.float64], answer: Arrays) -> None:
        """Note an answer; now and then all that is new is written."""
        name = digest(kind, question)
        if name not in self.answers:
            self.fresh[name] = answer
        if time.monotonic() - self.written > EVERY:
            self.write()

    def write(self) -> None:
        """Write what is new as one more file; a failure is noted, and nothing is written after it."""
        self.written = time.monotonic()
        if self.failed is not None or not self.fresh:
            return
        try:
            if self.lock is None:
                self._make()
            _write(self.folder, self.fresh)
            self.fresh = {}
        except OSError as error:
            self.failed = str(error.strerror or error)

    def close(self, *, finished: bool) -> None:
        """Give the folder free; after a finished run it goes, with all that this module put there."""
        if not finished:
            self.write()
        with suppress(OSError):
            if finished and self.earlier and self.lock is None:
                self._hold()
        if self.lock is None:
            return
        unlock(self.lock)
        with suppress(OSError):
            if finished:
                self._remove()

    def _remove(self) -> None:
        """The folder, with what this module put there; anything else stays, and the folder with it."""
        for pattern in ("part-*.npz", "part-*.new", README, LOCK):
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)
        self.folder.rmdir()

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._hold()
        (self.folder / README).write_text(NOTE, encoding="utf-8")

    def _hold(self) -> None:
        """Be the only run that writes here, until this process ends.

        Raises
        ------
        OSError
            When another run is.
        """
        lock = (self.folder / LOCK).open("ab")
        try:
            take(lock)
        except OSError:
            lock.close()
            raise OSError("another run of this question is writing there") from None
        self.lock = lock


def _write(folder: Path, answers: dict[str, Arrays]) -> None:
    """One file of answers, under its final name only when it is whole and on disk."""
    buffer = io.BytesIO()
    held: dict[str, Any] = {
        f"{name}/{key}": a for name, answer in answers.items() for key, a in answer.items()
    }
    np.savez(buffer, **held)
    number = 1 + len(list(folder.glob("part-*.npz")))
    write_whole(folder, f"part-{number:06d}", ".npz", buffer.getvalue())


def _read(part: Path) -> dict[str, dict[str, NDArray[np.float64]]]:
    """The answers of a file; none when its contents are not what its name promises."""
    content = read_whole(part)
    if content is None:
        return {}
    answers: dict[str, dict[str, NDArray[np.float64]]] = {}
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as held:
            for place in held.files:
                name, key = place.split("/")
                answers.setdefault(name, {})[key] = held[place]
    except (ValueError, OSError, zipfile.BadZipFile):
        return {}
    return answers
