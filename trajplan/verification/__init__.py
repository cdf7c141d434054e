"""Floor 4: the staged AP/lateral rules, and the independent re-check of a plan. Computes no plan."""
