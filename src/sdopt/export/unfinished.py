"""Where an unfinished run keeps what it worked out, and what that depends on."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from sdopt.config.load import LoadedConfig
from sdopt.config.sweep import ADVICE
from sdopt.errors import OptimisationError, SimulationError
from sdopt.export.folder import as_json
from sdopt.export.provenance import with_provenance
from sdopt.optimise.checkpoint import Checkpoint
from sdopt.result import Result, Status
from sdopt.source_model.read import SourceModel
from sdopt.sweep.parts import Parts


def question_key(loaded: LoadedConfig, model: SourceModel) -> str:
    """A hash of all that an answer depends on: config, model, tables, versions, kind of computer."""
    facts = with_provenance(Result(Status.SIMULATED, "", "en", {}, {}), loaded, model)
    machine = [platform.system(), platform.machine()]
    return sha256(as_json({**facts.provenance, **facts.figures, "on": machine}).encode()).hexdigest()


@contextmanager
def checkpoint(root: Path, loaded: LoadedConfig, model: SourceModel, resume: bool) -> Iterator[Checkpoint]:
    """A checkpoint in the results folder; it goes if the run ends with an answer, or none can be given.

    What ends it otherwise leaves it: set `finished` to False when the answer is not final.
    """
    kept = Checkpoint(root, question_key(loaded, model), resume=resume)
    try:
        yield kept
    except (OptimisationError, SimulationError):
        kept.close(finished=True)
        raise
    except BaseException:
        kept.close(finished=False)
        raise
    kept.close(finished=kept.finished)


def checkpoint_notes(kept: Checkpoint, resume: bool) -> Iterator[str]:
    """What a user should know of it."""
    if resume and not kept.answers:
        yield "resume   nothing to resume: this question has no unfinished run here; started afresh"
    elif resume:
        yield f"resume   went on from {kept.folder}"
    elif kept.earlier:
        yield f"resume   an earlier run was left in {kept.folder}; --resume would have gone on from it"
    if kept.failed is not None and not kept.finished:
        yield f"warning  no checkpoint was kept in {kept.folder}: {kept.failed}"
    elif not kept.finished:
        yield f"resume   to go on: the same command with --resume (kept in {kept.folder})"


def sweep_notes(parts: Parts, loaded: LoadedConfig, question: str) -> Iterator[str]:
    """What a user should know of earlier runs before a sweep begins; `question` is its `question_key`."""
    root = parts.folder.parent
    search = Checkpoint(root, question, resume=False)
    searched = search.earlier and ADVICE not in loaded.config.sweep.allocations
    if parts.resume and parts.earlier:
        yield f"resume   goes on from {parts.earlier} finished parts in {parts.folder}"
    elif parts.resume and searched:
        yield f"resume   goes on with the search for the advice, in {search.folder}"
    elif searched:
        yield f"resume   an earlier search is in {search.folder}; not used: --resume would go on from it"
    elif parts.resume:
        yield f"resume   nothing to resume: this sweep has no unfinished run in {root}; starts afresh"
        if others := parts.others:
            yield (
                "resume   unfinished there is a sweep of another config, model, version or computer, which "
                f"is left as it is: {', '.join(others)}"
            )
