"""The command line: thin commands over the rooms; heavy libraries are imported where they are used."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sdopt import __version__
from sdopt.errors import SdoptError

if TYPE_CHECKING:
    from sdopt.config.load import LoadedConfig
    from sdopt.problem.build import Problem
    from sdopt.source_model.read import SourceModel

# Sums of matrix products depend on how many threads share them: the bytes of a result must not. NumPy reads
# this when it is loaded; its matrices are small here, and a second thread only gets in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

FILE = click.Path(path_type=Path)
SECONDS = click.FloatRange(min=0, min_open=True)
TIME_LIMIT = click.option(
    "--time-limit", type=SECONDS, metavar="SECONDS", help="Stop the search then, with the best so far."
)
Command = TypeVar("Command", bound=Callable[..., Any])


class _Commands(click.Group):
    """Expected failures become one message and exit code 1; `--debug` shows the traceback."""

    def invoke(self, context: click.Context) -> Any:
        for stream in (sys.stdout, sys.stderr):
            # A console that cannot show an accent must not end the run.
            getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
        # A command lives for seconds: looking for reference cycles would take a fifth of them.
        gc.disable()
        atexit.register(gc.freeze)  # nor look for them when Python ends
        try:
            return super().invoke(context)
        except SdoptError as error:
            if context.params.get("debug"):
                raise
            raise click.ClickException(str(error)) from None
        finally:
            gc.enable()


@click.group(cls=_Commands)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of an expected failure.")
def main(debug: bool) -> None:
    """Find the budget allocation with the highest return, and say how sure that is."""


@main.command()
@click.argument("config", type=FILE)
@click.option("--output", type=FILE, help="Folder that gets a new folder with the results.")
@TIME_LIMIT
@click.option("--resume", is_flag=True, help="Go on where an earlier run of this question was stopped.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes for several starts; the answer does not depend on it.",
)
@click.option("--explain", is_flag=True, help="Explain the answer too: prices, room, contributions.")
@click.option("--certify", type=SECONDS, metavar="SECONDS", help="For a proof that assumes no concavity.")
def optimise(
    config: Path,
    output: Path | None,
    time_limit: float | None,
    resume: bool,
    workers: int,
    explain: bool,
    certify: float | None,
) -> None:
    """Find the best allocation for CONFIG, replay it in PySD and write a results folder.

    Ctrl-C stops the search and gives the best so far (exit code 130); a second Ctrl-C gives nothing.
    """
    from datetime import UTC, datetime

    from sdopt.export.console import Progress, print_result
    from sdopt.export.folder import check_writable, write_results
    from sdopt.export.provenance import allocation_model, run_facts, with_provenance
    from sdopt.export.unfinished import checkpoint, checkpoint_notes
    from sdopt.optimise.certificate.run import Asked
    from sdopt.optimise.crew import Crew
    from sdopt.optimise.run import optimise as find_best
    from sdopt.optimise.run import verify
    from sdopt.optimise.stopping import STOPPED, stop_on_interrupt

    started = datetime.now(UTC)
    loaded, model, problem = _read(config)
    root = output or loaded.config.output.directory
    check_writable(root)
    with checkpoint(root, loaded, model, resume) as kept:
        with Progress() as progress, stop_on_interrupt(time_limit) as stop:
            crew = Crew(workers, stop)
            proof = None if certify is None else Asked(certify, progress.proof)
            result = find_best(
                problem, loaded.sha256[:8], progress, crew, kept, explain=explain, certify=proof
            )
        kept.finished = result.status not in STOPPED
        result = with_provenance(verify(result, problem, model), loaded, model)
        text = config.read_text(encoding="utf-8-sig")
        facts, filled_in = run_facts(started), allocation_model(result, problem, model)
        folder = write_results(result, root, text, facts, filled_in)
    print_result(result, folder)
    for line in checkpoint_notes(kept, resume):
        click.echo(line)
    if stop.interrupted and not kept.finished:
        click.get_current_context().exit(130)


@main.command("sweep")
@click.argument("config", type=FILE)
@click.option("--output", type=FILE, help="Folder that gets a new folder with the results.")
@click.option("--resume", is_flag=True, help="Go on where an earlier run of this sweep was stopped.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes that simulate [as many as save time]; the results do not depend on it.",
)
@click.option(
    "--backend",
    type=click.Choice(["numpy", "compiled"]),
    default="numpy",
    help="How to simulate; compiled is faster (pip install sdopt[fast]).",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Dask cluster that simulates (tcp://host:port), or `local` for one on this machine.",
)
def sweep_(
    config: Path,
    output: Path | None,
    resume: bool,
    workers: int | None,
    backend: str,
    scheduler: str | None,
) -> None:
    """Run the allocations of CONFIG in many scenarios, and write a results folder.

    Always compared are the null alternative and the advice at central values. Every block of runs is kept on
    disk as soon as it is done: after Ctrl-C (exit code 130), a kill or a full disk, --resume goes on.
    """
    from sdopt.export.sweep import Asked, sweep

    loaded, model, problem = _read(config)
    spread = None
    if scheduler is not None:
        from sdopt.sweep.cluster import on_cluster

        spread = on_cluster(scheduler, workers)
    asked = Asked(output or loaded.config.output.directory, resume, workers, backend, spread)
    said = sweep(loaded, model, problem, asked)
    if said is None:
        click.echo("stopped; what is done is kept: to go on, the same command with --resume", err=True)
        click.get_current_context().exit(130)
    click.echo(said)


@main.command("robust")
@click.argument("config", type=FILE)
@click.option("--output", type=FILE, help="Folder that gets a new folder with the results.")
@click.option("--scenarios", type=click.IntRange(min=1), help="Draws, in stead of robust.scenarios.")
@TIME_LIMIT
def robust_(config: Path, output: Path | None, scenarios: int | None, time_limit: float | None) -> None:
    """Find one allocation for all scenarios of CONFIG, by each measure asked, and write a results folder.

    Ctrl-C stops the search and gives the best so far (exit code 130); a second Ctrl-C gives nothing.
    """
    from sdopt.export.robust import robust

    said = robust(*_read(config), output, scenarios, time_limit)
    click.echo(said.text)
    click.get_current_context().exit(130 if said.interrupted else 0)


@main.command()
@click.argument("source", type=FILE)
@click.option(
    "--engine", type=click.Choice(["batch", "pysd"]), default="batch", help="Whose numbers to give."
)
@click.option("--allocation", type=FILE, help="CSV with decision, year, value (CONFIG only).")
@click.option(
    "--runs", type=FILE, help="Table (.csv, .parquet) of runs: a row per run, a column per constant."
)
@click.option("--show", multiple=True, metavar="NAME", help="With --runs: variable to keep [all stocks].")
@click.option("--objective", metavar="NAME", help="With --runs: variable that ranks them [first kept].")
@click.option("--every", type=float, metavar="TIME", help="With --runs: time between values [SAVEPER].")
@click.option(
    "--backend",
    type=click.Choice(["numpy", "compiled"]),
    default="numpy",
    help="With --runs: how; compiled is faster (pip install sdopt[fast]).",
)
@click.option("--output", type=FILE, help="CSV file to write; with --runs, the folder to make.")
def simulate(
    source: Path, engine: str, allocation: Path | None, runs: Path | None, output: Path | None, **job: Any
) -> None:
    """Simulate SOURCE: the null alternative or an allocation of a config, or a model file.

    A bare model runs once with its own settings; PySD runs it too, every variable is compared, and half
    the time step shows how much the step matters.

    With --runs a bare model runs once per row of a table, such as:

    \b
        birth rate, Price[north]
        0.02,       1.5
        0.03,       1.5

    Constants without a column keep the model's value. PySD repeats at least 32 runs: those with the
    lowest, median and highest objective (its value at the end), and a sample of the others. The new folder
    holds trajectories.parquet (run, variable, subscript, time, value, unit), runs.parquet (a row per run)
    and run.json. Runs that give inf or nan are kept and counted.
    """  # noqa: D301
    _check_options(source, allocation, runs, output, job)
    if runs is not None and engine == "pysd":
        raise click.UsageError("--engine does not go with --runs; PySD repeats some of them anyway.")
    if _is_config(source):
        from sdopt.export.simulation import simulate_config

        click.echo(simulate_config(*_read(source), engine, allocation, output))
        return
    from sdopt.source_model.read import read_model

    model = read_model(source)
    if runs is not None and output is not None:
        from sdopt.export.runs import simulate_runs

        click.echo(simulate_runs(model, runs, output, **job))
    else:
        from sdopt.export.model_run import simulate_model

        click.echo(simulate_model(model, engine, output))


def _check_options(
    source: Path, allocation: Path | None, runs: Path | None, output: Path | None, job: dict[str, Any]
) -> None:
    """Refuse options that do nothing together."""
    if allocation is not None and not _is_config(source):
        raise click.UsageError("--allocation needs a config, not a bare model.")
    if runs is not None and _is_config(source):
        raise click.UsageError("--runs needs a bare model, not a config.")
    if runs is not None and output is None:
        raise click.UsageError("--runs needs --output, the folder to make.")
    if runs is None and any(value not in ((), None, "numpy") for value in job.values()):
        raise click.UsageError("--show, --objective, --every and --backend go with --runs.")


@main.command()
@click.argument("source", type=FILE)
def check(source: Path) -> None:
    """Check SOURCE: whether a config fits its model, or the units and structure of a model file.

    A config runs the null alternative and allocations that it gives; told is what sweep and robust would do.
    In a model all equations must agree with their units; notes tell what nothing uses. Exit code 1 if wrong.
    """
    if _is_config(source):
        from sdopt.export.check import describe_check

        loaded, _, problem = _read(source)
        click.echo(describe_check(loaded, problem))
        return
    from sdopt.checks.report import check_model
    from sdopt.source_model.read import read_model

    checked = check_model(read_model(source))
    click.echo(checked.text())
    checked.raise_if_wrong()


@main.command("calibrate")
@click.argument("config", type=FILE)
@click.option("--output", type=FILE, help="Folder that gets a new folder with the results.")
def calibrate_(config: Path, output: Path | None) -> None:
    """Fit constants to observed series as CONFIG asks, and say what the data can and cannot tell.

    Writes a new folder: fitted.csv (a table of constants to use as input), fit.csv (observed, simulated and
    error per point, fitted and test points apart), measures.csv, uncertainty.csv, identifiability.csv,
    correlation.csv, starts.csv, a report and a picture. Nothing of the input is changed.
    """
    from sdopt.export.calibration import calibrate, describe_fit

    click.echo(describe_fit(*calibrate(config, output)))


@main.command()
@click.argument("source", type=FILE)
@click.option(
    "--kind",
    type=click.Choice(["stock", "flow", "auxiliary", "constant"]),
    help="Only variables of this kind.",
)
def variables(source: Path, kind: str | None) -> None:
    """List what a model, or the model of a config (SOURCE), offers: name, kind, unit, range, description."""
    from sdopt.export.console import describe_variables
    from sdopt.source_model.read import read_model

    if _is_config(source):
        from sdopt.config.load import load_config

        source = load_config(source).config.model.file
    click.echo(describe_variables(read_model(source).system, kind))


@main.command()
@click.argument("model", type=FILE)
@click.option(
    "--output", type=FILE, default=Path("question.yaml"), show_default=True, help="Config to write."
)
def init(model: Path, output: Path) -> None:
    """Write a commented config for MODEL, to start from."""
    import os

    from sdopt.config.starting_point import starting_point
    from sdopt.export.new_file import write_new_file
    from sdopt.source_model.read import read_model

    system = read_model(model).system
    where = Path(os.path.relpath(model.absolute(), output.absolute().parent)).as_posix()
    write_new_file(output, starting_point(system, where))
    click.echo(f"{output} written. Fill in what is marked, then: sdopt check {output}")


@main.command()
@click.argument("source", type=FILE)
@click.option(
    "--format", "form", type=click.Choice(["xlsx", "csv", "parquet", "ods"]), help="Format of the results."
)
@click.option("--output", type=FILE, help="File or folder to write; beside the tables when absent.")
@click.option("--to", type=FILE, help="File for another solver to write (CONFIG): .nl, .lp or .mps.")
def export(source: Path, form: str | None, output: Path | None, to: Path | None) -> None:
    """Write SOURCE, a results folder, in another format; or the problem of a config for another solver.

    An .nl file holds the whole problem, as does .lp or .mps when that is linear. Otherwise these hold the
    final linear master of a search, whose optimum is the bound. FILE.csv says what the names in it mean.
    """
    if to is not None:
        if form is not None or output is not None or not _is_config(source):
            raise click.UsageError("--to needs a config, and goes without --format and --output.")
        from sdopt.export.console import Progress
        from sdopt.export.other_solver import write_problem

        with Progress() as progress:
            said = write_problem(_read(source)[2], to, progress)
        click.echo(said)
        return
    if form is None:
        raise click.UsageError("give --format for a results folder, or --to for a config.")
    from sdopt.export.formats import export_results

    click.echo(str(export_results(source, form, output)))


@main.command()
def functions() -> None:
    """List what a Vensim or XMILE model may use, and what is refused and why."""
    from sdopt.source_model.supported import supported_markdown

    click.echo(supported_markdown(), nl=False)


@main.command()
def schema() -> None:
    """Print the JSON Schema of a config, for editors."""
    from sdopt.config.json_schema import json_schema

    click.echo(json_schema(), nl=False)


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml")


def _read(config: Path) -> tuple[LoadedConfig, SourceModel, Problem]:
    from sdopt.config.load import load_config
    from sdopt.problem.build import build_problem
    from sdopt.source_model.read import read_model

    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    return loaded, model, build_problem(loaded, model.system)
