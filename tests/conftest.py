"""Shared by all tests: hypothesis is derandomised, so a failure seen once is seen by everybody."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "trajplan", derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("trajplan")
