"""Results folders with a report: the shipped example, and real runs with names that would like to be code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sdopt.api import load, simulate
from sdopt.cli import main
from sdopt.export.compare.page import compare_html
from sdopt.export.compare.run import comparison
from sdopt.export.compare.runs import read_runs
from sdopt.export.folder import summary
from sdopt.export.formats import read_results
from sdopt.export.provenance import with_provenance
from sdopt.export.report import report_html
from sdopt.export.tables import write_csv, write_parquet

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "tests" / "data"
SCRIPT = "</script><script>window.hacked = 1</script><!--"
IMAGE = "<img src=x onerror='window.hacked = 1'>"
BRACES = "{{7*7}} {% raw %} ${7*7}"
QUOTES = "\"quoted\" 'once' \u2028 & co"
MARKS = "\ue0000\ue001999\ue002"
HOSTILE = {"script": SCRIPT, "image": IMAGE, "braces": BRACES, "quotes": QUOTES}
KINDS = ("example", "explained", "sweep", "robust", "forms")


def changed(source: Path, folder: Path, **changes: Any) -> Path:
    """A config of the test data beside its model, in a folder of its own, with other top-level values."""
    shutil.copytree(source.parent, folder / "q" / source.parent.name, ignore=shutil.ignore_patterns("*.py"))
    shutil.copy(DATA / "wijk.mdl", folder / "q")
    path = folder / "q" / source.parent.name / source.name
    said = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def run(folder: Path, *arguments: str) -> Path:
    """The new results folder of a command."""
    done = CliRunner().invoke(main, [*arguments, "--output", str(folder / "out")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    (made,) = (path for path in (folder / "out").iterdir() if not path.name.startswith("."))
    return made


def explained(folder: Path) -> Path:
    """An advice with its explanation, of a question whose every name is hostile."""
    names = {
        "prevention budget": SCRIPT, "care budget": IMAGE, "People in care": BRACES, "Known people": QUOTES,
        "cost of care": f"{MARKS} zorg", "total budget": f"{SCRIPT} samen",
    }  # fmt: skip
    limits = yaml.safe_load((DATA / "wijk.yaml").read_text(encoding="utf-8"))["constraints"]
    renamed = dict(zip((f"{SCRIPT} geld", f"{BRACES} plafond"), limits.values(), strict=True))
    config = folder / "wijk.yaml"
    shutil.copy(DATA / "wijk.mdl", folder)
    said = yaml.safe_load((DATA / "wijk.yaml").read_text(encoding="utf-8"))
    said |= {"title": f"{SCRIPT} {BRACES} {QUOTES}", "constraints": renamed, "output": {"labels": names}}
    config.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return run(folder, "optimise", str(config), "--explain")


def sweep(folder: Path) -> Path:
    """A sweep with hostile names of allocations, external scenarios and constants."""
    source = DATA / "sweep" / "zorg.yaml"
    said = yaml.safe_load(source.read_text(encoding="utf-8"))
    said["sweep"]["allocations"][SCRIPT] = said["sweep"]["allocations"].pop("Alles voorkomen")
    said["external_scenarios"][IMAGE] = said["external_scenarios"].pop("more care")
    output = {"labels": {"effect of knowing": BRACES, "price of care": QUOTES}}
    config = changed(
        source, folder, title=f"{IMAGE} zorg", sweep=said["sweep"],
        external_scenarios=said["external_scenarios"], output=output,
    )  # fmt: skip
    return run(folder, "sweep", str(config), "--workers", "1")


def robust(folder: Path) -> Path:
    """Robust allocations by several measures."""
    return run(folder, "robust", str(changed(DATA / "robust" / "orders.yaml", folder)), "--scenarios", "20")


def forms(folder: Path) -> Path:
    """An advice beside forms of decision: one with a price, one that clashes, one that follows."""
    source = DATA / "forms" / "wijk_vormen.yaml"
    said = yaml.safe_load(source.read_text(encoding="utf-8"))
    kept = ("Een keer kiezen", "Vaste verhouding van nu", "Meebewegen")
    chosen = {f"{SCRIPT} {name}" if name == kept[0] else name: said["forms"][name] for name in kept}
    config = changed(source, folder, forms=chosen, search={"audit": 100, "starts": 2})
    return run(folder, "optimise", str(config))


def districts(folder: Path) -> Path:
    """An allocation that was given, of a config with so many decisions that some are told together."""
    question = load(ROOT / "configs" / "tien-wijken-100k.yaml")
    given = question.null.assign(value=question.null["value"] * 1.05)
    result = simulate(question, given, verify=False).result
    result = with_provenance(result, question.loaded, question.model.source)
    (folder / "tables").mkdir()
    write_parquet(result.tables, folder / "tables")
    write_csv(result.tables, folder / "tables")
    (folder / "summary.json").write_text(json.dumps(summary(result)), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Kind -> its results folder, made when it is first asked for."""
    made: dict[str, Path] = {}
    makers = {
        "explained": explained,
        "sweep": sweep,
        "robust": robust,
        "forms": forms,
        "districts": districts,
    }

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = (
                ROOT / "results" / "voorbeeld"
                if kind == "example"
                else makers[kind](tmp_path_factory.mktemp(kind))
            )
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def pages(
    folders: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Path]:
    """Kind and language -> the report as a file, in a folder with a space and an accent.

    The kind `comparison` is the page of two of them beside each other.
    """
    place = tmp_path_factory.mktemp("één map")

    def page(kind: str, language: str) -> Path:
        path = place / f"{kind} {language}.html"
        if not path.exists():
            if kind == "comparison":
                result = comparison(read_runs([folders("example"), folders("explained")]))
                html = compare_html(replace(result, language=language))
            else:
                html = report_html(replace(read_results(folders(kind)), language=language))
            path.write_bytes(html.encode("utf-8"))
        return path

    return page
