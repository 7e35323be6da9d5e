"""Picture files and pixels: reading, writing, metadata, colour and transparency."""
