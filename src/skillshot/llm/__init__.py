"""Language models behind one small interface, and the record of their answers."""
