"""Enclosures: what every variable can be, for all decision vectors of a box at once."""
