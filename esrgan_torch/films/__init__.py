"""Films: read, enlarged frame by frame and written, by PyAV (the extra `video`)."""
