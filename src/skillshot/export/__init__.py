"""From torch to ONNX, with canonical bytes."""
