"""Pictures in folders, for training and evaluation alike: found, paired by name, brought to RGB."""
