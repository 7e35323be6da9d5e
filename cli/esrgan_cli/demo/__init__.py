"""The demo page on this machine."""
