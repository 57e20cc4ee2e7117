"""The pure core: a model as immutable data, and passes over that data (no PySD, no Pyomo, no files)."""
