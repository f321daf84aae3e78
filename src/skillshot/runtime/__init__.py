"""What production imports: numpy, onnxruntime and tokenizers, nothing else."""

import os

# before onnxruntime is imported: it would store a device id in the home folder and look up its collector's name
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
