"""Floor 3: C-arm geometry, projectors, tools in the beam, standard views. No planning logic."""
