"""ncnn's pairs of graph and weights."""
