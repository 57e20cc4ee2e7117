"""Every file in `broken/` is refused, with exactly the complaints that its first comment lines announce."""

from pathlib import Path

import pytest

from sdopt.config.load import load_config
from sdopt.errors import ConfigError

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
# Words of pydantic, PyYAML's classes and Python that mean nothing to a user.
FOREIGN = (
    "extra inputs",
    "input should",
    "validation error",
    "pydantic",
    "yaml.",
    "traceback",
    "<class",
    "none",
)


@pytest.mark.parametrize("path", BROKEN, ids=[path.stem for path in BROKEN])
def test_complaints_are_those_announced(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [line.removeprefix("# expect: ") for line in lines if line.startswith("# expect: ")]
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    heading, *complaints = str(refused.value).splitlines()
    assert heading.startswith(f"{path}: {len(expected)} error")
    for announced, complaint in zip(expected, complaints, strict=True):
        assert complaint.startswith(f"  * {announced}")
        assert not [word for word in FOREIGN if word in complaint.lower()]


def test_every_rule_has_a_file() -> None:
    assert len(BROKEN) >= 60
