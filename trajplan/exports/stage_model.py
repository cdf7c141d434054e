"""The stages of ``plan.json``: where the C-arm stands and where the tool should be seen."""

from __future__ import annotations

from trajplan.exports.model_base import Model, Pixel, Vector


class PositionerModel(Model):
    """C-arm angles: LAO + / RAO -, CRA + / CAU -, relative to the patient."""

    primary_deg: float
    secondary_deg: float


class PlaceModel(Model):
    """Where a tip stands: mm in the patient, px on the picture.

    `clock_hours` is around the middle of the pedicle's outline on the AP, 12 towards the head; `out_of_center` the
    share of the way from there to the outline. `medial_border_*`: lateral of the medial pedicle border on the AP +.
    `wall_line_*`: past the posterior wall line that the stages are judged by on the lateral +; `rims_mm`: past the
    line of the rims, which is seen best; `true_wall_mm`: past the wall in space where the tip is. `midline_mm`: from
    the midline towards the path's own side +.
    """

    clock_hours: float
    out_of_center: float
    medial_border_mm: float
    medial_border_px: float
    wall_line_mm: float
    wall_line_px: float
    rims_mm: float
    true_wall_mm: float
    third: str
    midline_mm: float


class BothWaysModel(Model):
    """The taught rule as the views show it and as it is in space.

    Depths at which the tip crosses the medial pedicle border on the AP, is past the posterior rims on the lateral, and
    is past the posterior wall in space; null where it never does. `canal_mm` is the planned clearance to the canal.
    """

    medial_mm: float | None
    line_mm: float | None
    wall_mm: float | None
    canal_mm: float | None
    passed_as_seen: bool
    passed_in_space: bool
    safe_in_space: bool | None
    disagreement: str | None


class StageModel(Model):
    """One depth of the staged rule. `passed` is null when it cannot be judged; pixels are (row, column).

    `margin_px` is the margin on the picture of the view that it was judged on. `passed_in_space` and `space_margin_mm`
    judge the same depth by the true wall and the true border instead of their lines on the views.
    """

    name: str
    depth_mm: float
    passed: bool | None
    margin_mm: float | None
    rule: str
    tip_lps: Vector | None = None
    ap_px: Pixel | None = None
    lateral_px: Pixel | None = None
    margin_px: float | None = None
    passed_in_space: bool | None = None
    space_margin_mm: float | None = None
    place: PlaceModel | None = None
