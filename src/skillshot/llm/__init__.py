"""Language models behind one small interface, and the cache of their answers."""
