"""Write the sketch of `social_domain.mdl` from `social_domain.layout.csv`: what Vensim shows.

    python models/write_sketch.py

One view per chapter or part of one, after an overview of the chapters, and all constants at the end.
The equations stay as they are, byte for byte. A place that is missing is an error; see arrange_sketch.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

from arcs import best_arrow
from chapters import equations_part
from sketch import Note, View, Word, write
from sketch_layout import (
    CONSTANTS,
    CONTROL,
    OVERVIEW,
    Drawing,
    Layout,
    Page,
    Places,
    needed,
    read_layout,
    size,
)
from structure import Structure, read_structure

HERE = Path(__file__).parent
MODEL = HERE / "social_domain.mdl"
TABLE = HERE / "social_domain.layout.csv"
SETTINGS = ":L<%^E!@\n1:Current.vdf\n9:Current\n15:0,0,0,0,0,0\n19:100,0\n27:0,\n34:0,\n4:Time\n35:Date\n"
COLUMNS, COLUMN, ROW, EDGE = 6, 230, 44, 130


def overview(places: Places, structure: Structure) -> View:
    """The chapters as boxes; an arrow where something in one depends on something in the other."""
    view = View(OVERVIEW)
    chapter = {key: title for title, keys in structure.chapters.items() for key in keys}
    notes = {}
    for title, (x, y) in places.items():
        w, h = size(title, 18)
        notes[title] = Note(view.next_id(), title, x, y, w + 18, h + 12)
        view.items.append(notes[title])
    pairs = {
        (chapter[cause], chapter[key])
        for key in structure.variables
        for cause in structure.causes[key]
        if chapter[cause] != chapter[key]
    }
    for start, end in sorted(pair for pair in pairs if pair[0] in notes and pair[1] in notes):
        view.items.append(best_arrow(view, notes[start], notes[end]))
    return view


def constants(structure: Structure) -> View:
    """All constants in a grid, under the first chapter that uses them."""
    view, y = View(CONSTANTS), 40
    waiting = list(structure.chapters.get(CONSTANTS, ()))
    for title, users in structure.chapters.items():
        used = {cause for user in users for cause in structure.causes[user]}
        here = [key for key in waiting if key in used or title == CONTROL]
        waiting = [key for key in waiting if key not in here]
        if here:
            view.items.append(Note(view.next_id(), title, EDGE, y, 110, 12, boxed=False))
        for place, key in enumerate(here):
            row, column = divmod(place, COLUMNS)
            name = structure.variables[key].name
            half = size(name, 32)
            at = (EDGE + COLUMN * column, y + ROW * (row + 1))
            view.items.append(Word(view.next_id(), name, *at, *half))
        y += ROW * (2 + (len(here) - 1) // COLUMNS) + 16 if here else 0
    return view


def pages(layout: Layout, structure: Structure) -> list[Page]:
    """The pages between overview and constants, each complete.

    Raises
    ------
    SystemExit
        With what has no place, or a place it does not need.
    """
    found, faults = [], []
    for view, here in layout.places.items():
        if view == OVERVIEW:
            continue
        own = {key for key in here if layout.home.get(key) == view}
        wanted = own | needed(view, own, structure)
        faults += [f"{view}: {key} has no place" for key in sorted(wanted - here.keys())]
        faults += [f"{view}: {key} is not needed" for key in sorted(here.keys() - wanted)]
        found.append(Page(view, here, frozenset(own)))
    placed = {*layout.home, *structure.chapters.get(CONSTANTS, ())}
    faults += [f"{key} has no place" for key in sorted(structure.variables.keys() - placed)]
    if faults:
        sys.exit("\n".join([*faults, "Run python models/arrange_sketch.py"]))
    return found


def views(structure: Structure) -> list[View]:
    """Every view of the sketch."""
    layout = read_layout(TABLE, structure)
    drawn = [Drawing(page, structure).draw() for page in pages(layout, structure)]
    return [overview(layout.places[OVERVIEW], structure), *drawn, constants(structure)]


def main() -> None:
    """Replace the sketch."""
    with MODEL.open(encoding="utf-8", newline="") as file:
        equations = equations_part(file.read())
    text = write(views(read_structure(MODEL))) + SETTINGS
    with MODEL.open("w", encoding="utf-8", newline="") as file:
        file.write(equations + text)


if __name__ == "__main__":
    main()
