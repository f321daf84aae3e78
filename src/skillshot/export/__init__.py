"""Export of the trained model from torch to ONNX, with reproducible bytes."""
