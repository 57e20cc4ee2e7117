"""A job keeps what is asked of every run, whatever the number of threads, and reports what failed."""

import numpy as np
import pytest

from sdopt.batch.design import Design
from sdopt.batch.job import Job, Outcome, plan_job, run_job
from sdopt.equations.simulate import simulate_all
from sdopt.errors import ConfigError, SdoptError
from sdopt.source_model.read import SourceModel


def kept(job: Job, threads: int | None = None) -> tuple[np.ndarray, Outcome]:
    """All that is kept, (output, kept time, run)."""
    parts: list[np.ndarray] = []
    done: list[tuple[int, int]] = []
    outcome = run_job(job, parts.append, lambda *at: done.append(at), threads)
    assert done[-1] == (job.design.runs, job.design.runs)
    return np.concatenate(parts, axis=2), outcome


def test_stocks_at_save_times_by_default(regions: SourceModel, design: Design) -> None:
    job = plan_job(regions, design)
    assert job.outputs == tuple(v.key for v in regions.system.of_kind("stock"))
    assert job.objective == job.outputs[0]
    assert list(job.times) == list(range(11))


def test_every_run_is_that_run_alone(regions: SourceModel, design: Design) -> None:
    job = plan_job(regions, design, ["People", "total"], "DEATHS[south, old people]", backend="numpy")
    values, outcome = kept(job)
    assert job.outputs[-2:] == ("total", "deaths[south,old_people]")
    for run in (0, 41, 99):
        alone = simulate_all(regions.system, job.grid, design.constants(run))
        for output, key in enumerate(job.outputs):
            assert values[output, :, run] == pytest.approx(alone[key][list(job.kept), 0], rel=1e-12)
        assert outcome.objective[run] == values[-1, -1, run]
    assert not outcome.failed


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_the_same_bytes_whatever_the_number_of_threads(regions: SourceModel, backend: str) -> None:
    steps = np.arange(5001)
    design = Design(("rate[south]", "room"), np.array([0.1 + steps / 2e4, 1000.0 - steps / 10]), "hash")
    job = plan_job(regions, design, every=10, backend=backend)
    one, two, three = (kept(job, threads)[0] for threads in (1, 2, 3))
    assert one.tobytes() == two.tobytes() == three.tobytes()


def test_runs_that_fail_are_kept_and_named(regions: SourceModel) -> None:
    design = Design(("room",), np.array([[1000.0, 0.0, 500.0, -30.0]]), "hash")
    values, outcome = kept(plan_job(regions, design, ["total"]))
    assert list(outcome.failed) == [3]
    assert outcome.failed[3].startswith('"total" is ')
    assert np.isfinite(values[:, :, :3]).all()


def test_unknown_names_are_all_named(regions: SourceModel, design: Design) -> None:
    with pytest.raises(ConfigError) as found:
        plan_job(regions, design, ["Peeple", "total", "rate[west]"], "People")
    lines = str(found.value).splitlines()
    assert lines[0].endswith("regions.mdl: 3 errors")
    assert '--show: the model has no variable "Peeple".' in lines[1]
    assert 'no variable "rate[west]". Did you mean "rate[' in lines[2]
    assert '"People" is an array; name one element, such as "People[north,young]"' in lines[3]


def test_hidden_variables_cannot_be_shown(regions: SourceModel, design: Design) -> None:
    hidden = next(v.name for v in regions.system.variables.values() if v.hidden)
    with pytest.raises(SdoptError, match="the model has no variable"):
        plan_job(regions, design, [hidden])
