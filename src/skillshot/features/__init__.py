"""Lexical views of texts, read with numpy alone."""
