"""Floor 1: bytes to a checked Volume. No segmentation."""
