"""Floor 2: canal, column, segmentation, parts, frame, heights. Knows no instruments."""
