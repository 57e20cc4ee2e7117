"""The Dutch guide names every sheet of the workbook by its name, and no sheet that does not exist."""

import re

from blocks import ROOT

from sdopt.export.labels import Labels
from sdopt.export.workbook import SHEETS

GUIDE = (ROOT / "docs" / "handleiding.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| ([^|]+?) \|", GUIDE.partition("| Blad |")[2].partition("\n\n")[0], re.M)


def test_every_sheet_is_explained_in_its_order() -> None:
    labels, text = Labels("nl"), "\n".join(TABLE)
    names = [labels(f"sheet.{key}") for key, _, _ in SHEETS]
    assert [name for name in names if name not in text] == []
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "", 1)
    assert text.replace("---", "").strip(", \n") == ""


def test_the_words_of_the_conclusion_are_those_of_the_results() -> None:
    said = (ROOT / "src" / "sdopt" / "export" / "labels.csv").read_text(encoding="utf-8").lower()
    for words in re.findall(
        r"^- \*\*(.+?)\*\*", GUIDE.partition("vier uitkomsten")[2].partition("## 6")[0], re.M
    ):
        assert words in said
