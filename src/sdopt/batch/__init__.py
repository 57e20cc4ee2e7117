"""One model, many runs: a table of runs, the simulation of all, and PySD as referee of some."""
