"""The conditional VAE, the structure head, their baselines and training."""
