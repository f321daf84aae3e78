"""Rationales for the rows of a bank that have none: written by a language model, checked against the gold answers."""
