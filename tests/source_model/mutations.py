"""Ways to spoil a model file: each takes a random generator and bytes, and gives bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

CODE = "__import__('pathlib').Path('trace').touch()"
ODD_TEXTS = (
    *(
        CODE,
        f"'+{CODE}+'",
        f'"""\n{CODE}\n"""',
        f"\\x27+{CODE}+\\x27",
        "'] or x[",
        "%(0)s",
        "{0}",
        "\\",
        "\\n",
    ),
    *("1e999", "9" * 400, "9" * 5000, "-1e308 * 10", "0/0", "nan", "inf", "007", "1_000", "٣"),
    *("½", "1..2", "1e", "((((", "))))", "[[", "]]", "(" * 300, "[" * 300, "-" * 300, "a+" * 300 + "a"),
    *("a^" * 50 + "a", "~", "|", "~~|", '"', "'", ":", "!", ",", ";", "{", "}", "=", "==", ":=", "<->", "->"),
    *("\\\\\\---///", "\u202e", "\u0000", "\ufeff", "é", "名前", "\x7f", "\x1b[31m", "\r", "\u2028", "🙂"),
    *(":NA:", ":AND:", ":NOT:", ":EXCEPT:", ":MACRO:", ":END OF MACRO:", ":RAW:", ":INTERPOLATE:"),
    *("../../etc/passwd", "C:\\x.xlsx", "http://example.org/x.csv", "?data", "x" * 5000, "e\u0301"),
    *("<a>", "&amp;", "&x;", "]]>", "A FUNCTION OF", "INTEG(1, 2)", "DELAY N(1,2,3,0)", "SUM(a)", "GAME()"),
    *("SMOOTH N(1,0,1,1e9)", "PULSE TRAIN(0,0,0,0)", "RANDOM UNIFORM(0,1,2)", "TABBED ARRAY(1 2 3)"),
    *("lookup(1)", "data(1)", "call(a, 1)", "reference(1)", "logic(1, 2)"),
)
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def flip_bytes(random: Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(random.randint(1, 6)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def truncate(random: Random, content: bytes) -> bytes:
    return content[: random.randrange(len(content))]


def drop_start(random: Random, content: bytes) -> bytes:
    return content[random.randrange(len(content)) :]


def delete_lines(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    for _ in range(random.randint(1, 3)):
        del lines[random.randrange(len(lines))]
    return b"".join(lines)


def repeat_lines(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    line = random.choice(lines)
    lines[random.randrange(len(lines)) : 0] = [line] * random.randint(1, 3)
    return b"".join(lines)


def shuffle_lines(random: Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


def _tokens(content: bytes) -> list[str]:
    return TOKEN.findall(content.decode("utf-8"))


def swap_tokens(random: Random, content: bytes) -> bytes:
    tokens = _tokens(content)
    for _ in range(random.randint(1, 4)):
        i, j = random.randrange(len(tokens)), random.randrange(len(tokens))
        tokens[i], tokens[j] = tokens[j], tokens[i]
    return "".join(tokens).encode("utf-8")


def delete_tokens(random: Random, content: bytes) -> bytes:
    tokens = _tokens(content)
    for _ in range(random.randint(1, 4)):
        del tokens[random.randrange(len(tokens))]
    return "".join(tokens).encode("utf-8")


def odd_text(random: Random, content: bytes) -> bytes:
    """Something strange instead of a word, or beside it."""
    tokens = _tokens(content)
    place = random.randrange(len(tokens))
    text = random.choice(ODD_TEXTS)
    tokens[place] = text if random.random() < 0.7 else tokens[place] + text
    return "".join(tokens).encode("utf-8")


def rename(random: Random, content: bytes) -> bytes:
    """One word becomes another everywhere: names that clash, circles, ranges within themselves."""
    words = sorted({t for t in _tokens(content) if t[0].isalpha()})
    old, new = random.choice(words), random.choice([*words, *ODD_TEXTS])
    return re.sub(rf"\b{re.escape(old)}\b", lambda _: new, content.decode("utf-8")).encode("utf-8")


def change_number(random: Random, content: bytes) -> bytes:
    text = content.decode("utf-8")
    places = list(re.finditer(r"\d+(\.\d+)?", text))
    place = random.choice(places)
    new = random.choice(["0", "-1", "1e-300", "1e300", "1e999", "0.3", "1000000", "9" * 400, "", "x", "1/0"])
    return (text[: place.start()] + new + text[place.end() :]).encode("utf-8")


def recode(random: Random, content: bytes) -> bytes:
    encoding = random.choice(["latin-1", "utf-16", "utf-16-le", "utf-32", "cp037", "utf-7"])
    return content.decode("utf-8").encode(encoding, "replace")


def state_encoding(random: Random, content: bytes) -> bytes:
    stated = random.choice(
        [b"latin-1", b"utf-16", b"rot13", b"zlib", b"hex", b"idna", b"unknown", b"", b"\xff"]
    )
    return content.replace(b"UTF-8", stated).replace(b"utf-8", stated)


def line_ends(random: Random, content: bytes) -> bytes:
    return content.replace(b"\n", random.choice([b"\r\n", b"\r", b"\n\n", b"\n\r", b" ", b""]))


def splice(random: Random, content: bytes) -> bytes:
    """A piece of the file in another place of it."""
    start = random.randrange(len(content))
    piece = content[start : start + random.randint(1, 200)]
    place = random.randrange(len(content))
    return content[:place] + piece + content[place:]


MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(
        flip_bytes,
        truncate,
        drop_start,
        delete_lines,
        repeat_lines,
        shuffle_lines,
        swap_tokens,
        delete_tokens,
    ),
    *(odd_text, odd_text, odd_text, odd_text, rename, rename, change_number, change_number),
    *(recode, state_encoding, line_ends, splice),
)


def mutant(seed: int, content: bytes) -> bytes:
    """The mutant of that number: one to three mutations; some need UTF-8, so those come first."""
    random = Random(seed)  # noqa: S311 - spoils files, keeps no secrets
    for _ in range(random.randint(1, 3)):
        try:
            content = random.choice(MUTATIONS)(random, content) or b" "
        except (UnicodeDecodeError, IndexError, ValueError):
            break  # an earlier mutation left nothing this one can work on
    return content
