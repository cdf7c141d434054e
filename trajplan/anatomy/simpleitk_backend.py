"""The classical back-end: one seed, a phantom atlas, affine and B-spline registration, marker watershed."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from trajplan.anatomy.atlas import Atlas
from trajplan.anatomy.atlas_store import load_atlases
from trajplan.anatomy.backend import LabelResult, Progress
from trajplan.anatomy.phantom_atlas import choose_level, make_atlas
from trajplan.anatomy.refine_mask import refine
from trajplan.anatomy.register_atlas import best_start, carry, register
from trajplan.anatomy.seed_frame import SeedFrame, frame_at_seed
from trajplan.anatomy.segment_confidence import judge
from trajplan.errors import AnatomyError
from trajplan.geometry import Grid, LabelMap, Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.resample import resample_volume
from trajplan.levels import LEVEL_NAMES, UNKNOWN_LEVEL_ID

_BOX_LOWER_MM = np.array([54.0, 46.0, 44.0])
_BOX_UPPER_MM = np.array([54.0, 84.0, 44.0])
_NEIGHBOUR_CORE_MM = 1.0
_SPLINE_GRID_MM = 18.0
_MOST_UNLIKE, _MOST_TRIED = 0.35, 4


class SimpleItkBackend:
    """Seeded segmentation with SimpleITK; needs no trained weights."""

    name = "simpleitk"

    def segment(self, ct: Volume, seed_lps: FloatArray, level_id: int | None, progress: Progress) -> LabelResult:
        """Segment the vertebra whose body holds `seed_lps` (LPS mm) in a canonical CT.

        The result lies on a 1 mm axis-aligned LPS grid about the vertebra and holds the target alone, under
        `level_id` or ``UNKNOWN_LEVEL_ID``.

        Raises
        ------
        AnatomyError
            ``seed_outside``, ``seed_not_in_bone``, ``vertebra_cut``, ``segmentation_lost``.
        """
        progress(0.0, "finding canal and end plates at the seed")
        seed = frame_at_seed(ct, seed_lps)
        center = seed.frame.origin_lps
        box = resample_volume(ct, Grid.isotropic(center - _BOX_LOWER_MM, center + _BOX_UPPER_MM, 1.0))
        progress(0.1, "choosing the atlas")
        built_in = make_atlas(choose_level(level_id, seed.depth_mm, seed.height_mm))
        atlas = best_start(box, seed, [*_suitable(ct, level_id, seed), built_in])
        progress(0.2, f"registering the atlas {atlas.name}")
        found = register(box, seed, atlas, _SPLINE_GRID_MM)
        progress(0.85, "refining the outline")
        prior_mm = carry(atlas.labels.array == atlas.label_id, atlas, found.transform, box)
        others = (atlas.labels.array > 0) & (atlas.labels.array != atlas.label_id)
        neighbours = carry(others, atlas, found.transform, box) > _NEIGHBOUR_CORE_MM
        if not (prior_mm > 2.0).any():
            raise _lost(0.0)
        mask = refine(box, prior_mm, neighbours)
        confidence = judge(
            box, mask, prior_mm > 0, seed, found.spline, _expected_ml(atlas, seed), len(atlas.labels.ids()) - 1
        )
        body = box.grid.world_to_index(center)
        if not mask[tuple(np.round(body).astype(int))]:
            raise _lost(float(mask.sum()) / 1000.0)
        target = UNKNOWN_LEVEL_ID if level_id is None else level_id
        progress(1.0, "vertebra segmented")
        return LabelResult(
            labels=LabelMap(
                np.where(mask, target, 0).astype(np.uint8),
                box.grid,
                {target: LEVEL_NAMES.get(target, "vertebra of unknown level")},
            ),
            target_id=target,
            confidence=confidence,
            provenance={
                "backend": self.name,
                "simpleitk": sitk.Version.VersionString(),
                "atlas": atlas.name if atlas is built_in else f"{atlas.name} {atlas.level}",
                "atlas_sha256": "" if atlas is built_in else atlas.labels.sha256(),
                "spline_grid_mm": _SPLINE_GRID_MM,
                "seed_lps": [float(v) for v in np.asarray(seed_lps)],
                "correlation_affine": found.affine,
                "correlation_spline": found.spline,
            },
        )


def _suitable(ct: Volume, level_id: int | None, seed: SeedFrame) -> list[Atlas]:
    """User atlases of the level or next to it, those of like size first; never one made from this very scan."""
    known = load_atlases()
    if not known:
        return []
    scan = ct.sha256()
    fitting = [one for one in known if one.source_sha256 != scan]
    if level_id is not None:
        fitting = [one for one in fitting if abs(one.label_id - level_id) <= 1]

    def unlike(one: Atlas) -> float:
        return float(abs(np.log(seed.depth_mm / one.depth_mm)) + 0.5 * abs(np.log(seed.height_mm / one.height_mm)))

    return [one for one in sorted(fitting, key=unlike) if unlike(one) < _MOST_UNLIKE][:_MOST_TRIED]


def _expected_ml(atlas: Atlas, seed: SeedFrame) -> float:
    volume = float((atlas.labels.array == atlas.label_id).sum()) / 1000.0
    return volume * (seed.height_mm / atlas.height_mm) * (seed.depth_mm / atlas.depth_mm) ** 2


def _lost(volume_ml: float) -> AnatomyError:
    return AnatomyError(
        f"the registration lost the vertebra: the result ({volume_ml:.0f} ml) does not hold the body centre found at "
        "the seed; move the seed to the middle of the body, or load a label map",
        code="segmentation_lost",
        numbers={"volume_ml": volume_ml},
    )
