"""Folders of converted networks: written whole, checked, replaced."""
