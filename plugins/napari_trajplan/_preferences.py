"""File > Preferences > trajplan, as values: what a new planner begins with. Without napari's settings: the defaults."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from napari_trajplan._views import WINDOWS_HU
from trajplan.planning.execution import PRESETS, carried_out
from trajplan.planning.instruments import CATALOGUE
from trajplan.planning.plan import PlanSettings


@dataclass(frozen=True)
class Preferences:
    """What a new planner begins with. Lengths mm, angles degrees.

    `carm_primary_deg` and `carm_secondary_deg` are how far the C-arm swings to either side and tilts; views beyond
    are told as out of reach. `tour` asks for the five hints at the first start.
    """

    instrument: str = "11G"
    wall_margin_mm: float = 1.0
    execution: str = "fluoroscopy-corrected"
    window: str = "bone"
    carm_primary_deg: float = 110.0
    carm_secondary_deg: float = 45.0
    tour: bool = True

    def settings(self) -> PlanSettings:
        """The plan settings that they stand for; a name that is not there any more falls back to the default."""
        plain = PlanSettings()
        if self.execution in PRESETS:
            plain = carried_out(plain, PRESETS[self.execution])
        return dataclasses.replace(
            plain,
            instrument=CATALOGUE.get(self.instrument, plain.instrument),
            wall_margin_mm=self.wall_margin_mm,
            carm_primary_deg=self.carm_primary_deg,
            carm_secondary_deg=self.carm_secondary_deg,
        )

    @property
    def window_hu(self) -> tuple[float, float]:
        """Black and white of the CT, HU."""
        return WINDOWS_HU.get(self.window, WINDOWS_HU["bone"])


def preferences() -> Preferences:
    """As they are set now in napari."""
    stored = _stored()
    if stored is None:
        return Preferences()
    asked = {
        "instrument": stored.plan.trocar, "wall_margin_mm": stored.plan.wall_margin_mm,
        "execution": stored.plan.execution, "window": stored.display.window,
        "carm_primary_deg": stored.carm.primary_deg, "carm_secondary_deg": stored.carm.secondary_deg,
        "tour": stored.display.tour,
    }  # fmt: skip
    values = {name: getattr(value, "value", value) for name, value in asked.items()}
    return Preferences(**values)


def tour_is_over() -> None:
    """The hints were seen: they come again only when they are asked for."""
    stored = _stored()
    if stored is not None:
        stored.display.tour = False


def _stored() -> Any:
    """napari's settings of this plugin; None where it is not registered (a test, a script)."""
    from napari.settings import get_plugin_settings

    try:
        return get_plugin_settings("trajplan")
    except KeyError:
        return None
