"""What a sweep writes, against the same question asked anew, one scenario at a time, and by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import sdopt
from sdopt.cli import main
from sdopt.config.load import LoadedConfig, load_config
from sdopt.errors import ConfigError
from sdopt.export.progress import SweepProgress
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.allocation import read_allocation
from sdopt.problem.build import Problem, build_problem
from sdopt.problem.meaning import elements
from sdopt.source_model.read import SourceModel, read_model
from sdopt.sweep.allocations import Advice, given_advice
from sdopt.sweep.rows import rows_of
from sdopt.sweep.run import plan_sweep
from sdopt.sweep.statistics import quantile
from sdopt.uncertainty.ensemble import build_ensemble

DATA = Path(__file__).parents[1] / "data"
Ask = Callable[..., tuple[LoadedConfig, SourceModel, Problem]]
NULL, ADVICE, OWN = "null", "advice", "Alles voorkomen"


class Written:
    """A finished sweep, read back."""

    def __init__(self, config: Path, folder: Path, said: str) -> None:
        self.config, self.folder, self.said = config, folder, said
        self.runs = pd.read_parquet(folder / "runs.parquet")
        self.scenarios = pd.read_parquet(folder / "scenarios.parquet")
        self.trajectories = pd.read_parquet(folder / "trajectories.parquet")
        self.summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        self.design = json.loads((folder / "design.json").read_text(encoding="utf-8"))

    def of(self, allocation: str) -> pd.DataFrame:
        return self.runs[self.runs["allocation"] == allocation].set_index("scenario")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, place_in: Callable[..., Path]) -> Written:
    config = place_in(tmp_path_factory.mktemp("sweep"))
    output = config.parent / "uit"
    done = CliRunner().invoke(main, ["sweep", str(config), "--output", str(output), "--workers", "1"])
    assert done.exit_code == 0, done.output
    (folder,) = output.iterdir()
    return Written(config, folder, done.output)


def test_every_run_is_there_once_and_named(written: Written) -> None:
    runs, long = written.runs, written.trajectories
    assert runs["run"].tolist() == list(range(1, 601))
    assert runs.groupby("scenario")["allocation"].apply(list).map(tuple).unique().tolist() == [
        (NULL, ADVICE, OWN)
    ]
    assert len(long) == 600 * 2 * 11
    assert not long.duplicated(["run", "variable", "subscript", "time"]).any()
    assert long["time"].unique().tolist() == list(range(2026, 2037))
    assert long.groupby("variable", observed=True)["unit"].first().to_dict() == {
        "People in care": "Person",
        "social gain": "million EUR/Year",
    }
    joined = long.drop_duplicates("run")[["run", "scenario", "external_scenario", "allocation"]]
    pd.testing.assert_frame_equal(
        joined.astype(str).reset_index(drop=True),
        runs[["run", "scenario", "external_scenario", "allocation"]].astype(str),
    )


@pytest.mark.parametrize("scenario", [1, 3, 77, 179])  # none of "more care", which has a path
@pytest.mark.parametrize(("allocation", "table"), [(ADVICE, "advies.csv"), (OWN, "voorkomen.csv")])
def test_a_run_is_that_of_the_question_asked_anew(
    written: Written, scenario: int, allocation: str, table: str
) -> None:
    """With the constants of the scenario written in the config, by another path through the code."""
    said = written.scenarios.set_index("scenario").loc[scenario]
    changes = {
        name.removeprefix("constant "): float(value)
        for name, value in said.items()
        if name.startswith("constant ")
    }
    loaded = load_config(written.config, {("model", "changes"): changes, ("uncertainties",): None})
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    result = simulate_allocation(problem, read_allocation(written.config.parent / table, problem), "x")
    row = written.of(allocation).loc[scenario]
    assert row["improvement"] == pytest.approx(result.figures["improvement"], rel=1e-12, abs=1e-12)
    theirs = result.tables["trajectories"].query("allocation == 'advice' and variable == 'People in care'")
    ours = written.trajectories[written.trajectories["run"] == row["run"]]
    ours = ours[ours["variable"] == "People in care"]
    assert ours["value"].tolist() == pytest.approx(theirs["value"].tolist(), rel=1e-13)
    limits = result.tables["constraints"].query("constraint == 'Niet minder mensen in beeld dan nu'")
    broken = (limits["slack"] < -1e-6 * limits["null"].abs()).any()
    assert ("Niet minder mensen in beeld dan nu" in row["broken"]) == broken


def test_rows_are_those_of_the_ensemble(ask: Ask) -> None:
    """Improvement and slacks of all scenarios, paths of an external scenario included."""
    _, _, problem = ask()
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    rows = rows_of(plan, plan.simulation()(plan.block(0)))
    ensemble = build_ensemble(problem, plan.scenarios)
    sound = np.isfinite(rows.improvement[1])
    assert sound.sum() == 198
    for place, name in ((1, ADVICE), (2, OWN)):
        values = ensemble.values(plan.allocations[name])
        found = ensemble.improvement(values)[sound]
        assert rows.improvement[place][sound] == pytest.approx(found, rel=1e-11, abs=1e-11)
        slacks = ensemble.slacks(values)[sound]
        names = np.array([c.functional.name for c in problem.constraints])
        for k, limit in enumerate(dict.fromkeys(names)):
            assert rows.slacks[place, sound, k] == pytest.approx(
                slacks[:, names == limit].min(axis=1), abs=1e-12
            )


def test_failed_scenarios_are_kept_with_their_reason_and_count_nowhere(written: Written) -> None:
    failed = written.runs[written.runs["failure"] != ""]
    drawn = written.scenarios.set_index("scenario")["constant memory time"]
    assert set(failed["scenario"]) == set(drawn[drawn == 0].index)
    assert len(failed) == 6 == written.summary["failed_runs"]
    assert failed["improvement"].isna().all()
    assert failed["failure"].str.contains('"Known people" is -inf at time 2026.12').all()
    long = written.trajectories
    assert not np.isfinite(long[long["run"].isin(failed["run"])]["value"]).all()
    assert "6 runs, which count in no figure" in written.said
    assert failed["refereed"].iloc[0]
    for row in written.summary["allocations"]:
        sound = written.of(row["allocation"]).dropna(subset="improvement")
        assert row["failed"] == 2
        for key, of in (("any_broken", row["allocation"]), ("null_broken", NULL)):
            broken = written.of(of).loc[sound.index, "broken"] != ""
            assert row[key] == pytest.approx(np.average(broken, weights=sound["weight"]))
        if row["allocation"] == NULL:  # compared with itself there is nothing to say
            assert {row[key] for key in ("mean", "low", "high", "positive")} == {None}
            continue
        assert row["mean"] == pytest.approx(np.average(sound["improvement"], weights=sound["weight"]))
        assert row["positive"] == pytest.approx(
            sound["weight"][sound["improvement"] > 0].sum() / sound["weight"].sum()
        )
        values, weights = sound["improvement"].to_numpy(), sound["weight"].to_numpy()
        assert row["low"] == pytest.approx(quantile(values, weights, 0.05))


def test_a_run_fails_where_only_its_null_alternative_does(ask: Ask) -> None:
    """Without something to compare with there is no improvement, and the reason says so."""
    _, _, problem = ask()
    advice = given_advice(problem)
    assert advice is not None
    plan = plan_sweep(problem, advice)
    simulated = plan.simulation()(plan.block(0))
    failed = {(0, 5): '"x" is inf at time 2027'}
    rows = rows_of(plan, type(simulated)(0, simulated.kept, simulated.sums, failed))
    assert rows.failed[1, 5] == 'in the null alternative "x" is inf at time 2027'
    assert np.isnan(rows.improvement[:, 5]).all()


def test_weights_are_those_of_the_external_scenarios(written: Written) -> None:
    weights = written.scenarios.groupby("external_scenario", observed=True)["weight"].sum()
    assert weights.to_dict() == pytest.approx({"as now": 0.75, "more care": 0.25})
    pairs = written.scenarios.pivot(
        index="draw", columns="external_scenario", values="constant price of care"
    )
    assert (pairs["as now"] == pairs["more care"]).all()
    assert pairs["as now"].nunique() == 100


def test_the_referee_repeats_the_extremes_and_a_sample(written: Written) -> None:
    refereed = set(written.runs[written.runs["refereed"]]["run"])
    assert refereed == set(written.summary["replay_runs"])
    assert len(refereed) == 32
    others = written.runs[written.runs["allocation"] != NULL].dropna(subset="improvement")
    for extreme in (others["improvement"].idxmin(), others["improvement"].idxmax()):
        assert others.loc[extreme, "run"] in refereed
    assert written.summary["replay_agrees"] is True
    assert written.summary["replay_max_relative_difference"] < 1e-9


def test_the_design_says_what_was_run(written: Written) -> None:
    design = written.design
    assert (design["runs"], design["scenarios"], design["draws"], design["seed"]) == (600, 200, 100, 3)
    assert design["allocations"] == [NULL, ADVICE, OWN]
    assert [one["constant"] for one in design["uncertainties"]] == [
        "effect of knowing",
        "price of care",
        "memory time",
    ]
    assert design["external_scenarios"][1]["paths"]["base inflow"][-1] == 90
    allocations = pd.read_parquet(written.folder / "allocations.parquet")
    assert allocations.query("allocation == 'advice' and decision == 'voorkomen'")["value"].tolist() == [
        1.5,
        1.6,
        1.4,
        1.2,
    ]


def test_nothing_is_left_beside_the_results(written: Written) -> None:
    assert [path.name for path in written.folder.parent.iterdir()] == ["sweep-zorg-in-onzekere-tijden-001"]


def test_machine_code_gives_the_same_to_rounding(ask: Ask) -> None:
    _, _, problem = ask()
    advice = given_advice(problem)
    assert advice is not None
    plain, compiled = (
        rows_of(plan, plan.simulation()(plan.block(0)))
        for plan in (plan_sweep(problem, advice, backend) for backend in ("numpy", "compiled"))
    )
    assert set(plain.failed) == set(compiled.failed)
    assert compiled.improvement == pytest.approx(plain.improvement, rel=1e-9, abs=1e-9, nan_ok=True)


def test_the_advice_is_looked_for_when_none_is_given(ask: Ask, tmp_path: Path) -> None:
    """And an earlier results folder of `optimise` gives the same."""
    loaded, _, problem = ask(allocations={}, scenarios=20)
    output = str(tmp_path / "uit")
    runner = CliRunner()
    done = runner.invoke(main, ["sweep", str(loaded.path), "--output", output])
    assert done.exit_code == 0, done.output
    optimised = runner.invoke(main, ["optimise", str(loaded.path), "--output", str(tmp_path / "best")])
    assert optimised.exit_code == 0, optimised.output
    (earlier,) = (tmp_path / "best").iterdir()
    (folder,) = (tmp_path / "uit").iterdir()
    found = pd.read_parquet(folder / "allocations.parquet").query("allocation == 'advice'")
    config = loaded.config.model_copy(
        update={"sweep": loaded.config.sweep.model_copy(update={"allocations": {"advice": str(earlier)}})}
    )
    given = given_advice(type(problem)(**{**vars(problem), "config": config}))
    assert given is not None
    assert given.point == pytest.approx(found["value"].to_numpy(), rel=1e-9)
    said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["advice"]
    assert said["status"] == "optimal"
    best = json.loads((earlier / "summary.json").read_text(encoding="utf-8"))
    assert said["improvement"] == pytest.approx(best["improvement"])


def test_an_allocation_that_does_not_fit_is_refused(ask: Ask) -> None:
    loaded, _, problem = ask()
    table = loaded.path.parent / "voorkomen.csv"
    table.write_text("decision,year,value\nvoorkomen,2027,1\nvoorkommen,2028,1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no decision .voorkommen. that starts in 2028. Did you mean"):
        plan_sweep(problem, Advice(problem.decisions.null_vector(), "given"))


def test_an_output_the_model_lacks_is_refused(ask: Ask) -> None:
    with pytest.raises(ConfigError, match=r'sweep.outputs.0 .*no variable "People in car"'):
        ask(outputs=["People in car"])


@pytest.mark.parametrize(
    ("share", "value"), [(0.05, 1), (0.2, 1), (0.21, 2), (0.5, 2), (0.7, 2), (0.71, 4), (1.0, 4)]
)
def test_quantiles_count_weight(share: float, value: float) -> None:
    values, weights = np.array([4.0, 1.0, 2.0]), np.array([3.0, 2.0, 5.0])
    assert quantile(values, weights, share) == value


def test_arrays_are_kept_whole_by_their_name(tmp_path: Path) -> None:
    system = read_model(DATA / "wijken.mdl").system
    array = next(variable for variable in system.visible.values() if variable.subscripts)
    found = elements(array.parts[0].upper(), system)
    assert len(found) > 1
    assert {variable.parts[0] for variable in found} == {array.parts[0]}
    assert elements(array.name, system) == [array]


def test_from_python_the_tables_are_those_of_the_command(written: Written) -> None:
    """`sdopt.sweep` is also a package: it may be called all the same, and leaves nothing behind."""
    before = sorted(written.config.parent.iterdir())
    found = sdopt.sweep(sdopt.load(written.config), workers=1)
    assert sorted(written.config.parent.iterdir()) == before
    assert repr(found) == "<Sweep 'Zorg in onzekere tijden': 600 runs of null, advice, Alles voorkomen>"
    pd.testing.assert_frame_equal(found.scenarios, written.scenarios)
    pd.testing.assert_frame_equal(found.trajectories, written.trajectories)
    pd.testing.assert_frame_equal(found.runs, written.runs)
    means = [row["mean"] for row in written.summary["allocations"]]
    assert found.summary["mean"].tolist()[1:] == means[1:]
    assert (found.summary["allocation"].iloc[0], means[0]) == (NULL, None)
    again = found.write(written.config.parent / "van Python")
    names = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert names == sorted(p.relative_to(written.folder) for p in written.folder.rglob("*") if p.is_file())
    differing = [n for n in names if (again / n).read_bytes() != (written.folder / n).read_bytes()]
    assert [str(name) for name in differing] == ["run.json"]
    table = pd.read_parquet(again / "tables" / "distribution.parquet")
    pd.testing.assert_frame_equal(found.tables["distribution"], table)
    assert found.figures["failed_runs"] == 6


class Terminal(StringIO):
    """What a person sees."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("screen", [Terminal(), StringIO()])
def test_time_left_is_told_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, screen: StringIO) -> None:
    monkeypatch.setattr("sys.stderr", screen)
    with SweepProgress() as progress:
        progress.begun -= 100  # seconds ago
        progress(5_000, 0, 20_000)
        progress.last -= 1
        progress(10_000, 5_000, 20_000)
        progress(20_000, 15_000, 20_000)
    said = [line.strip() for line in screen.getvalue().split("\r")]
    told = ["", "5,000 of 20,000 runs", "10,000 of 20,000 runs, 3 min left", "20,000 runs"]
    assert said == (told if screen.isatty() else [""])


def test_a_screening_shows_no_probabilities(tmp_path: Path, place_in: Callable[..., Path]) -> None:
    config = place_in(tmp_path, design="morris", scenarios=4)
    done = CliRunner().invoke(main, ["sweep", str(config), "--output", str(tmp_path), "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "a morris design is no sample of futures" in done.output
    assert "above 0" not in done.output
    (folder,) = tmp_path.glob("sweep-*")
    assert not (folder / "limits.csv").exists()
    header, *rows = (folder / "summary.csv").read_text(encoding="utf-8-sig").splitlines()
    assert header.replace(";", ",").replace('"', "") == "allocation,runs,failed,unit"
    assert len(rows) == 3
    said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert said["limits"] == []
    assert {key for row in said["allocations"] for key in row} == {"allocation", "runs", "failed", "unit"}
    assert not {"limits", "gains", "empty_stocks"} & set(said["tables"])


def test_the_console_gives_names_whole_and_limits_beside_now(tmp_path: Path, ask: Ask) -> None:
    long = "Alles voorkomen, met daarnaast een heel lange naam"
    loaded, _, _ = ask(scenarios=20, allocations={"advice": "advies.csv", long: "voorkomen.csv"})
    done = CliRunner().invoke(main, ["sweep", str(loaded.path), "--output", str(tmp_path / "uit")])
    assert done.exit_code == 0, done.output
    said = json.loads(next((tmp_path / "uit").glob("*/summary.json")).read_text(encoding="utf-8"))
    own = next(row for row in said["allocations"] if row["allocation"] == long)
    line = next(line for line in done.output.splitlines() if line.startswith(f"{long} "))
    assert line.endswith(f"{own['any_broken']:.0%}{own['null_broken']:>17.0%}")
    by_rule = next(line for line in done.output.splitlines() if line.startswith(f"by rule  {long}"))
    assert f"breaks a limit in {own['any_broken']:.0%} of the futures" in by_rule
    assert f"that in {own['null_broken']:.0%}" in by_rule
