"""Grading one path that a person has drawn or moved, by the same code as the planner's own: live while dragging."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import InputError
from trajplan.geometry import Capsule, Volume
from trajplan.geometry.arrays import FloatArray, unit
from trajplan.geometry.surface import inside
from trajplan.planning.check_settings import check_settings
from trajplan.planning.evaluate import path_clearance, required_margin
from trajplan.planning.grade import MaskDoubt, grade, with_room
from trajplan.planning.plan import PlanSettings, Refusal, SafetyMap, Trajectory
from trajplan.planning.routes import Route
from trajplan.planning.workbench import Bench, Workbench

_SHORTEST_MM = 5.0

LIVE_SAMPLES = 1000


class Editor:
    """Grades paths of one route. Making it takes as long as half a plan; each `grade` some milliseconds.

    While a handle is dragged the chance of a breach is that of `LIVE_SAMPLES` draws and no balloon is fitted;
    ``grade(..., live=False)`` says all that a plan says. The safety map is made once, and not at all where that of a
    path planned on the same route with the same settings is given as `safety`.

    Raises
    ------
    AnatomyError
        ``no_canal``, ``no_pedicle``: without them nothing can be graded.
    """

    def __init__(
        self,
        ct: Volume,
        vertebra: Vertebra,
        settings: PlanSettings,
        route: Route,
        doubt: MaskDoubt,
        safety: SafetyMap | None = None,
    ) -> None:
        check_settings(settings)
        self._ct, self._vertebra, self._settings, self._route, self._doubt = ct, vertebra, settings, route, doubt
        self._safety = safety
        self._bench: Bench = Workbench(vertebra, ct).bench(route.side, route.beside)

    def grade(self, entry_lps: ArrayLike, target_lps: ArrayLike, live: bool = True) -> Trajectory | Refusal:
        """The trajectory from an entry on the bone to a target, with verdict and every figure.

        A path that breaks a margin is not refused here but graded ``unsafe``, saying which wall and by how much.

        Raises
        ------
        InputError
            ``target_outside_body``, ``entry_in_canal``, ``path_too_short``, ``point_invalid``.
        """
        entry, target = _point(entry_lps, "entry"), _point(target_lps, "target")
        self._require(entry, target)
        path = Capsule(entry, target, self._settings.instrument.radius_mm)
        clearance = path_clearance(self._bench.field, path)
        samples = LIVE_SAMPLES if live else self._settings.breach_samples
        settings = dataclasses.replace(self._settings, breach_samples=samples)
        graded = grade(
            self._ct, self._vertebra, settings, self._route, self._bench, path, clearance, self._doubt,
            required_margin(settings),
        )  # fmt: skip
        if live or isinstance(graded, Refusal):
            return graded
        whole = with_room(graded, self._vertebra, settings, self._bench, self._safety)
        self._safety = whole.safety
        return whole

    def _require(self, entry: FloatArray, target: FloatArray) -> None:
        field = self._bench.field
        length = float(np.linalg.norm(target - entry))
        if length < _SHORTEST_MM:
            raise InputError(
                f"entry and target are {length:.1f} mm apart; a path needs {_SHORTEST_MM:.0f} mm", code="path_too_short"
            )
        if not field.in_bone(target):
            away = float(field.any_surface.signed(target, True))
            raise InputError(
                f"the target lies outside the bone of this vertebra, {max(away, 0.0):.1f} mm from it: move it into the "
                "body",
                code="target_outside_body",
                numbers={"away_mm": max(away, 0.0)},
            )
        if inside(field.canal_field, field.grid, entry):
            raise InputError(
                "the entry lies in the spinal canal: move it to the dorsal surface of the bone", code="entry_in_canal"
            )


def docked(entry_lps: ArrayLike, target_lps: ArrayLike, editor: Editor) -> FloatArray:
    """The entry moved along its path to where the needle meets bone, LPS mm: what a dragged handle snaps to."""
    entry, target = _point(entry_lps, "entry"), _point(target_lps, "target")
    field = editor._bench.field
    along = unit(target - entry)
    steps = np.arange(-20.0, float(np.linalg.norm(target - entry)), 0.25)
    found = field.in_bone(entry + steps[:, None] * along)
    return np.asarray(entry + steps[int(np.argmax(found))] * along) if found.any() else entry


def _point(point_lps: ArrayLike, name: str) -> FloatArray:
    point = np.asarray(point_lps, dtype=np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"the {name} needs three finite numbers, LPS mm", code="point_invalid")
    return point
