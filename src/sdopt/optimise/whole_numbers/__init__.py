"""Decisions that are whole numbers: programmes that start in some year or never."""
