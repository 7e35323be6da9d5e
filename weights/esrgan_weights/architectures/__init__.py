"""How files hold each network: names of its tensors, its sizes from their shapes, its ncnn graph."""
