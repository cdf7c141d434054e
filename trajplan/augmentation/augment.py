"""Augment: from planned paths to balloons, heights, cement, leak findings and the candidacy sheet of one vertebra."""

from __future__ import annotations

import math
import time

from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.augmentation import Augmentation
from trajplan.augmentation.body_block import BodyBlock, body_block
from trajplan.augmentation.check_augmentation import check_augmentation
from trajplan.augmentation.cortex_map import cortex_map
from trajplan.augmentation.criteria import candidacy_sheet
from trajplan.augmentation.fill import fill
from trajplan.augmentation.fill_volumes import cap_ml
from trajplan.augmentation.inflate import Inflated, Mount, inflate
from trajplan.augmentation.instruments_along import instruments_along
from trajplan.augmentation.leaks import leak_findings
from trajplan.augmentation.missing_height import LEAST_LOSS_MM, Missing, missing_height
from trajplan.augmentation.restoration import Restoration
from trajplan.augmentation.restore import restore
from trajplan.augmentation.sequence import InstrumentSequence
from trajplan.augmentation.settings import AugmentationSettings
from trajplan.geometry import Volume
from trajplan.planning.plan import PlanSettings, Trajectory

UPPER_BOUND = (
    "Heights are predicted with the balloons inflated, without load and with the neighbours standing still: an upper "
    "bound. Part or all of it is often lost when the balloon is deflated."
)


def augment(
    ct: Volume,
    vertebra: Vertebra,
    trajectories: tuple[Trajectory, ...],
    plan: PlanSettings,
    settings: AugmentationSettings | None = None,
) -> Augmentation:
    """Everything that follows access, for the paths of one vertebra.

    Parameters
    ----------
    ct : Volume
        Canonical CT, HU.
    trajectories : tuple of Trajectory
        One or two; both balloons are then filled together.
    plan : PlanSettings
        Of which the margins and the balloons are read.

    Raises
    ------
    InputError
        ``settings_invalid``, ``unknown_balloon``.
    AnatomyError
        ``no_wall_line``.
    """
    start = time.perf_counter()
    settings = settings or AugmentationSettings()
    check_augmentation(settings)
    block = body_block(ct, vertebra)
    sequences = tuple(instruments_along(t, vertebra, block, plan, settings) for t in trajectories)
    missing = missing_height(block, vertebra)
    mounts = tuple(m for s, t in zip(sequences, trajectories, strict=True) if (m := _mount(s, t)) is not None)
    bound_ml = math.inf if settings.past_bound else cap_ml(vertebra.level_id, vertebra.body_volume_ml)
    inflated = inflate(block, missing, mounts, settings, bound_ml)
    restoration = _restoration(block, vertebra, missing, inflated, settings)
    cement = None
    if inflated.inflations:
        cement = fill(block, vertebra, inflated.inflations, inflated.lifts[-1], settings)
    cortex = cortex_map(ct, vertebra, block)
    return Augmentation(
        settings=settings,
        sequences=sequences,
        inflations=inflated.inflations,
        restoration=restoration,
        cement=cement,
        cortex=cortex,
        leaks=leak_findings(vertebra, block, cortex, cement),
        candidacy=candidacy_sheet(vertebra, settings.entries),
        notes=(*inflated.notes, *_notes(vertebra, missing, restoration)),
        seconds=time.perf_counter() - start,
    )


def _mount(sequence: InstrumentSequence, path: Trajectory) -> Mount | None:
    far, cannula = sequence.step("balloon, far marker"), sequence.step("working cannula")
    if sequence.balloon is None or far is None or cannula is None:
        return None
    middle_mm = far.depth_mm - sequence.balloon.length_mm / 2
    center = path.entry_lps + middle_mm * path.direction_lps
    return Mount(sequence.side, sequence.balloon, center, path.direction_lps, cannula.depth_mm - middle_mm)


def _restoration(
    block: BodyBlock, vertebra: Vertebra, missing: Missing | None, inflated: Inflated, settings: AugmentationSettings
) -> Restoration | None:
    if missing is None or vertebra.measures is None or not inflated.inflations:
        return None
    volumes = tuple(
        sum(min(k * settings.step_ml, i.final.volume_ml) for i in inflated.inflations)
        for k in range(len(inflated.lifts))
    )
    return restore(block, vertebra, vertebra.measures, missing, inflated.lifts, volumes)


def _notes(vertebra: Vertebra, missing: Missing | None, restoration: Restoration | None) -> tuple[str, ...]:
    if restoration is not None:
        return (UPPER_BOUND,)
    if vertebra.heights.expected_mm is None or vertebra.measures is None:
        return ("No height is predicted: there is no neighbour to compare with.",)
    if missing is None:
        return (f"No height is predicted: less than {LEAST_LOSS_MM:.0f} mm is missing against the neighbours.",)
    return ("No height is predicted: no balloon is inflated.",)
