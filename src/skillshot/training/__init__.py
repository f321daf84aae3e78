"""Fit the models of a bank: the skill CVAE, the structure head, the baselines, their diagnostics and pictures."""
