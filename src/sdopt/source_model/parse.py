"""Model file -> PySD's abstract model, with every silent failure of the parser turned into an error.

PySD evaluates the numbers of a lookup's range as Python, and skips what it cannot parse at the end of a
file; both are checked here before and after it reads.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sdopt.errors import Complaints, ModelError

with warnings.catch_warnings():
    # PySD imports a part of chardet that moved; nothing a user can mend.
    warnings.filterwarnings("ignore", message="chardet", category=DeprecationWarning)
    from pysd.translators.structures import abstract_expressions as pysd_tree

__all__ = ["ParsedModel", "canonical", "parse_model", "pysd_tree", "unquoted"]

VENSIM = (".mdl",)
XMILE = (".xmile", ".stmx", ".xml")
NOT_READ_IN_XMILE = ("module", "macro", "conveyor", "queue", "oven", "init_eqn")

_RANGE = re.compile(r"\(\s*\[([^\]]*)\]")
_RANGE_CONTENT = re.compile(r"[\d\s().,+\-eE]*")


@dataclass(frozen=True)
class ParsedModel:
    """What PySD's parser made of a file.

    `abstract` is a `pysd` AbstractModel; `equations` holds the text of each equation by key;
    `sha256` is of the file's bytes, line ends as on Linux.
    """

    abstract: Any
    equations: dict[str, str]
    sha256: str


def canonical(name: str) -> str:
    """The key of a name as written: lower case, underscores, without quotes around it."""
    return re.sub(r"[\s_]+", "_", unquoted(name).lower())


def unquoted(name: str) -> str:
    """A name as written, without the quotes Vensim puts around special characters."""
    name = name.strip()
    return name[1:-1].strip() if len(name) > 2 and name[0] == name[-1] == '"' else name


def parse_model(path: Path) -> ParsedModel:
    """Parse a model file.

    Raises
    ------
    ModelError
        If the file is missing, not a model file, not readable as text, or has a syntax error.
    """
    content = _bytes(path)
    with warnings.catch_warnings():
        # The parser's warnings: reality checks are skipped (they change no value), and subscript
        # mappings work in part (subscripts are refused by `translate`).
        warnings.filterwarnings("ignore", message="':(CONSTRAINT|TEST INPUT):' detected")
        warnings.filterwarnings("ignore", message="\\s*Subscript mapping detected")
        parse = _parse_vensim if path.suffix.lower() in VENSIM else _parse_xmile
        abstract, equations = parse(path, content)
    return ParsedModel(abstract, equations, hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest())


def _bytes(path: Path) -> bytes:
    if path.suffix.lower() not in VENSIM + XMILE:
        raise ModelError(f"{path}: a model file ends in {', '.join(VENSIM + XMILE)}.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from None


def _encoding(path: Path, content: bytes) -> str:
    """The encoding a Vensim file states in its first line, UTF-8 when it states none."""
    stated = re.match(rb"(?:\xef\xbb\xbf)?\s*\{([^}]*)\}", content)
    encoding = stated.group(1).decode("ascii", "replace").strip() if stated else "utf-8"
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        content.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: is not text in the encoding it states, or UTF-8 ({error}).") from None
    return encoding


def _parse_vensim(path: Path, content: bytes) -> tuple[Any, dict[str, str]]:
    from pysd.translators.vensim.vensim_file import VensimFile

    file = VensimFile(path, encoding=_encoding(path, content))
    try:
        file.parse(parse_all=False)
    except Exception as error:
        raise ModelError(f"{path}: is not a Vensim model ({_one_line(error)}).") from None
    for section in file.sections:
        _check_section(path, section)
    complaints = Complaints(str(path), ModelError)
    try:
        file.parse()
    except Exception as error:
        for name, equation, reason in _unparsable(file):
            complaints.add(f'variable "{name}"', f"cannot read {equation}  ({reason})")
        if not complaints.items:
            complaints.add("", f"cannot be parsed ({_one_line(error)})")
    complaints.raise_if_any()
    components = [c for section in file.sections for c in section.components]
    return file.get_abstract_model(), {canonical(c.name): c.expression or "" for c in components}


def _check_section(path: Path, section: Any) -> None:
    """Refuse text the parser would skip, and lookup ranges that are not numbers."""
    from pysd.translators.vensim.vensim_utils import Grammar

    try:
        tree = Grammar.get("section_elements").parse(section.content)
    except Exception as error:
        raise ModelError(f"{path}: is not a Vensim model ({_one_line(error)}).") from None
    skipped = tree.children[-1].text.strip()
    if skipped and not re.match(r"\\+---///", skipped):  # what follows that mark is the sketch
        raise ModelError(f'{path}: cannot read from here on: "{skipped[:80]}". Is a ~ or | missing?')
    section.parse(parse_all=False)
    for element in section.elements:
        for found in _RANGE.findall(element.equation.replace("\\", " ")):
            if not _RANGE_CONTENT.fullmatch(found):
                raise ModelError(
                    f"{path}: in {element.equation[:80]}: a lookup range holds numbers only, not {found}."
                )


def _unparsable(file: Any) -> Iterator[tuple[str, str, str]]:
    """Name, equation and reason of every equation that does not parse by itself."""
    for section in file.sections:
        section.parse(parse_all=False)
        for element in section.elements:
            name, _, equation = element.equation.partition("=")
            try:
                component = element.parse()
                if hasattr(component, "parse"):
                    component.parse()
            except Exception as error:
                yield unquoted(name), f"= {equation.strip()}", _one_line(error)


def _parse_xmile(path: Path, content: bytes) -> tuple[Any, dict[str, str]]:
    from pysd.translators.xmile.xmile_file import XmileFile

    equations = _check_xmile(path, content)
    try:
        file = XmileFile(path)
        file.parse()
        return file.get_abstract_model(), equations
    except Exception as error:
        raise ModelError(f"{path}: an equation cannot be parsed ({_one_line(error)}).") from None


def _check_xmile(path: Path, content: bytes) -> dict[str, str]:
    """Refuse what PySD's XMILE reader would mend or skip without a word; the equation texts by key."""
    from lxml import etree

    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ModelError(f"{path}: a model file holds no document type definition; remove it.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(content, parser)
    # Stella writes prefixes it does not declare; those are harmless.
    errors = [entry for entry in parser.error_log if entry.type_name != "NS_ERR_UNDEFINED_NAMESPACE"]
    if errors or root is None:
        raise ModelError(f"{path}: is not valid XML ({errors[0].message if errors else 'empty'}).")
    if (
        root.nsmap.get(None) is None
        or root.find("{*}model/{*}variables") is None
        or root.find("{*}sim_specs") is None
    ):
        raise ModelError(f"{path}: is not an XMILE model (no model with variables, or no sim_specs).")
    for tag in NOT_READ_IN_XMILE:
        if root.find(f".//{{*}}{tag}") is not None:
            raise ModelError(f"{path}: <{tag}> is not supported.")
    if len(root.findall("{*}model")) > 1:
        raise ModelError(f"{path}: holds more than one <model>; only one is supported.")
    named = [node for node in root.iterfind("{*}model/{*}variables/*") if "name" in node.attrib]
    return {
        canonical(node.attrib["name"].replace("\\n", " ")): node.findtext("{*}eqn") or "" for node in named
    }


def _one_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
