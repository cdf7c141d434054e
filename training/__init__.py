"""Training of the networks that trajplan ships; not part of the package."""
