"""Faults on purpose: a short form runs with the tests; `make torture` runs for hours."""
