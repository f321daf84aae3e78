"""The version of this package, where code that a stage runs may read it."""

__version__ = "0.1.0"
