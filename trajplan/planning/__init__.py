"""Floor 3: instruments, corridor search, clearance, grades, breach chance, refusals. No pixels."""
