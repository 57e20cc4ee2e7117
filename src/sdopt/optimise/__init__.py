"""The only room that knows Pyomo and HiGHS: from a `Problem` to the best allocation with its proof."""
