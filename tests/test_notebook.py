"""The notebooks of the guide run from start to end, and hold no outputs of one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def texts(notebook: Any) -> str:
    """All that its cells printed or showed as plain text."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


def test_there_is_a_notebook() -> None:
    assert [path.name for path in NOTEBOOKS] == ["first-steps.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.slow
def test_first_steps_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    path = NOTEBOOKS[0]
    notebook = nbformat.read(path, as_version=4)
    before = sorted(path.parent.iterdir())
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    said = texts(notebook)
    assert "<Answer 'Voorbeeldgemeente" in said
    assert "over the null alternative, gap" in said
    assert "the limits cannot all hold" in said
    assert "Samen ten hoogste 5 (2027-2028): at most 7 million EUR/Year (now 5)" in said
    assert "decisions, " in said
    assert "<Model social_domain.mdl" in said
    assert sorted(path.parent.iterdir()) == before
