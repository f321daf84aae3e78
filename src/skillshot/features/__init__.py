"""Lexical features of texts; reading them needs only numpy."""
