"""Settings of balloon and cement that cannot be meant are refused."""

from __future__ import annotations

import math

from trajplan.augmentation.settings import AugmentationSettings
from trajplan.errors import InputError

_RANGES = {
    "step_ml": (0.1, 2.0),
    "max_volume_ml": (0.5, 10.0),
    "cannula_past_wall_mm": (0.0, 10.0),
    "drill_standoff_mm": (1.0, 15.0),
    "contact_mm": (0.0, 5.0),
    "interdigitation_mm": (0.0, 5.0),
}


def check_augmentation(settings: AugmentationSettings) -> None:
    """Refuse a number out of range.

    Raises
    ------
    InputError
        ``settings_invalid``; the message names the setting and its range.
    """
    for name, (low, high) in _RANGES.items():
        value = getattr(settings, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise InputError(
                f"{name} is {value:g}; use {low:g} to {high:g}",
                code="settings_invalid",
                numbers={name: float(value)},
            )
