"""Results made to do harm, requests to end, a disk that fills up: nothing half, lost or leaked."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import click.testing
import pandas as pd
import pytest
from click.testing import CliRunner

from sdopt.cli import main
from sdopt.errors import ConfigError, ExportError
from sdopt.export.folder import write_found, write_results
from sdopt.export.formats import read_results
from sdopt.optimise.stopping import stop_on_interrupt
from sdopt.result import Result

ROOT = Path(__file__).resolve().parents[2]
SOURCES, CONFIG = ROOT / "src", ROOT / "configs" / "voorbeeld-100k.yaml"
ALL_FORMS = """
import hashlib, sys
from pathlib import Path
from sdopt.export.compare.run import compare
from sdopt.export.formats import export_results
from sdopt.export.report_folder import write_report
from sdopt.export.template import write_template
one, two, config, out = map(Path, sys.argv[1:])
write_template(config, out / "template.xlsx")
for form in ("ods", "csv-nl", "csv-machine", "parquet"):
    export_results(one, form, out / form)
write_report([one], out)
compare([one, two], out)
for path in sorted(out.rglob("*")):
    if path.is_file() and path.name != "run.json":
        print(path.relative_to(out).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the results are that are written once, and copied for each test."""
    return tmp_path_factory.mktemp("written")


@pytest.fixture
def folder(result: Result, written: Path, tmp_path: Path) -> Path:
    made = next(written.iterdir(), None) or write_results(result, written, "title: één vraag\n", {}, None)
    return Path(shutil.copytree(made, tmp_path / "results" / made.name))


def said_of(folder: Path, key: str, value: str) -> None:
    """A fact of summary.json as other text, which need not be what JSON allows."""
    path = folder / "summary.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts[key] = "HERE"
    path.write_text(json.dumps(facts).replace('"HERE"', value), encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("gap", "NaN", "NaN is no finite number"),
        ("gap", "-Infinity", "-Infinity is no finite number"),
        ("gap", "1e999", "1e999 is no finite number"),
        ("gap", '"much"', "gap is 'much', no number"),
        ("objective", "[1]", "objective is [1], no number"),
        ("seed", "true", "seed is True, no number"),
        ("seed", "9" * 5_000, "summary.json cannot be read"),
        ("provenance", '{"labels": [1]}', "labels holds more than names"),
        ("provenance", '{"decision_names": {"a": {}}}', "decision_names holds more than names"),
        ("tables", '["../../secret"]', "table name '../../secret'"),
    ],
)
def test_facts_that_are_none(folder: Path, key: str, value: str, told: str) -> None:
    said_of(folder, key, value)
    with pytest.raises(ExportError) as refused:
        read_results(folder)
    assert told in str(refused.value)
    assert "not a complete results folder" in str(refused.value)


def test_an_advice_without_one_of_its_allocations(folder: Path) -> None:
    path = folder / "tables" / "allocation.parquet"
    table = pd.read_parquet(path)
    table[table["allocation"] != "null"].to_parquet(path)
    with pytest.raises(ExportError, match="tables/allocation has no rows of null"):
        read_results(folder)


def test_a_summary_that_is_too_large(folder: Path) -> None:
    with (folder / "summary.json").open("ab") as file:
        file.truncate(50_000_001)
    with pytest.raises(ExportError, match="50 MB; at most 50 MB"):
        read_results(folder)


@pytest.mark.posix
@pytest.mark.parametrize("place", ["config.yaml", "tables/allocation.parquet", "more.txt"])
def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path, place: str) -> None:
    """A report copies the config: a link there would copy any file of whoever reads the results."""
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    (folder / place).unlink(missing_ok=True)
    (folder / place).symlink_to(secret)
    with pytest.raises(ExportError, match=f"{place} is a link to another folder"):
        read_results(folder)
    (folder / place).unlink()
    (folder / "alias").symlink_to(folder / "summary.json")
    if place == "more.txt":
        assert read_results(folder).title


@pytest.mark.posix
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / "summary.json").unlink()
    os.mkfifo(folder / "summary.json")
    with pytest.raises(ExportError, match=r"it has no summary\.json"):
        read_results(folder)


def test_what_was_found_is_kept_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, elsewhere = tmp_path / "full", tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))

    def write(folder: Path) -> None:
        (folder / "half.txt").write_text("half", encoding="utf-8")
        if folder.is_relative_to(root):
            raise OSError(28, "No space left on device")

    with pytest.raises(ExportError) as told:
        write_found(root, "Één vraag", write)
    assert not list(root.iterdir())
    (kept,) = elsewhere.glob("sdopt-*/een-vraag-001")
    assert [path.name for path in kept.iterdir()] == ["half.txt"]
    assert "No space left on device" in str(told.value)
    assert f"Nothing is lost: the results are in {kept}; move them." in str(told.value)

    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(ExportError, match="No space left on device") as full:
        write_found(root, "vol", fail)
    assert "Nothing is lost" not in str(full.value)
    assert list(elsewhere.iterdir()) == [kept.parent]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "no such folder"))  # as when that disk is full
    with pytest.raises(ExportError, match=f"{re.escape(str(root))}: cannot be written .No space left"):
        write_found(root, "vol", fail)


def when(seen: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    """Do something from beside as soon as something is seen."""

    def watch() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if seen():
                return act()
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.posix
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # it may come between open and with
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_leaves_nothing_half(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    output = tmp_path / "out"
    before = signal.getsignal(signal.SIGTERM)
    thread = when(lambda: any(output.glob(".*/tables/*.csv")), lambda: os.kill(os.getpid(), number))
    done = CliRunner().invoke(main, ["report", str(folder), "--output", str(output)])
    thread.join()
    assert (done.exit_code, done.output.strip()) == (1, "Aborted!")
    assert list(output.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.fixture
def tried() -> Iterator[Callable[..., click.testing.Result]]:
    """What the command line makes of a command that does this."""

    def run(body: Callable[[], None], *options: str) -> click.testing.Result:
        main.add_command(click.Command("try", callback=body))
        return CliRunner().invoke(main, [*options, "try"])

    yield run
    main.commands.pop("try", None)


@pytest.mark.posix
def test_a_request_to_end_stops_a_search_as_ctrl_c_does(tried: Callable[..., click.testing.Result]) -> None:
    """The best so far is written then; and where Ctrl-C is not listened to the command ends at once."""
    stopped = []

    def search() -> None:
        with stop_on_interrupt() as stop:
            signal.raise_signal(signal.SIGTERM)
            stopped.append(stop.interrupted)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGINT)
    try:
        done = tried(search)
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped == [True]
    assert "Aborted!" in done.output


def test_what_steers_a_terminal_is_shown_and_not_done(tried: Callable[..., click.testing.Result]) -> None:
    def steer() -> None:
        raise ConfigError("a\x1b]0;title\x07\r\x9b2J\u202e\u200f\u2028b\n\tc é")

    shown = "a\\u001b]0;title\\u0007\\u000d\\u009b2J\\u202e\\u200f\\u2028b\n\tc é"
    assert tried(steer).output == f"Error: {shown}\n"


def test_too_little_memory_is_one_message(tried: Callable[..., click.testing.Result]) -> None:
    def much() -> None:
        raise MemoryError

    done = tried(much)
    assert done.exit_code == 1
    assert "there is not enough memory for this" in done.output
    assert isinstance(tried(much, "--debug").exception, MemoryError)


def test_every_form_has_the_same_bytes_wherever_it_is_made(folder: Path, tmp_path: Path) -> None:
    """Another hash seed, clock, language, width of the terminal, user and current folder."""
    other = folder.with_name("ander")
    folder.rename(other)
    twice = other.with_name("tweede")
    shutil.copytree(other, twice)
    places = [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "COLUMNS": "200", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "3", "TZ": "UTC+9", "LC_ALL": "C.UTF-8", "COLUMNS": "20", "USER": "piet"},
    ]
    sources = SOURCES
    if sys.platform != "win32":  # where a link may need rights: sdopt itself in a folder with an accent too
        sources = tmp_path / "één bron"
        sources.symlink_to(SOURCES)
    started = []
    for number, place in enumerate(places):
        here, out = tmp_path / f"here {number}", tmp_path / f"out {number}"
        here.mkdir()
        out.mkdir()
        known = {**os.environ, "PYTHONPATH": str(sources), "HOME": str(here), **place}
        command = [sys.executable, "-c", ALL_FORMS, str(other), str(twice), str(CONFIG), str(out)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        started.append(subprocess.Popen(command, cwd=here, env=known, **pipes))
    (first, said), (second, told) = (process.communicate() for process in started)
    assert [process.returncode for process in started] == [0, 0], f"{said}\n{told}"
    assert first == second
    forms = {line.rpartition(".")[2].split()[0] for line in first.splitlines()}
    assert forms >= {"xlsx", "html", "csv", "svg", "png", "parquet", "json"}
