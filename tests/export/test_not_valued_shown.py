"""Effects without an amount stand beside the amounts and change none of them."""

import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from sdopt.config.load import load_config
from sdopt.export.labels import Labels
from sdopt.export.provenance import with_provenance
from sdopt.export.report import report_html
from sdopt.export.workbook import workbook_bytes
from sdopt.optimise.run import simulate_allocation
from sdopt.problem.build import build_problem
from sdopt.result import Result
from sdopt.source_model.read import read_model

DATA = Path(__file__).resolve().parents[1] / "data" / "ledger"
ROWS = """effect,pocket,direction,source,status,note
Rust & <b>stilte</b>,inwoners,gain,K1,read,"=1+1 lawaai"
Vertrouwen,gemeente,either,,judgement,Niemand mat het.
"""


def result_of(folder: Path, language: str, rows: str = "") -> Result:
    """A simulated allocation of the small question, with this table beside its ledger."""
    shutil.copytree(DATA, folder)
    config = folder / "pot.yaml"
    config.write_text(
        config.read_text(encoding="utf-8") + f"output: {{language: {language}}}\n", encoding="utf-8"
    )
    if rows:
        (folder / "not_valued.csv").write_text(rows, encoding="utf-8")
    loaded = load_config(config)
    model = read_model(loaded.config.model.file)
    result = simulate_allocation(build_problem(loaded, model.system), np.array([3.0, 2.0]), "run")
    return with_provenance(result, loaded, model)


@pytest.fixture(scope="module", params=["nl", "en"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Result]:
    root = tmp_path_factory.mktemp("pm")
    return result_of(root / "zonder", request.param), result_of(root / "met", request.param, ROWS)


def test_no_number_changes(both: tuple[Result, Result]) -> None:
    without, with_rows = both
    assert set(with_rows.tables) - set(without.tables) == {"not_valued"}
    for name, table in without.tables.items():
        if name != "sources":
            assert with_rows.tables[name].equals(table), name
    files = dict(with_rows.tables["sources"][["role", "file"]].itertuples(index=False))
    assert files["not_valued"] == "not_valued.csv"
    assert "not_valued" not in set(without.tables["sources"]["role"])


def test_sheet_and_report_show_them_as_text(both: tuple[Result, Result]) -> None:
    without, with_rows = both
    labels = Labels(with_rows.language)
    sheet = openpyxl.load_workbook(BytesIO(workbook_bytes(with_rows)))[labels("sheet.return")]
    rows = {row[0]: row[1:5] for row in sheet.values if row[0]}
    assert rows["Rust & <b>stilte</b>"] == (
        "inwoners", labels("direction.gain"), "PM", f"K1 ({labels('source.read')})"
    )  # fmt: skip
    assert rows["Vertrouwen"][1:] == (labels("direction.either"), "PM", labels("source.judgement"))
    assert "=1+1 lawaai" in rows
    assert all(
        cell.data_type != "f" for row in sheet.iter_rows() for cell in row if "lawaai" in str(cell.value)
    )
    assert labels("effects.not_in_money") not in rows  # which says that there are none
    page = report_html(with_rows)
    assert labels("not_valued.title") in page
    assert "Rust &amp; &lt;b&gt;stilte&lt;/b&gt;" in page
    assert labels("report.cannot.not_valued", names="").split(":")[0] in page
    assert labels("not_valued.title") not in report_html(without)
