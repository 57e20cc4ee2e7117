"""Fit chosen constants of a model to observed series, and say what the data can and cannot tell."""
