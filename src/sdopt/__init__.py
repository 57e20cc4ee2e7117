"""sdopt: the best budget allocation for a stock-and-flow model, with proof."""

__version__ = "0.1.0"
