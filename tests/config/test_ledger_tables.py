"""A ledger, perspectives and conventions as people save them; every fault with its row."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdopt.config.ledger import LedgerRow, PerspectiveRow, read_ledger, read_perspectives
from sdopt.config.valuation import MethodRow, read_valuation
from sdopt.errors import Complaints, ConfigError

LEDGER = "effect,variable,gemeente,Rijk,inwoners,cash,kind,note\n"
PERSPECTIVES = "perspective,pockets,cash only,variable,note\n"
VALUATION = "convention,method,default,constant,value,unit,source,status,note\n"
POCKETS = ("gemeente", "Rijk", "inwoners")


def write(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode("utf-8"))
    return path


def ledger(folder: Path, text: str) -> tuple[LedgerRow, ...]:
    complaints = Complaints("table.csv", ConfigError)
    rows = read_ledger(write(folder, text), complaints)
    complaints.raise_if_any()
    return rows


def perspectives(folder: Path, text: str) -> tuple[PerspectiveRow, ...]:
    complaints = Complaints("table.csv", ConfigError)
    rows = read_perspectives(write(folder, text), POCKETS, complaints)
    complaints.raise_if_any()
    return rows


def valuation(folder: Path, text: str) -> tuple[MethodRow, ...]:
    return read_valuation(write(folder, text))


def announced(refused: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [line.removeprefix("  * ") for line in str(refused.value).splitlines()[1:]]


def test_a_ledger(tmp_path: Path) -> None:
    rows = ledger(tmp_path, LEDGER + 'Care,care,-1,0,0,yes,effect,"a, b"\nGrant,grant,1,-1,0,Yes,Transfer,\n')
    assert rows == (
        LedgerRow(
            2, "Care", "care", {"gemeente": -1.0, "Rijk": 0.0, "inwoners": 0.0}, True, "effect", "a, b"
        ),
        LedgerRow(
            3, "Grant", "grant", {"gemeente": 1.0, "Rijk": -1.0, "inwoners": 0.0}, True, "transfer", ""
        ),
    )


def test_a_ledger_as_dutch_spreadsheets_save_it(tmp_path: Path) -> None:
    text = LEDGER + "Care,care,-0.25,0,0.5,no,effect,\n"
    dutch = "\ufeff" + text.replace(",", ";").replace(".", ",").replace("\n", "\r\n")
    assert ledger(tmp_path, dutch) == ledger(tmp_path, text)


def test_a_ledger_with_any_pockets_and_names_for_readers(tmp_path: Path) -> None:
    text = "nl,effect,variable,rest of the world,cash,kind,note,who\nZorg,Care,care,-1,no,effect,,me\n"
    (row,) = ledger(tmp_path, text)
    assert (row.weights, row.labels) == ({"rest of the world": -1.0}, {"nl": "Zorg"})


def test_an_end_value_may_go_to_no_pocket(tmp_path: Path) -> None:
    (row,) = ledger(tmp_path, LEDGER + "Left,left,0,0,0,no,end value,\n")
    assert (row.kind, set(row.weights.values())) == ("end value", {0.0})


@given(
    weights=st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    balance=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_transfer_is_read_when_and_only_when_its_weights_sum_to_zero(
    tmp_path: Path, weights: list[float], balance: bool
) -> None:
    if balance:
        weights = [weights[0], -weights[0], 0.0]
    row = LEDGER + f"T,t,{weights[0]!r},{weights[1]!r},{weights[2]!r},yes,transfer,\n"
    if abs(sum(weights)) <= 1e-9 and any(weights):
        assert list(ledger(tmp_path, row)[0].weights.values()) == weights
    else:
        with pytest.raises(ConfigError, match=r"row 2: (a transfer only moves money|counts for no pocket)"):
            ledger(tmp_path, row)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("Care,care,x,0,0,yes,effect,", 'row 2, gemeente: expected a number, found "x": write one'),
        ("Care,care,,0,1,yes,effect,", "row 2, gemeente: expected a number, found nothing: write one"),
        (
            'Care,care,"0,5",0,0,yes,effect,',
            'row 2, gemeente: expected a number, found "0,5"; this table has',
        ),
        ("Care,care,-1,0,0,ja,effect,", 'row 2, cash: found "ja". Allowed: yes, no'),
        (
            "Care,care,-1,0,0,yes,efect,",
            'row 2, kind: found "efect". Did you mean "effect"? Allowed: effect, transfer, end value',
        ),
        (",care,-1,0,0,yes,effect,", "row 2, effect: empty; fill it in"),
        ("Care,,-1,0,0,yes,effect,", "row 2, variable: empty; fill it in"),
        ("Care,care,0,0,0,yes,effect,", "row 2: counts for no pocket; give one a weight, or remove the row"),
        (
            "Grant,grant,1,-0.5,0,yes,transfer,",
            "row 2: a transfer only moves money, so its weights sum to 0; these sum to 0.5: mend them, or "
            "make the kind effect",
        ),
        ("Care,care,-1,0,0,yes,effect", "row 2: 7 cells where the first row has 8; put text that contains"),
        (
            "A,a,1,0,0,yes,effect,\na,b,1,0,0,yes,effect,",
            'row 3: "a" is on row 2 already; keep one of the two',
        ),
    ],
)
def test_a_faulty_ledger(tmp_path: Path, row: str, expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ledger(tmp_path, LEDGER + row + "\n")
    assert [line[: len(expected)] for line in announced(refused)] == [expected]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "effect,variable,gemeente,cash,note",
            "column kind: missing. Needed: effect, variable, cash, kind, note",
        ),
        (
            "effect,variable,gemeente,cas,kind,note",
            'column cash: missing. Did you mean "cas"? Needed: effect',
        ),
        ("effect,variable,A,A,cash,kind,note", "column A: given twice."),
        ("effect,variable,cash,kind,note", "columns: there is no pocket; put a column per pocket between"),
        ("effect,cash,a,variable,kind,note", "columns: there is no pocket; put a column per pocket between"),
        ("effect,variable,all,cash,kind,note", 'column "all": not a name for a pocket; choose another'),
        ("effect,variable,gemeente,kind,cash,note", 'column "kind": not a name for a pocket; choose another'),
        ("effect,variable,,cash,kind,note", 'column "": not a name for a pocket; choose another'),
    ],
)
def test_faulty_columns_of_a_ledger(tmp_path: Path, header: str, expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ledger(tmp_path, header + "\n")
    assert [line[: len(expected)] for line in announced(refused)] == [expected]


def test_all_faults_of_a_ledger_at_once(tmp_path: Path) -> None:
    rows = "A,a,x,0,0,maybe,effect,\nB,b,0,0,0,yes,effect,\nC,c,1,0,0,yes,transfer,\nA,d,1,0,0,no,effect,\n"
    with pytest.raises(ConfigError) as refused:
        ledger(tmp_path, LEDGER + rows)
    assert [line.split(":")[0] for line in announced(refused)] == [
        "row 2, gemeente", "row 2, cash", "row 3", "row 4", "row 5",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", LEDGER])
def test_an_empty_ledger(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"column effect: missing|has no rows; add one per money flow"):
        ledger(tmp_path, text)


def test_perspectives(tmp_path: Path) -> None:
    rows = perspectives(tmp_path, PERSPECTIVES + "G,rijk;  gemeente,yes,result,n\nM,All,no,,\n")
    assert rows == (
        PerspectiveRow(2, "G", ("gemeente", "Rijk"), True, "result", "n"),
        PerspectiveRow(3, "M", POCKETS, False, "", ""),
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "G,gemeent,yes,,",
            'row 2, pockets: the ledger has no pocket "gemeent". Did you mean "gemeente"? '
            "Allowed: all; gemeente; Rijk; inwoners",
        ),
        ("G,,yes,,", "row 2, pockets: empty; write pockets with semicolons between them, or all"),
        ("G,all,true,,", 'row 2, cash only: found "true". Allowed: yes, no'),
        (",all,yes,,", "row 2, perspective: empty; fill it in"),
        ("G,all,yes,,\nG,all,no,,", 'row 3: "G" is on row 2 already; keep one of the two'),
        ("", "has no rows; add one per perspective"),
    ],
)
def test_faulty_perspectives(tmp_path: Path, row: str, expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        perspectives(tmp_path, PERSPECTIVES + row + "\n")
    assert announced(refused) == [expected]


QALY = (
    "QALY,low,no,value of a QALY,50000,EUR/QALY,H17,memory,\n"
    "QALY,high,yes,value of a QALY,80000,EUR/QALY,H17,read,n\n"
)


def test_a_valuation(tmp_path: Path) -> None:
    rows = valuation(tmp_path, VALUATION + "price level,2024,yes,,2024,Year,,judgement,\n" + QALY)
    assert rows[0] == MethodRow(2, "price level", "2024", True, "", 2024.0, "Year", "", "judgement", "")
    assert rows[2] == MethodRow(
        4, "QALY", "high", True, "value of a QALY", 80000.0, "EUR/QALY", "H17", "read", "n", 50000.0, 80000.0
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("QALY,low,yes,q,x,EUR,H17,read,", 'row 2, value: expected a number, found "x": write one'),
        (
            "QALY,low,yes,q,,EUR,H17,read,",
            "row 2, value: expected a number, found nothing: write one",
        ),
        ("QALY,low,perhaps,q,1,EUR,H17,read,", 'row 2, default: found "perhaps". Allowed: yes, no'),
        (
            "QALY,low,yes,q,1,EUR,H17,red,",
            'row 2, status: found "red". Did you mean "read"? Allowed: read, derived',
        ),
        (
            "QALY,low,yes,q,1,EUR,,read,",
            "row 2, source: empty; name the source, or make the status judgement",
        ),
        (",low,yes,q,1,EUR,H17,read,", "row 2, convention: empty; fill it in"),
        ("QALY,,yes,q,1,EUR,H17,read,", "row 2, method: empty; fill it in"),
        (
            "QALY,low,no,q,1,EUR,H17,read,",
            'convention "QALY": needs one method with default yes (on all its rows), found 0',
        ),
        (
            "QALY,low,yes,q,1,EUR,H17,read,\nQALY,high,yes,q,2,EUR,H17,read,",
            'convention "QALY": needs one method with default yes (on all its rows), found 2',
        ),
        (
            "QALY,low,yes,q,1,EUR,H17,read,\nQALY,low,yes,Q,2,EUR,H17,read,",
            'convention "QALY": method "low" sets a constant twice; keep one row',
        ),
        (
            "QALY,low,yes,q,1,EUR,H17,read,\nQALY,high,no,p,2,EUR,H17,read,",
            'convention "QALY": methods "low" and "high" set different constants; every method of a',
        ),
        (
            "QALY,low,yes,q,1,EUR,H17,read,\nlife,low,yes,q,2,EUR,H17,read,",
            'row 3: "q" is set by convention "QALY" already; keep one of the two',
        ),
    ],
)
def test_a_faulty_valuation(tmp_path: Path, rows: str, expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        valuation(tmp_path, VALUATION + rows + "\n")
    assert any(line.startswith(expected) for line in announced(refused))
