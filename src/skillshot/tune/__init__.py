"""Weights of the score that a language model's feedback on the bank's own rows supports."""
