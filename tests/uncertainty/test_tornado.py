"""The tornado against sums done by hand."""

import numpy as np
import pytest

from sdopt.uncertainty.sensitivity.tornado import tornado, tornado_design

NAMES = ["a", "b", "c"]
DESIGN = tornado_design(np.array([0.0, 10, -1]), np.array([1.0, 20, 0]), np.array([5.0, 25, 1]))


def test_the_design_moves_one_factor_at_a_time() -> None:
    assert DESIGN.tolist() == [
        [1, 20, 0],
        [0, 20, 0],
        [5, 20, 0],
        [1, 10, 0],
        [1, 25, 0],
        [1, 20, -1],
        [1, 20, 1],
    ]


def test_whole_numbers_do_not_cut_off_the_ends() -> None:
    assert tornado_design(np.array([0.5]), np.array([1]), np.array([1.5])).tolist() == [[1], [0.5], [1.5]]


def test_the_largest_swing_comes_first_for_every_output() -> None:
    values = np.column_stack([DESIGN @ [1.0, -2, 0], DESIGN[:, 2] ** 2])
    table = tornado(values, NAMES, ["sum", "square"])
    rows = table[["output", "factor", "central", "at_low", "at_high", "swing"]].to_numpy().tolist()
    assert rows == [
        ["sum", "b", -39, -19, -49, 30],
        ["sum", "a", -39, -40, -35, 5],
        ["sum", "c", -39, -39, -39, 0],
        ["square", "c", 0, 1, 1, 1],  # both ends on one side of the central value
        ["square", "a", 0, 0, 0, 0],
        ["square", "b", 0, 0, 0, 0],
    ]
    assert (table["reason"] == "").all()


def test_a_failed_end_is_said_and_comes_last() -> None:
    values = DESIGN @ [1.0, -2, 0]
    values[3] = np.inf
    table = tornado(values, NAMES, ["y"])
    assert list(table["factor"]) == ["a", "c", "b"]
    assert table["swing"].to_numpy() == pytest.approx([5, 0, np.nan], nan_ok=True)
    assert list(table["reason"]) == ["", "", "a run failed: the output is inf or nan"]


def test_a_failed_central_run_leaves_no_swing() -> None:
    values = DESIGN @ [1.0, -2, 0]
    values[0] = np.nan
    table = tornado(values, NAMES, ["y"])
    assert table["swing"].isna().all()
    assert (table["reason"] != "").all()


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        tornado(np.zeros(6), NAMES, ["y"])
