"""The text of the config of ten neighbourhoods: the municipality's, with decisions per neighbourhood."""

from __future__ import annotations

import re
import textwrap

CONFIG = "herverdelen-100k.yaml"
TITLE = "Tien wijken van één gemeente, verdelen binnen het budget van nu 2027-2030"
LEFT_OUT = "    earmarked grant (GALA): {}\n"
"""A rule about the spending of the whole municipality on what is decided per neighbourhood here."""
FLOOR = r"  Totaal niet lager dan nu:\n(?:    [^\n]+\n)+"
"""Left out: money may stay unspent, so that a total equal to today's to the last digit decides nothing."""
TOTALS = "all {}"
TIED = "\x00"
"""A blank at which no line is broken."""
DECISION = re.compile(
    r"  ([^:\n]+):\n    variable: ([^\n]+)\n    bounds: \[([\d.]+), ([\d.]+)\]\n((?:    [^\n]+\n)+)"
)
SEARCH = "search:\n  gap: 0.001   # 0.1 % of the improvement\n\n"
ABOUT = f"""# Written by models/write_neighbourhoods.py from {CONFIG}: the same municipality in ten
# neighbourhoods. Which neighbourhood gets how much prevention, social base and access? The total may be
# lower. The rest is decided for the whole municipality. The neighbourhoods are illustrative:
# models/wijken.csv says how they differ; together they are the municipality of models/social_domain.csv.
# Money is in million EUR at 2024 prices.
"""


def config(text: str, today: dict[str, float], local: set[str], totals: list[str]) -> str:
    """The config with neighbourhoods.

    `today`: constant, an element per neighbourhood -> its value; `local`: names of what differs per
    neighbourhood; `totals`: those of which the municipality's total is shown instead.
    """
    first, body = text.splitlines()[0], text[text.index("schema_version") :]
    decided: dict[str, list[str]] = {}

    def place(match: re.Match[str]) -> str:
        if match[2] not in local:
            decided[match[1]] = [match[1]]
            return match[0]
        parts = elements(match[2], today)
        decided[match[1]] = [f"{match[1]} {part}" for part in parts]
        return "".join(_decision(match, part, today) for part in parts)

    body = DECISION.sub(place, body)
    body = re.sub(r"decisions: \{([^}]*)\}", lambda match: _weights(match[1], decided), body)
    body = re.sub(r"(title: )[^\n]+", rf"\g<1>{TITLE}", body)
    body = re.sub(
        r"(file|constants): (\.\./models/social_domain)(\.mdl|\.csv)\n",
        r"\g<1>: \g<2>_wijken\g<3>\n",
        body,
        count=2,
    )
    body = body.replace("\nobjective:\n", f"\n{SEARCH}objective:\n", 1)
    for name in totals:
        body = re.sub(rf"(variables: \{{[^}}]*?)\b{name}:", rf"\g<1>{TOTALS.format(name)}:", body)
    body = re.sub(FLOOR, "", body.replace(LEFT_OUT, ""))
    return f"{first}\n{ABOUT}{_shown(body, today, local, totals)}"


def elements(name: str, today: dict[str, float]) -> list[str]:
    """The neighbourhoods of a constant."""
    return [key[len(name) + 1 : -1] for key in today if key.startswith(f"{name}[")]


def _decision(match: re.Match[str], part: str, today: dict[str, float]) -> str:
    """One decision for a neighbourhood; bounds in proportion to what is spent there."""
    name, variable = match[1], match[2]
    whole = sum(today[f"{variable}[{other}]"] for other in elements(variable, today))
    low, high = (
        f"{float(bound) * today[f'{variable}[{part}]'] / whole:.4g}" for bound in match.groups()[2:4]
    )
    changes = ", ".join(line.strip() for line in match[5].splitlines())
    return f'  {name} {part}: {{variable: "{variable}[{part}]", bounds: [{low}, {high}], {changes}}}\n'


def _weights(listed: str, decided: dict[str, list[str]]) -> str:
    """The weights of a limit between decisions, for every neighbourhood."""
    pairs = (pair.split(":") for pair in " ".join(listed.split()).split(", "))
    every = [f"{name}: {weight.strip()}" for key, weight in pairs for name in decided[key.strip()]]
    text = f"decisions: {{{', '.join(one.replace(' ', TIED) for one in every)}}}"
    return "\n      ".join(textwrap.wrap(text, 104, break_on_hyphens=False)).replace(TIED, " ")


def _shown(body: str, today: dict[str, float], local: set[str], totals: list[str]) -> str:
    """Labels and what is shown: a total where there is one, else the label of every neighbourhood."""
    lines = []
    for line in body.splitlines(keepends=True):
        found = re.fullmatch(r"(    (?:- )?)([^:\n\"]+)(: [^\n]+)?\n", line)
        name = found[2] if found else ""
        if found and name in totals:
            lines.append(f"{found[1]}{TOTALS.format(name)}{found[3] or ''}\n")
        elif found and name in local:
            lines += [
                f'{found[1]}"{name}[{part}]"{found[3]} {part}\n' for part in elements(name, today) if found[3]
            ]
        else:
            lines.append(line)
    return "".join(lines)
