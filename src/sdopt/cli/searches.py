"""The commands that seek or compare allocations, or fit constants, and write a results folder."""

from __future__ import annotations

from pathlib import Path

import click

from sdopt.cli.group import FILE, SECONDS, TIME_LIMIT, main, read

OUTPUT = click.option(
    "--output",
    type=FILE,
    help="Folder that gets a new folder with the results [output.directory of CONFIG].",
)


@main.command()
@click.argument("config", type=FILE)
@OUTPUT
@TIME_LIMIT
@click.option("--resume", is_flag=True, help="Go on where an earlier run of this question was stopped.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes for several starts; the answer does not depend on it.",
)
@click.option(
    "--explain", is_flag=True, help="Explain the answer too: prices, room, contributions, trade-offs."
)
@click.option(
    "--certify",
    type=SECONDS,
    metavar="SECONDS",
    help="Spend at most this on a proof that assumes no concavity.",
)
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
    loaded, model, problem = read(config)
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
@OUTPUT
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
    show_default=True,
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

    loaded, model, problem = read(config)
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
@OUTPUT
@click.option("--scenarios", type=click.IntRange(min=1), help="Draws [robust.scenarios of CONFIG].")
@TIME_LIMIT
def robust_(config: Path, output: Path | None, scenarios: int | None, time_limit: float | None) -> None:
    """Find one allocation for all scenarios of CONFIG, by each measure asked, and write a results folder.

    Ctrl-C stops the search and gives the best so far (exit code 130); a second Ctrl-C gives nothing.
    """
    from sdopt.export.robust import robust

    said = robust(*read(config), output, scenarios, time_limit)
    click.echo(said.text)
    click.get_current_context().exit(130 if said.interrupted else 0)


@main.command("calibrate")
@click.argument("config", type=FILE)
@OUTPUT
def calibrate_(config: Path, output: Path | None) -> None:
    """Fit constants to observed series as CONFIG asks, and say what the data can and cannot tell.

    Writes a new folder: fitted.csv (a table of constants to use as input), fit.csv (observed, simulated and
    error per point, fitted and test points apart), measures.csv, uncertainty.csv, identifiability.csv,
    correlation.csv, starts.csv, a report and a picture. Nothing of the input is changed.
    """
    from sdopt.export.calibration import calibrate, describe_fit

    click.echo(describe_fit(*calibrate(config, output)))
