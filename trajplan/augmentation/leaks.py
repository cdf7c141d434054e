"""Leaks: what the CT shows that cement may leak by, each with its number and its source. No probability."""

from __future__ import annotations

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.augmentation.body_block import BodyBlock
from trajplan.augmentation.cement import Cement
from trajplan.augmentation.cortex_map import Gap, gaps_of
from trajplan.augmentation.inflation import WALLS
from trajplan.augmentation.leak import CortexMap, LeakFinding
from trajplan.augmentation.published import Published
from trajplan.geometry.arrays import BoolArray
from trajplan.geometry.surface import WallDistance

RISK_FACTORS = Published(
    "leaks were likelier with delayed surgery, compression, end-plate disruption, cleft and severity",
    "BMC MSK 2021",
    "read",
)
CORTICAL = Published("leaks are of four kinds: basivertebral, segmental, cortical, discal", "PMC8449924", "read")
CLEFT = Published(
    "single-level vertebroplasty: leak in 67.6 % with a cleft, 76.3 % without; with one fewer venous (37.4 against "
    "67.6 %), more cortical (40.3 against 16.5 %)",
    "PMC8449924",
    "read",
)
WALL = Published(
    "with the posterior wall disrupted: 9 % of 157 levels leaked, none with a symptom",
    "Perez, IJSS 2021;15:353",
    "read",
)
STOP = Published("stop when cement reaches the posterior quarter", "abstract of a Japanese review", "read")
VEIN = Published("keep off mid-height, where the basivertebral veins drain", "alpfmedical.info", "secondary")
CAP = Published("min(25 % of the body, 4 ml thoracic or 6 ml lumbar)", "proposal of this project", "proposed")

OPEN_SHARE = 0.25
"""From this share of the wall there without cortex on, the channel is said to stand open (proposed)."""

_VEIN_HALF_MM = 6.0
_VEIN_SHARE = 0.2
_BULGE_MM = 1.0
"""Less than this is within the error of the wall's line (proposed)."""


def leak_findings(
    vertebra: Vertebra, block: BodyBlock, cortex: CortexMap, cement: Cement | None
) -> tuple[LeakFinding, ...]:
    """Everything that was looked at, present or not."""
    vein = _vein_samples(block)
    gaps = gaps_of(cortex, block, vein)
    found = [_walls(gaps), _plates(gaps), _cleft(vertebra), _vein(cortex, block, vein, cement), _bulge(vertebra)]
    if cement is not None:
        found.append(
            LeakFinding(
                "posterior_wall",
                True,
                f"the planned cement keeps {cement.posterior_wall_mm:.1f} mm from the posterior wall; "
                f"{cement.held_back_ml:.1f} ml would lie behind the stop line and are left out",
                None,
                cement.posterior_wall_mm,
                "mm",
                STOP,
            )
        )
        over = bool(cement.fill_ml > cement.cap_ml)
        found.append(
            LeakFinding(
                "cement_beyond_cap",
                over,
                f"cavities and the bone about them take {cement.fill_ml:.1f} ml, "
                + (
                    f"more than the proposed bound of {cement.cap_ml:.1f} ml: no more than that is planned"
                    if over
                    else f"within the proposed bound of {cement.cap_ml:.1f} ml"
                ),
                None,
                cement.fill_ml,
                "ml",
                CAP,
            )
        )
    return tuple(found)


def _listed(gaps: list[Gap]) -> str:
    return ", ".join(f"{WALLS[g.wall]} {g.area_mm2:.0f} mm2" for g in gaps[:4])


def _walls(gaps: tuple[Gap, ...]) -> LeakFinding:
    of_walls = [g for g in gaps if g.wall < 3]
    if not of_walls:
        return LeakFinding(
            "cortical_defect", False, "no gap of 10 mm2 or more in the cortex of the walls", published=CORTICAL
        )
    text = f"{len(of_walls)} gaps in the cortex of the walls: {_listed(of_walls)}"
    area = sum(g.area_mm2 for g in of_walls)
    return LeakFinding("cortical_defect", True, text, of_walls[0].center_lps, area, "mm2", CORTICAL)


def _plates(gaps: tuple[Gap, ...]) -> LeakFinding:
    of_plates = [g for g in gaps if g.wall >= 3]
    if not of_plates:
        return LeakFinding(
            "endplate_break", False, "no gap of 10 mm2 or more in the end plates", published=RISK_FACTORS
        )
    text = f"{len(of_plates)} gaps in the end plates: {_listed(of_plates)}"
    area = sum(g.area_mm2 for g in of_plates)
    return LeakFinding("endplate_break", True, text, of_plates[0].center_lps, area, "mm2", RISK_FACTORS)


def _cleft(vertebra: Vertebra) -> LeakFinding:
    if vertebra.measures is None:
        return LeakFinding("cleft", None, "gas in the body was not looked for", published=CLEFT)
    cleft = vertebra.measures.cleft
    if cleft.center_lps is None:
        return LeakFinding("cleft", False, "no gas cleft; fluid cannot be told from marrow on CT", published=CLEFT)
    text = f"gas cleft of {cleft.volume_ml:.2f} ml: cement is likely to fill it first"
    return LeakFinding("cleft", True, text, cleft.center_lps, cleft.volume_ml, "ml", CLEFT)


def _vein_samples(block: BodyBlock) -> BoolArray:
    """Samples of the posterior wall about the midline at mid-height, where the basivertebral veins leave."""
    at = block.frame.to_local(block.surface.points_lps)
    middle = 0.5 * (block.map_at(block.top_mm, at[:, 0], at[:, 1]) + block.map_at(block.bottom_mm, at[:, 0], at[:, 1]))
    height = block.map_at(block.top_mm, at[:, 0], at[:, 1]) - block.map_at(block.bottom_mm, at[:, 0], at[:, 1])
    near = np.abs(at[:, 2] - middle) < _VEIN_SHARE * height
    return np.asarray((block.wall == 2) & (np.abs(at[:, 0]) < _VEIN_HALF_MM) & near)


def _vein(cortex: CortexMap, block: BodyBlock, vein: BoolArray, cement: Cement | None) -> LeakFinding:
    if not vein.any():
        return LeakFinding("basivertebral", None, "the posterior wall at mid-height is not seen", published=VEIN)
    center = cortex.points_lps[vein].mean(axis=0)
    share = float(cortex.defect[vein].mean())
    open_ = bool(share >= OPEN_SHARE)
    text = f"{100 * share:.0f} % of the posterior wall about the midline at mid-height has no cortex"
    text += ": the channel stands open" if open_ else "; the channel is in every vertebra, seen or not"
    value, unit = share * 100, "%"
    if cement is not None and (cement.labels.array > 0).any():
        points = cement.labels.grid.index_to_world(np.argwhere(cement.labels.array > 0))
        wall = WallDistance(block.surface.subset(vein))
        value, unit = float(wall.signed(points, True).min()), "mm"
        text += f"; the planned cement keeps {value:.1f} mm from it"
    return LeakFinding("basivertebral", open_, text, center, value, unit, VEIN)


def _bulge(vertebra: Vertebra) -> LeakFinding:
    bulge = None if vertebra.measures is None else vertebra.measures.bulge
    if bulge is None:
        return LeakFinding(
            "retropulsion", None, "the posterior wall against the canal could not be measured", published=WALL
        )
    there = bool(bulge.bulge_mm >= _BULGE_MM)
    text = f"the posterior wall stands {bulge.bulge_mm:.1f} mm into the canal"
    return LeakFinding("retropulsion", there, text, None, bulge.bulge_mm, "mm", WALL)
