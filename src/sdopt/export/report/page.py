"""A result as one page: its sections in order, with the charts where they belong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sdopt.export.figures import figures_of
from sdopt.export.names import with_shown_names
from sdopt.export.report.charts import chart_settings, with_charts
from sdopt.export.report.parts import Case, Section
from sdopt.export.report.render import render
from sdopt.export.report.section_forms import forms
from sdopt.export.report.section_made import assumptions, cannot, run
from sdopt.export.report.section_money import costs, parties, when
from sdopt.export.report.section_question import advice, question
from sdopt.export.report.section_sure import robust, sure, true, wrong
from sdopt.export.report.section_why import why
from sdopt.export.report.sources import Sources
from sdopt.export.report.traced import TracedLabels
from sdopt.result import Result

SECTIONS: Sequence[Callable[[Case], Section | None]] = (
    question,
    advice,
    sure,
    costs,
    parties,
    when,
    true,
    robust,
    forms,
    why,
    wrong,
    cannot,
    assumptions,
    run,
)
"""What fills a section, in the order in which they are read; those without content are absent."""


def report_html(result: Result) -> str:
    """The report in the result's language: one file that needs no network, with the same bytes each time.

    Numbers are `<data value="..." data-source="...">`; `sources` says what a source looks like.
    """
    numbered = result.with_tables(
        **{name: table.reset_index(drop=True) for name, table in result.tables.items()}
    )
    shown = with_shown_names(numbered)
    sources = Sources(shown)
    case = Case(shown, TracedLabels(result.language, sources), sources)
    found = [section for fill in SECTIONS if (section := fill(case)) is not None]
    figures = figures_of(numbered, case.labels, shown)
    return render(
        "report.html.j2",
        case.labels,
        shown.title,
        sources,
        sections=with_charts(found, figures, case),
        charts=chart_settings(result.language) if figures else None,
    )
