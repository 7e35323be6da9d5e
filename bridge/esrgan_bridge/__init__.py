"""Other runtimes: from PyTorch to ONNX, TensorFlow and TensorFlow.js."""
