"""Augmentation: instruments, balloon, height, cement and candidacy facts of planned paths. See docs/augmentation.md."""
