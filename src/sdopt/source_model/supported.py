"""What a model file may use, and what is refused and why: the reference that `sdopt functions` prints."""

from __future__ import annotations

FUNCTIONS = {
    "Arithmetic": (
        ("+  -  *  /  ^", "+  -  *  /  ^", "a ^ b ^ c is a ^ (b ^ c); -2 ^ 2 is -(2 ^ 2)"),
        ("ABS, EXP, LN, SQRT, POWER", "ABS, EXP, LN, SQRT", ""),
        ("LOG(x, base)", "", ""),
        ("SIN, COS, TAN, ARCSIN, ARCCOS, ARCTAN", "SIN, COS, TAN, ARCSIN, ARCCOS, ARCTAN", ""),
        ("SINH, COSH, TANH", "", ""),
        ("INTEGER, QUANTUM, MODULO", "INT", ""),
        ("MIN, MAX", "MIN, MAX", "XMILE: of one array too"),
        ("ZIDZ, XIDZ", "SAFEDIV", "below 1e-6 counts as zero"),
        ("PI", "PI()", ""),
    ),
    "Logic": (
        ("=  <>  <  <=  >  >=", "=  <>  <  <=  >  >=", ""),
        (":AND:  :OR:  :NOT:", "AND  OR  NOT", ":AND: and :OR: side by side need parentheses"),
        ("IF THEN ELSE", "IF ... THEN ... ELSE", ""),
    ),
    "Time": (
        (
            "Time, INITIAL TIME, FINAL TIME, TIME STEP, SAVEPER",
            "TIME",
            "the last four may depend on Time and constants",
        ),
        (
            "STEP, RAMP, PULSE, PULSE TRAIN",
            "STEP, RAMP, PULSE",
            "a pulse: start <= Time < start + width, as PySD",
        ),
        ("GET TIME VALUE", "", "measure 0, relative to now or to the start"),
    ),
    "Memory": (
        ("INTEG", "<stock>", "also <non_negative/>; Euler, or RK4 where XMILE asks for it"),
        ("INITIAL, ACTIVE INITIAL", "INIT", ""),
        ("DELAY1, DELAY1I, DELAY3, DELAY3I, DELAY N", "DELAY1, DELAY3, DELAYN", ""),
        ("DELAY FIXED", "DELAY", "the delay time must be a constant"),
        ("SMOOTH, SMOOTHI, SMOOTH3, SMOOTH3I, SMOOTH N", "SMTH1, SMTH3, SMTHN", ""),
        ("TREND, FORECAST", "TREND, FORCST", ""),
        ("SAMPLE IF TRUE", "", ""),
    ),
    "Arrays": (
        ("subscript ranges, subranges, mappings, :EXCEPT:", "dimensions", ""),
        ("SUM, PROD, VMIN, VMAX with !", "", ""),
        ("ELMCOUNT", "", ""),
        ("VECTOR SELECT", "", "an error it asks for ends the run: nan"),
        (
            "VECTOR SORT ORDER, VECTOR RANK, VECTOR REORDER",
            "",
            "over the last subscript; equal values keep their order",
        ),
    ),
    "Tables and data": (
        ("lookups, WITH LOOKUP", "<gf>", "continuous, extrapolate, discrete"),
        ("GET XLS/DIRECT CONSTANTS, DATA, LOOKUPS, SUBSCRIPT", "", "files beside the model"),
        (":INTERPOLATE:, :LOOK FORWARD:, :HOLD BACKWARD:, :RAW:", "", ""),
    ),
    "Other": (
        ("macros", "", "written out at each use"),
        ("GAME", "", "its argument"),
        (":CONSTRAINT:, :TEST INPUT:", "", "skipped: reality checks change no value"),
    ),
}
"""Per group: in Vensim, in XMILE, and what to know."""

REFUSED = (
    ("RANDOM ..., NOISE", "a run must have one answer: give an uncertain constant instead"),
    ("ALLOCATE AVAILABLE, ALLOCATE BY PRIORITY, FIND ZERO, INVERT MATRIX", "not written"),
    (":NA:", "PySD and Vensim give it different values"),
    ("data variables without values", "Vensim reads them from a .vdf file"),
    ("GET TIME VALUE with a calendar or the clock", "depends on the computer"),
    ("lookups used without an argument, LOOKUP FORWARD, LOOKUP EXTRAPOLATE, ...", "PySD has none"),
    ("(-2) ^ x, with a number", "PySD reads -(2 ^ x): write the number as a variable"),
    ("XMILE modules, macros, conveyors, queues, ovens", "PySD skips or misreads them"),
    ("XMILE methods other than Euler and RK4", "PySD runs Euler"),
    ("names, files and texts that would become Python", "PySD executes what it translates"),
)
"""What is refused at reading, by the name of variable and construct, and why."""


def supported_markdown() -> str:
    """The reference as Markdown; docs/functions.md is this text."""
    lines = [
        "# What a model may use",
        "",
        "What PySD reads of Vensim (.mdl) and XMILE (.xmile, .stmx); PySD is the referee of every result.",
        "All that is not here is refused when the model is read, by the name of variable and construct.",
    ]
    for group, rows in FUNCTIONS.items():
        lines += ["", f"## {group}", "", "| Vensim | XMILE | |", "|---|---|---|"]
        lines += [f"| {' | '.join(cell.replace('|', '') for cell in row)} |" for row in rows]
    lines += ["", "## Refused", "", "| what | why |", "|---|---|"]
    lines += [f"| {what} | {why} |" for what, why in REFUSED]
    return "\n".join(lines) + "\n"
