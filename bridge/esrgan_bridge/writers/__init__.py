"""The list of operations as TensorFlow's and TF.js's files."""
