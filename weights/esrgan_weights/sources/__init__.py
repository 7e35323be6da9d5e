"""Where weights come from: addresses, packages, the hub, files."""
