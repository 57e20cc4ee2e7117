"""The work of a sweep on a Dask cluster. Only this module knows dask.

Workers need nothing but sdopt: the work is sent to them once, items and results go one at a time. What they
give must be the same to the byte as on this machine, so a worker with other code or other arithmetic is
refused. The items of a worker that disappears are done by another.
"""

from __future__ import annotations

import pickle
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Any, cast

import numpy as np

from sdopt.equations.scenarios import usable_cores
from sdopt.errors import SdoptError, SimulationError
from sdopt.sweep.executors import AHEAD, Spread, Work

LOCAL = "local"
"""Instead of an address: a cluster of processes on this machine, for as long as the work takes."""
REACH = 10.0
"""Seconds in which a scheduler must answer."""
PATIENCE = 120.0
"""Seconds in which a worker must (re)appear when there is none."""
POLL = 0.5
"""Seconds between two looks at who is there."""
GLANCE = 0.005
"""Seconds between two looks at whether something has arrived."""
LIBRARIES = ("numpy", "scipy", "highspy", "llvmlite")
"""What computes, beside sdopt itself."""
NAMED = 3
"""Workers that are named in a refusal."""


class _LostError(SimulationError):
    """Work on a cluster that cannot go on."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} What is done is kept: go on with --resume, here or on a cluster.")


def on_cluster(address: str, workers: int | None = None, patience: float = PATIENCE) -> Spread:
    """Work on the cluster of a scheduler (tcp://host:port), or on a `local` one of so many processes.

    Whether it can be used is looked at right away. `patience`: seconds to wait for a worker.

    Raises
    ------
    SdoptError
        When dask is not installed, the scheduler cannot be reached, or workers compute in another way.
    """
    _distributed()
    if address == LOCAL:
        return partial(_on_local_cluster, workers or usable_cores(), patience)
    with _client(address) as client:
        _check_workers(client)
    return partial(_spread, address, patience)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise SdoptError(
            'a sweep on a cluster needs dask: pip install "sdopt[cluster]" (or leave out --scheduler)'
        ) from None
    return distributed


def _client(address: str) -> Any:
    try:
        return _distributed().Client(address, timeout=REACH, set_as_default=False, name="sdopt")
    except (OSError, ValueError) as error:
        raise SdoptError(
            f"no Dask scheduler answers at {address} within {REACH:g} seconds ({error}). Is the address as "
            "the scheduler says when it starts (tcp://host:port), and is the way there open?"
        ) from None


def _on_local_cluster(count: int, patience: float, work: Work, items: Iterable[Any]) -> Iterator[Any]:
    """Processes with a nanny each, which replaces one that dies."""
    with _distributed().LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        scheduler_kwargs={"dashboard": False},
        dashboard_address="127.0.0.1:0",  # some port it always opens
    ) as cluster:
        yield from _spread(cluster.scheduler_address, patience, work, items)


def _spread(address: str, patience: float, work: Work, items: Iterable[Any]) -> Iterator[Any]:
    with _client(address) as client:
        _check_workers(client)
        session = _Session(client, work, patience)
        try:
            yield from session.results(iter(items))
        finally:
            session.give_up()


class _Session:
    """Work that is under way on a cluster; as many items are out as keep all its threads busy."""

    def __init__(self, client: Any, work: Work, patience: float) -> None:
        """The work becomes a task of its own, so that the scheduler has it made again if it gets lost."""
        self.client, self.patience, self.seen = client, patience, monotonic()
        self.work = client.submit(pickle.loads, pickle.dumps(work), pure=False)
        self.wanted = how_it_computes()
        self.out: set[Any] = set()
        # It fetches results by itself: whoever asks for one that was lost on the way would wait for it.
        self.arriving = _distributed().as_completed(loop=client.loop, with_results=True, raise_errors=False)

    def results(self, left: Iterator[Any]) -> Iterator[Any]:
        """What came of every item, in any order."""
        self._send(left)
        while self.out:
            self._wait()
            for future, came in self.arriving.next_batch(block=False):
                self.out.discard(future)
                if future.status != "finished":
                    raise _failure(came)
                self._send(left)
                yield came

    def give_up(self) -> None:
        """Leave what is not done undone."""
        with suppress(Exception):  # the connection may be what went wrong
            self.client.cancel([*self.out, self.work], force=True)

    def _send(self, left: Iterator[Any]) -> None:
        room = max(self._threads(), 1) * (1 + AHEAD) - len(self.out)
        for item in islice(left, max(room, 0)):
            future = self.client.submit(do, self.work, self.wanted, pickle.dumps(item), pure=False)
            self.out.add(future)
            self.arriving.add(future)

    def _wait(self) -> None:
        """Until something has arrived; every now and then, look who is there."""
        until = monotonic() + POLL
        while not self.arriving.has_ready():
            if monotonic() > until:
                until = monotonic() + POLL
                self._threads()
            sleep(GLANCE)

    def _threads(self) -> int:
        """How many items can be worked on beside each other; stops when that is none for too long."""
        count = int(sum(_asked(self.client.nthreads).values()))
        if count:
            self.seen = monotonic()
        elif monotonic() - self.seen > self.patience:
            raise _LostError(f"the cluster had no worker for {self.patience:g} seconds.")
        return count


def _failure(came: Any) -> BaseException:
    """What to raise for an item that failed: what went wrong on the worker, or with the cluster."""
    distributed = _distributed()
    error = came[1] if isinstance(came, tuple) else came
    if isinstance(error, distributed.KilledWorker):
        return _LostError(
            f"{error.allowed_failures + 1} workers died while they did the same piece of work; is their "
            "memory enough?"
        )
    if isinstance(error, ImportError):
        return _LostError(f"a worker cannot load sdopt ({error}).")
    if isinstance(error, distributed.CancelledError):
        return _LostError("the connection with the scheduler was lost.")
    return cast(BaseException, error)


def _asked(question: Callable[[], Any]) -> Any:
    """The scheduler's answer."""
    try:
        return question()
    except OSError as error:
        raise _LostError(f"the connection with the scheduler was lost ({error}).") from None


def do(work: Work, wanted: dict[str, str], sent: bytes) -> Any:
    """On a worker: the work of one item.

    Raises
    ------
    SdoptError
        When this worker computes in another way; it may have joined after the others were looked at.
    """
    found = how_it_computes()
    if found != wanted:
        raise SdoptError(_refusal({platform.node(): found}, wanted))
    return work(pickle.loads(sent))  # noqa: S301  from the client, which may run anything here anyway


def _check_workers(client: Any) -> None:
    """Look at all workers that are there now."""
    wanted = how_it_computes()
    answers = _asked(partial(client.run, how_it_computes, on_error="return"))
    other = {address: found for address, found in answers.items() if found != wanted}
    if other:
        raise SdoptError(_refusal(other, wanted))


def _refusal(others: dict[str, Any], wanted: dict[str, str]) -> str:
    said = [f"{address}: {_difference(found, wanted)}" for address, found in list(others.items())[:NAMED]]
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    return (
        f"workers that may give other numbers than this machine: {'; '.join(said)}{more}. Install the same "
        "there as here, or take them out of the cluster."
    )


def _difference(found: Any, wanted: dict[str, str]) -> str:
    if not isinstance(found, dict):  # what went wrong there
        return f"cannot load sdopt ({found})"
    names = [name for name in wanted if found.get(name) != wanted[name]]
    return ", ".join(f"{name} is {found.get(name, 'not there')}, here {wanted[name]}" for name in names)


@cache
def how_it_computes() -> dict[str, str]:
    """All that decides the last digit of a result, in this process: by name, to be compared."""
    found = {"Python": platform.python_version(), "code of sdopt": _code()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "not installed"
    return {**found, "arithmetic": _arithmetic()}


def _code() -> str:
    """A hash of the package's code: the version is the same while somebody works on it."""
    root, said = Path(__file__).parents[1], sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        said.update(f"{path.relative_to(root).as_posix()} {len(content)} ".encode() + content)
    return said.hexdigest()[:12]


def _arithmetic() -> str:
    """A hash of what functions give: libraries choose other instructions on other processors."""
    x = np.linspace(0.01, 7.0, 2310)
    square = x.reshape(42, 55)
    functions = (np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan, np.arctan, np.tanh)
    found = [*(f(x) for f in functions), *(f(x + 1e-30j).imag for f in functions)]
    found += [x**-1.37, np.power(x, x), np.add.accumulate(x), square @ square.T, np.add.reduce(square, 1)]
    return sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in found)).hexdigest()[:12]
