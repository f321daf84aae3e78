"""What every package may use: errors, environment, params, records, files, array types."""
