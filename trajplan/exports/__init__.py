"""Floor 6: plan JSON and labels on disk. Computes nothing new."""
