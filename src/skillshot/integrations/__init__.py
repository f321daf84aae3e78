"""Plugs for LangChain and DSPy."""
