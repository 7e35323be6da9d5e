"""The route by the package onnx-tf, in an environment of its own."""
