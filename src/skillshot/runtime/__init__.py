"""What production imports: numpy, onnxruntime and tokenizers, nothing else."""
