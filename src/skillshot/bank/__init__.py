"""Records of a bank: read, normalised, checked, grouped, split."""
