"""What runs a network on a device: PyTorch's operators and what is faster."""
