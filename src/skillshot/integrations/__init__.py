"""Adapters for LangChain and DSPy."""
