"""What was drawn from counts: a result names the files of observations with their hashes."""

import shutil
from hashlib import sha256
from pathlib import Path

from sdopt.config.load import load_config
from sdopt.export.provenance import with_provenance
from sdopt.export.unfinished import question_key
from sdopt.result import Result, Status
from sdopt.source_model.read import read_model

DATA = Path(__file__).parents[1] / "data"


def test_other_observations_are_another_question(tmp_path: Path) -> None:
    shutil.copytree(DATA / "uncertainty", tmp_path / "uncertainty")
    shutil.copy(DATA / "wijk.mdl", tmp_path / "wijk.mdl")
    config, seen = (tmp_path / "uncertainty" / name for name in ("wijk_onzeker.yaml", "terugval.csv"))
    loaded, model = load_config(config), read_model(tmp_path / "wijk.mdl")
    made = with_provenance(Result(Status.SIMULATED, "", "en", {}, {}), loaded, model)
    digest = sha256(seen.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    assert made.provenance["observation_hashes"] == {"terugval.csv": digest}
    before = question_key(loaded, model)
    seen.write_text(seen.read_text(encoding="utf-8") + "G;0,23\n", encoding="utf-8")
    assert question_key(load_config(config), model) != before
