"""Parametric spine phantoms with exact truth. Imports trajplan.geometry only."""
