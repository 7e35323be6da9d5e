"""The networks: their layers, their sizes, and how each is cut into trunk and tail."""
