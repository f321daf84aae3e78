"""MLflow, the gate, verification and promotion."""
