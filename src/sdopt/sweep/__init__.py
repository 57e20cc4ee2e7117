"""Allocations under many scenarios: all runs, on this machine or a cluster, and what follows from them."""
