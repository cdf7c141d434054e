"""Floor 6: figures and pages. Computes nothing new."""
