"""Forms in a config are read as written; a period inside a decision's own period is refused."""

from pathlib import Path

import pytest
import yaml

from sdopt.config.forms import Form, Given, check_forms, first_years
from sdopt.config.load import load_config

DATA = Path(__file__).resolve().parents[1] / "data" / "forms"


def complaints(form: Form, given: Given) -> list[str]:
    found: list[str] = []
    check_forms({"form": form}, given, lambda place, message: found.append(f"{place[-1]}: {message}"))
    return found


def test_every_form_of_a_config_is_read_as_written() -> None:
    written = yaml.safe_load((DATA / "wijk_vormen.yaml").read_text(encoding="utf-8"))["forms"]
    read = load_config(DATA / "wijk_vormen.yaml").config.forms
    assert {name: form.model_dump(exclude_unset=True, mode="json") for name, form in read.items()} == written


@pytest.mark.parametrize(
    ("form", "kind", "detail"),
    [
        (Form(periods=4), "periods", "4"),
        (Form(periods=(2027, 2031)), "periods", "2027; 2031"),
        (Form(shares_of="free"), "shares_of", "free"),
        (Form(shares_of=(3.0, 3.5)), "shares_of", "3; 3.5"),
        (Form(follows={"a": "x", "b": "y", "c": "x"}), "follows", "x; y"),
    ],
)
def test_kind_and_detail_say_what_a_form_is(form: Form, kind: str, detail: str) -> None:
    assert (form.kind, form.detail) == (kind, detail)


def test_the_last_period_may_be_shorter() -> None:
    assert first_years(4, 2027, 2032) == (2027, 2031)


def test_a_period_may_not_begin_inside_a_decisions_own_period() -> None:
    given = Given(2027, 2032, {"slow": 2, "fast": 1}, (), ())
    assert not complaints(Form(periods=(2027, 2031)), given)
    assert "inside a period of 2 years of decision slow" in complaints(Form(periods=3), given)[0]
    assert "decision slow needs a period of 1" in complaints(Form(shares_of="null_alternative"), given)[0]


def test_the_shipped_question_with_forms_is_that_without_them() -> None:
    folder = Path(__file__).resolve().parents[2] / "configs"
    plain, forms = (
        load_config(folder / f"{name}.yaml").config for name in ("herverdelen-100k", "vormen-100k")
    )
    assert len(forms.forms) >= 3
    assert forms.model_copy(update={"forms": {}, "title": plain.title}) == plain
