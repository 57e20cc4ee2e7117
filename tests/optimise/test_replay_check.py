"""One check holds every replayed allocation, of the advice and of each form, against our own run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdopt.config.load import load_config
from sdopt.errors import ReplayError
from sdopt.optimise import tables
from sdopt.optimise.replay_check import replay_checked, replay_run
from sdopt.problem.build import Problem, build_problem
from sdopt.source_model.read import SourceModel, read_model
from sdopt.source_model.replay import translated

WIJK = Path(__file__).resolve().parents[1] / "data" / "wijk.yaml"


def read(config: Path = WIJK) -> tuple[Problem, SourceModel]:
    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    return build_problem(loaded, model.system), model


def other_model(tmp_path: Path) -> SourceModel:
    """The same model with a little more in one constant."""
    text = (WIJK.parent / "wijk.mdl").read_text(encoding="utf-8")
    changed = text.replace("INTEG (", "INTEG (1e-6 + ", 1)
    assert changed != text
    (tmp_path / "wijk.mdl").write_text(changed, encoding="utf-8")
    return read_model(tmp_path / "wijk.mdl")


def test_return_and_difference_are_those_of_pysd() -> None:
    problem, model = read()
    paths = problem.decisions.null_paths()
    with translated(model, problem.grid) as referee:
        run = replay_checked(referee, problem, paths)
        alone = replay_run(referee, problem, paths)
    assert run.theirs.equals(alone)
    assert run.objective == pytest.approx(problem.null_objective, rel=1e-12)
    ours = tables.simulate(problem, paths)
    for key in run.theirs.columns:
        size = max(abs(run.theirs[key]).max(), 1e-300)
        assert abs(run.theirs[key].to_numpy() - ours[key].ravel()).max() <= run.difference * size * (1 + 1e-9)


@pytest.mark.parametrize("about", ["", 'form "steady": '])
def test_another_model_is_refused_with_what_it_is_about(tmp_path: Path, about: str) -> None:
    problem, _ = read()
    paths, refused = problem.decisions.null_paths(), pytest.raises(ReplayError, match="relative difference")
    with translated(other_model(tmp_path), problem.grid) as referee, refused as found:
        replay_checked(referee, problem, paths, about)
    assert str(found.value).startswith(f'{about}PySD disagrees on "')
