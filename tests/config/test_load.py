"""A good config is read as it stands, whatever saved it; anything else gives a ConfigError."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sdopt.config.load import LoadedConfig, load_config
from sdopt.config.schema import Config, Limit
from sdopt.errors import ConfigError

GOOD: dict[str, Any] = {
    "schema_version": 1,
    "title": "Welke verdeling levert het meeste op? € 100.000",
    "model": {"file": "modèl/small model.mdl", "changes": {"effect of prevention": 0.25}},
    "horizon": {"start": 2026, "end": 2040.5, "time_step": 0.25},
    "decision_years": {"first": 2027, "last": 2030},
    "decisions": {
        "prevention": {"variable": "prevention spending", "bounds": [1, 6.5], "largest_rise": "25%"},
        "no": {"variable": "access spending", "bounds": [4, 10], "period": 2, "largest_fall": 0.5},
    },
    "constraints": {
        "Budget": {"decisions": {"prevention": 1, "no": 1}, "at_most": {"null_alternative": 1, "plus": -0.1}},
        "Bijstand": {"variables": {"people": 1}, "at_least": 0, "at_most": 900, "measure": "every_step"},
    },
    "objective": {"maximise": "return", "discount_rate": 0.03, "end_value": {"variable": "assets"}},
    "uncertainties": [{"constant": "effect", "low": 0.1, "high": 0.5}],
    "output": {"directory": "../uit", "language": "en", "show": ["people"]},
}

shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a space and an accent in its path, and the model that `GOOD` names."""
    place = tmp_path / "één map"
    (place / "modèl").mkdir(parents=True)
    (place / "modèl" / "small model.mdl").write_text("{UTF-8}", encoding="utf-8")
    return place


def load_bytes(folder: Path, content: bytes) -> LoadedConfig:
    path = folder / "vraag.yaml"
    path.write_bytes(content)
    return load_config(path)


def load_data(folder: Path, data: Any) -> LoadedConfig:
    return load_bytes(folder, yaml.safe_dump(data, allow_unicode=True, sort_keys=False).encode())


def test_values_arrive_and_paths_are_absolute(folder: Path) -> None:
    config = load_data(folder, GOOD).config
    assert config.model.file == (folder / "modèl" / "small model.mdl").resolve()
    assert config.output.directory == (folder.parent / "uit").resolve()
    assert config.decisions["prevention"].bounds == (1.0, 6.5)
    assert config.decisions["prevention"].largest_rise == "25%"
    assert config.decisions["no"].largest_fall == 0.5
    assert config.constraints["Budget"].at_most == Limit(null_alternative=1, plus=-0.1)
    assert config.model.changes == {"effect of prevention": 0.25}
    assert config.horizon.end == 2040.5


def test_a_config_written_and_read_again_is_the_same(folder: Path) -> None:
    first = load_data(folder, GOOD).config
    again = load_data(folder, json.loads(first.model_dump_json(exclude_unset=True))).config
    assert again == first


def test_line_endings_and_byte_order_mark_make_no_difference(folder: Path) -> None:
    text = yaml.safe_dump(GOOD, allow_unicode=True)
    variants = [text, text.replace("\n", "\r\n"), text.replace("\n", "\r"), "\ufeff" + text]
    loaded = [load_bytes(folder, variant.encode()) for variant in variants]
    assert len({one.sha256 for one in loaded}) == 1
    assert all(one.config == loaded[0].config for one in loaded)
    assert load_bytes(folder, (text + "# more").encode()).sha256 != loaded[0].sha256


def test_where_gives_the_line(folder: Path) -> None:
    loaded = load_bytes(folder, json.dumps(GOOD, indent=1).encode())
    line = json.dumps(GOOD, indent=1).splitlines().index('   "variable": "access spending",') + 1
    assert loaded.where("decisions", "no", "variable") == f"decisions.no.variable (line {line})"
    assert loaded.where("decisions", "no", "variable", "deeper").endswith(f"(line {line})")


def test_a_config_cannot_change(folder: Path) -> None:
    config = load_data(folder, GOOD).config
    with pytest.raises(ValueError, match="frozen"):
        config.title = "another"  # type: ignore[misc]


def test_missing_file_names_one_that_looks_like_it(folder: Path) -> None:
    load_data(folder, GOOD)
    with pytest.raises(
        ConfigError, match=r'vrag\.yaml: there is no such file\. Did you mean "vraag\.yaml"\?'
    ):
        load_config(folder / "vrag.yaml")


def test_folder_is_no_config(folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(folder)


def test_not_utf8(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"\(line 2\): not UTF-8 text; save the file as UTF-8"):
        load_bytes(folder, "title: x\n# één".encode("latin-1"))


@shared_folder
@given(
    st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda text: text.encode("utf-8", "ignore")))
)
@example(b'"\\UFFFFFFFF"')
@example(b'"\\ud800"')
@example(b"%YAML 1." + b"9" * 5000 + b"\n--- a")
@example(b"[" * 5000)
@example(b"a: " * 50)
@example(b"? a\n: b\n<<: {c: d}")
@example(b"\x00")
@example(b"9" * 5000)
@example(b"0x" + b"f" * 5000)
def test_any_text_gives_a_config_or_a_config_error(folder: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match=r"vraag\.yaml"):
        load_bytes(folder, content)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["25%", "last", "2025", "null_alternative", "", "prevention", "people", "\x00", "a" * 300]
    ),
    st.text(max_size=10),
)
KEYS = st.one_of(
    st.sampled_from(["float", "Limit", "at_most", "bound", "plus", "variables", "years", "first"]),
    st.text(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


def places(data: Any) -> list[tuple[str | int, ...]]:
    """Every place in plain data, the top excepted."""
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [(key, *rest) for key, value in entries for rest in ((), *places(value))]


@settings(shared_folder, max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from(places(GOOD)), KEYS, VALUES, st.booleans()), min_size=1, max_size=4)
)
def test_any_change_to_a_good_config_gives_a_config_or_a_config_error(
    folder: Path, changes: list[tuple[tuple[str | int, ...], str, Any, bool]]
) -> None:
    data = copy.deepcopy(GOOD)
    for place, new_key, value, replace in changes:
        inside: Any = data
        for part in place[:-1]:
            known = inside.get(part) if isinstance(inside, dict) else None
            inside = known if isinstance(known, dict) else inside
        if isinstance(inside, dict):
            inside[place[-1] if replace else new_key] = value
    try:
        config = load_data(folder, data).config
    except ConfigError as error:
        assert "vraag.yaml: " in str(error)
        assert "another value" not in str(error)  # the words for a kind of fault nobody thought of
        assert "input should" not in str(error).lower()
    else:
        assert Config.model_validate(config.model_dump()) == config
