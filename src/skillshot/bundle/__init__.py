"""The bundle folder: build it, change its bank, describe it, move it."""
