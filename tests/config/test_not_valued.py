"""A table of effects without an amount as people save it; every fault with its row."""

import csv
from pathlib import Path

import pytest

from sdopt.config.ledger import read_ledger
from sdopt.config.load import load_config
from sdopt.config.not_valued import NotValued, read_not_valued
from sdopt.errors import Complaints, ConfigError

ROOT = Path(__file__).resolve().parents[2]
HEAD = "effect,pocket,direction,source,status,note,nl,note nl\n"
POCKETS, VALUED = ("gemeente", "Inwoners"), ("Health",)


def read(folder: Path, text: str, language: str = "en") -> tuple[NotValued, ...]:
    path = folder / "pm.csv"
    path.write_text(text, encoding="utf-8")
    return read_not_valued(path, POCKETS, VALUED, language)


def test_rows_in_the_language_of_the_result(tmp_path: Path) -> None:
    text = (
        HEAD
        + "Trust,inwoners,Either,,judgement,Nobody knows.,Vertrouwen,Niemand weet het.\n"
        + "Quiet,gemeente,gain,K1,read,Less noise.,,\n"
    )
    quiet = NotValued("Quiet", "gemeente", "gain", "K1", "read", "Less noise.")
    assert read(tmp_path, text) == (
        NotValued("Trust", "Inwoners", "either", "", "judgement", "Nobody knows."),
        quiet,
    )
    dutch = NotValued("Vertrouwen", "Inwoners", "either", "", "judgement", "Niemand weet het.")
    assert read(tmp_path, text, "nl") == (dutch, quiet)


def test_the_dutch_columns_may_be_left_out(tmp_path: Path) -> None:
    text = "effect;pocket;direction;source;status;note\nRust;gemeente;gain;K1;read;Minder lawaai.\n"
    assert read(tmp_path, text, "nl")[0].effect == "Rust"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",gemeente,gain,K1,read,a,,", "row 2, effect: empty; fill it in"),
        ("Quiet,gemeente,gain,K1,read,,,", "row 2, note: empty; fill it in"),
        ("Quiet,Rijk,gain,K1,read,a,,", 'row 2, pocket: found "Rijk". Allowed: gemeente, inwoners'),
        ("Quiet,gemeente,more,K1,read,a,,", 'row 2, direction: found "more". Allowed: gain, loss, either'),
        ("Quiet,gemeente,gain,K1,heard,a,,", 'row 2, status: found "heard".'),
        (
            "Quiet,gemeente,gain,,read,a,,",
            "row 2, source: empty; name the source, or make the status judgement",
        ),
        (
            "health,gemeente,gain,K1,read,a,,",
            'row 2, effect: "health" is valued in the ledger already; keep one',
        ),
    ],
)
def test_every_fault_has_its_row(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, HEAD + row + "\n")
    assert said in str(refused.value)


def test_all_faults_come_at_once_and_a_double_row_is_one(tmp_path: Path) -> None:
    text = HEAD + "Quiet,gemeente,gain,K1,read,a,,\nquiet,gemeente,more,K1,read,a,,\n"
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    assert 'row 3, effect: "quiet" is on row 2 already; keep one of the two' in str(refused.value)
    assert 'row 3, direction: found "more"' in str(refused.value)


def test_the_table_beside_the_ledger_is_found_or_named_or_refused(tmp_path: Path) -> None:
    config = load_config(ROOT / "configs" / "voorbeeld-100k.yaml").config
    assert config.ledger is not None
    assert config.ledger.not_valued_file == ROOT / "models" / "not_valued.csv"

    def of(**more: Path | None) -> Path | None:
        ledger = config.ledger.model_copy(update={"not_valued": "default", **more})  # type: ignore[union-attr]
        return ledger.with_paths(lambda path: tmp_path / path.name).not_valued_file

    assert of() is None
    assert of(not_valued=Path("own.csv")) == tmp_path / "own.csv"
    assert of(not_valued=None) is None
    (tmp_path / "not_valued.csv").write_text("", encoding="utf-8")
    assert of() == tmp_path / "not_valued.csv"
    assert of(not_valued=None) is None


def test_the_shipped_table_fits_its_ledger_and_its_sources_are_known() -> None:
    complaints = Complaints("ledger", ConfigError)
    ledger = read_ledger(ROOT / "models" / "social_domain.ledger.csv", complaints)
    rows = read_not_valued(
        ROOT / "models" / "not_valued.csv", tuple(ledger[0].weights), [row.effect for row in ledger], "nl"
    )
    with (ROOT / "models" / "evidence.csv").open(encoding="utf-8", newline="") as text:
        known = {row["id"] for row in csv.DictReader(text)}
    assert len(rows) >= 5
    assert all(row.source in known if row.status == "read" else not row.source for row in rows)
