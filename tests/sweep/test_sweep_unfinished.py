"""What a sweep says of earlier runs before it begins, and when nothing can be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from sdopt.cli import main
from sdopt.config.load import load_config
from sdopt.errors import ExportError
from sdopt.export.unfinished import checkpoint
from sdopt.source_model.read import read_model
from sdopt.sweep.parts import FOLDER, Parts

Place = Callable[..., Path]


def sweep(config: Path, output: Path, *options: str) -> Result:
    asked = ["sweep", str(config), "--output", str(output), "--workers", "1", *options]
    return CliRunner().invoke(main, asked)


def test_with_nothing_to_resume_it_says_so(place_in: Place, tmp_path: Path) -> None:
    done = sweep(place_in(tmp_path, scenarios=3), tmp_path / "uit", "--resume")
    assert done.exit_code == 0, done.output
    assert "nothing to resume" in done.stderr
    assert "another config" not in done.stderr
    assert "resume " not in done.stdout
    again = sweep(tmp_path / "één sweep" / "questions" / "zorg.yaml", tmp_path / "uit")
    assert again.exit_code == 0
    assert "resume" not in again.stderr


def test_what_belongs_to_another_sweep_is_named_and_left(place_in: Place, tmp_path: Path) -> None:
    with Parts(tmp_path / "uit", "another sweep 00", resume=False) as parts:
        parts.keep("block-000000", {"one": np.ones(1)})
    done = sweep(place_in(tmp_path, scenarios=3), tmp_path / "uit", "--resume")
    assert done.exit_code == 0, done.output
    assert "nothing to resume" in done.stderr
    assert f"is left as it is: {parts.folder.name}" in done.stderr
    assert parts.count == 1


def test_an_earlier_search_for_the_advice_is_told(place_in: Place, tmp_path: Path) -> None:
    config, output = place_in(tmp_path, scenarios=2, allocations={}), tmp_path / "uit"
    loaded = load_config(config)
    with checkpoint(output, loaded, read_model(loaded.config.model.file), resume=False) as memory:
        memory.keep("something", np.ones(2), {"answer": np.ones(1)})
        memory.finished = False
    assert memory.folder.is_dir()
    fresh = sweep(config, output)
    assert fresh.exit_code == 0, fresh.output
    assert "an earlier search is in" in fresh.stderr


@pytest.mark.parametrize("resume", [False, True])
def test_nothing_is_said_to_be_kept_when_nothing_was_done(
    place_in: Place, tmp_path: Path, resume: bool
) -> None:
    """A file stands where the parts should go, which no check of rights notices."""
    output = tmp_path / "uit"
    with Parts(output, "0" * 20, resume=resume) as parts:
        pass
    assert not parts.folder.exists()
    parts.folder.write_text("in the way", encoding="utf-8")
    with pytest.raises(ExportError, match=r"cannot be written.* Nothing was done yet\. Check free space"):
        Parts(output, "0" * 20, resume=resume).__enter__()
    assert [path.name for path in output.iterdir()] == [f"{FOLDER}{'0' * 16}"]
