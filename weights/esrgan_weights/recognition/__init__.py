"""Which network a file's tensors are, and where in the file they stand."""
