"""Regressions planted in a copy of the pipeline: each must be stopped."""
