"""ONNX to a list of NHWC operations."""
