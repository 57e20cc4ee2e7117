"""The reference of functions names everything that translation knows, and nothing else is in docs."""

from pathlib import Path

from sdopt.source_model.formulas import DIRECT, FORMULAS
from sdopt.source_model.stateful import STATEFUL
from sdopt.source_model.supported import FUNCTIONS, supported_markdown
from sdopt.source_model.vectors import VECTORS

ROOT = Path(__file__).parents[2]
XMILE_FORMS = {
    "Xramp": "RAMP",
    "Xpulse": "PULSE",
    "Xpulse_train": "PULSE",
    "vmin_xmile": "MIN",
    "vmax_xmile": "MAX",
}
STRUCTURES = {
    "DelayN": "DELAY N",
    "DelayFixed": "DELAY FIXED",
    "SmoothN": "SMOOTH N",
    "SampleIfTrue": "SAMPLE IF TRUE",
}


def test_every_function_is_in_the_reference() -> None:
    text = " ".join(cell for rows in FUNCTIONS.values() for row in rows for cell in row)
    names = [*FORMULAS, *DIRECT, *VECTORS]
    written = [XMILE_FORMS.get(name, name.replace("_", " ").upper()) for name in names]
    kinds = [kind.__name__.removesuffix("Structure") for kind in STATEFUL]
    written += [STRUCTURES.get(kind, kind.upper()) for kind in kinds]
    assert [name for name in written if name not in text] == []


def test_the_published_reference_is_current() -> None:
    """Written by `sdopt functions > docs/functions.md`."""
    assert (ROOT / "docs" / "functions.md").read_text(encoding="utf-8") == supported_markdown()
