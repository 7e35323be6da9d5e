"""Rows, clocks and cases: what every measurement stands on."""
