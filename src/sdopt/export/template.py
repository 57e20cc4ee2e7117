"""`sdopt template CONFIG`: a workbook to fill in, that is read back as what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import xlsxwriter

from sdopt.calibrate.load import load_calibration
from sdopt.calibrate.observed import Point, read_observed
from sdopt.config.constants import Constant
from sdopt.config.document import read_document
from sdopt.config.load import load_config
from sdopt.config.municipality import constants_of
from sdopt.config.text_file import read_text
from sdopt.errors import Complaints, ConfigError, ExportError
from sdopt.export.cells import plain_text
from sdopt.export.labels import Labels
from sdopt.export.new_file import write_new_file
from sdopt.export.page import CREATED, Book, Page
from sdopt.export.template_sheets import WORDS, fill_allocation, fill_constants, fill_observations
from sdopt.export.workbook import OPTIONS
from sdopt.problem.build import Problem, build_problem
from sdopt.result import Result, Status
from sdopt.source_model.read import read_model

SUFFIX = ".xlsx"


@dataclass(frozen=True)
class Asked:
    """What is to be filled in: an allocation of a question, or the observations of a calibration."""

    config: Path
    title: str
    language: str
    constants: tuple[Constant, ...]
    problem: Problem | None = None
    points: tuple[Point, ...] | None = None


def write_template(config: Path, output: Path | None) -> str:
    """Write a new workbook to fill in for a config; what was written, in words.

    Raises
    ------
    ConfigError
        When the config, or a table that it names, is wrong.
    ExportError
        When the file exists, is no .xlsx by its name, or cannot be written.
    """
    target = output or Path(f"{config.stem}-template{SUFFIX}")
    if target.suffix.lower() != SUFFIX:
        raise ExportError(f"{target}: a template is a {SUFFIX} file; give such a name to --output.")
    asked = _asked(config)
    write_new_file(target, template_bytes(asked, target.name))
    sheets = ", ".join(Labels(asked.language)(f"sheet.template_{key}") for key in _sheets(asked))
    return f"{target} written: {sheets}"


def _asked(config: Path) -> Asked:
    """What a config of either kind asks for."""
    text = read_text(config, "save the file as UTF-8")
    data = read_document(text, Complaints(str(config), ConfigError)).data
    if isinstance(data, dict) and "fit" in data:
        said = load_calibration(config).config
        points = read_observed(said.observed.file)
        return Asked(config, said.title, said.output.language, constants_of(said.model), points=points)
    loaded = load_config(config)
    problem = build_problem(loaded, read_model(loaded.config.model.file).system)
    constants = constants_of(loaded.config.model)
    return Asked(config, loaded.config.title, loaded.config.output.language, constants, problem)


def template_bytes(asked: Asked, name: str) -> bytes:
    """The workbook (.xlsx), to be called `name`; the same question gives the same bytes.

    The sheet that a command reads when none is named comes first; the guide is the one that opens.
    """
    target = BytesIO()
    with xlsxwriter.Workbook(target, OPTIONS) as workbook:
        workbook.set_properties({"title": plain_text(asked.title), "created": CREATED})
        result = Result(Status.SIMULATED, asked.title, asked.language, {}, {})
        book = Book(workbook, result, Labels(asked.language))
        pages = {key: Page(book, f"template_{key}") for key in _sheets(asked)}
        if asked.problem is not None:
            fill_allocation(pages["allocation"], asked.problem)
        if asked.points is not None:
            fill_observations(pages["observations"], asked.points)
        if asked.constants:
            fill_constants(pages["constants"], asked.constants, asked.problem)
        _fill_guide(pages["guide"], asked, name)
        pages["guide"].sheet.activate()
    return target.getvalue()


def _sheets(asked: Asked) -> list[str]:
    """Which sheets apply, in their order."""
    first = ["allocation"] if asked.problem is not None else ["observations"]
    return [*first, *(["constants"] if asked.constants else []), "guide"]


def _fill_guide(page: Page, asked: Asked, name: str) -> None:
    """How to fill it in, how to use it, and what the words mean."""
    labels = page.labels
    page.set_up([22, 22, 70], portrait=True)
    about = labels("template.guide.question", title=asked.title, config=asked.config.name)
    page.heading(labels("template.guide.title"), about)
    page.section(labels("template.guide.steps"))
    for key in ("fill", "formulas", "save", "mistakes"):
        page.across(labels(f"template.guide.{key}"))
    page.row += 1
    page.section(labels("template.guide.use"))
    for said, code in _uses(asked, name, labels):
        page.across(said)
        page.across(code, font_name="Consolas", bg_color="#EEEEEE")
    if not asked.constants:
        page.across(labels("template.guide.no_constants"))
    _write_words(page, asked)
    page.sheet.protect("", {"format_columns": True, "format_rows": True})


def _uses(asked: Asked, name: str, labels: Labels) -> Sequence[tuple[str, str]]:
    """What to do with the file: in words, and the command or the line of the config."""
    config, found = asked.config.name, []
    if asked.problem is not None:
        command = f'sdopt simulate "{config}" --allocation "{name}"'
        found.append((labels("template.guide.allocation"), command))
        line = f'allocations: {{"{labels("sheet.template_allocation")}": "{name}"}}'
        found.append((labels("template.guide.sweep", config=config), line))
    if asked.points is not None:
        line = f'observed: {{file: "{name}"}}'
        found.append((labels("template.guide.observations", config=config), line))
    if asked.constants:
        line = f'constants: "{name}#{labels("sheet.template_constants")}"'
        found.append((labels("template.guide.constants", config=config), line))
    return found


def _write_words(page: Page, asked: Asked) -> None:
    """What the words in the lists mean."""
    columns = ["status", "distribution", "confidence"] if asked.constants else []
    columns += ["measure", "use"] if asked.points is not None else []
    if not columns:
        return
    labels = page.labels
    page.row += 1
    page.section(labels("template.guide.words"))
    page.header([labels(f"template.guide.{key}") for key in ("quantity", "word", "meaning")], [{}, {}, {}])
    words = [(column, word) for column in columns for word in WORDS[column]]
    meanings = [(labels(f"template.{c}"), word, labels(f"template.word.{c}.{word}")) for c, word in words]
    page.rows(meanings, [{}, {}, {"text_wrap": True}])
