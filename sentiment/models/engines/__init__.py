"""Runs a transformer: on OpenVINO in batches, or on ONNX Runtime text by text."""
