"""Vertebra: what the later rooms know of one vertebra. Plain data; made by `trajplan.anatomy.measure`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trajplan.geometry import Frame, LabelMap
from trajplan.geometry.arrays import BoolArray, FloatArray
from trajplan.parts import Side


@dataclass(frozen=True, eq=False)
class Endplate:
    """A robust plane through one end plate. `normal_lps` points superior for both; `rms_mm` is the residual."""

    center_lps: FloatArray
    normal_lps: FloatArray
    rms_mm: float


@dataclass(frozen=True, eq=False)
class Pedicle:
    """One pedicle at its isthmus.

    `axis_lps` is a unit vector pointing anterior, into the body. `width_mm` and `height_mm` are the extents of the
    isthmus section across and along w. `outline_lps`, shape (N, 3), is the closed contour of the isthmus section.
    """

    side: Side
    isthmus_center_lps: FloatArray
    axis_lps: FloatArray
    width_mm: float
    height_mm: float
    outline_lps: FloatArray


@dataclass(frozen=True)
class Heights:
    """Body heights in the midsagittal slab, mm; `reference_mm` is the expected one, `reference_source` its origin.

    `expected_mm` and `losses_percent` are per place (anterior, middle, posterior); a loss may be negative there. The
    single `reference_mm` and `loss_percent` are those of the place that lost most.
    """

    ha_mm: float
    hm_mm: float
    hp_mm: float
    reference_mm: float | None
    reference_source: str
    loss_percent: float | None
    expected_mm: tuple[float, float, float] | None = None
    losses_percent: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class FrameSource:
    """What gave the superior axis: ``own end plates``, ``neighbours``, ``upper end plate``, ``lower end plate`` or
    ``posterior wall`` (the weightiest of them); `caution` says so in a line when it was not the own end plates."""

    axis: str = "own end plates"
    caution: str = ""


@dataclass(frozen=True)
class Kyphosis:
    """Sagittal angles, degrees, + kyphotic (front lower).

    `wedge_deg`: superior against inferior end plate of the vertebra itself. `local_deg`: superior end plate of the
    vertebra above against the inferior one of the vertebra below (`local_levels`); None without both.
    """

    wedge_deg: float
    local_deg: float | None = None
    local_levels: str = ""


@dataclass(frozen=True)
class Bulge:
    """The posterior wall against the canal: how far it stands behind the line it should follow, mm; the depth of the
    canal without the bulge, mm, and the share of it that is lost, percent."""

    bulge_mm: float
    canal_depth_mm: float

    @property
    def canal_percent(self) -> float:
        """Share of the canal's depth that the bulge takes."""
        return 100.0 * self.bulge_mm / max(self.canal_depth_mm, 1e-6)


@dataclass(frozen=True, eq=False)
class Cleft:
    """Gas inside the body: volume, centre (None without gas) and its least HU."""

    volume_ml: float
    center_lps: FloatArray | None
    least_hu: float


@dataclass(frozen=True, eq=False)
class Measures:
    """What else is measured of a fractured body.

    `six_points_lps`, shape (6, 3): the end-plate points the heights stand on: anterior, middle, posterior, each
    superior then inferior. `body_hu_sd` is the spread of the trabecular HU, `trabecular_ml` the volume they were
    taken from.
    """

    six_points_lps: FloatArray
    kyphosis: Kyphosis
    bulge: Bulge | None
    cleft: Cleft
    body_hu_sd: float
    trabecular_ml: float


@dataclass(frozen=True)
class Fracture:
    """Genant shape (``none``, ``wedge``, ``biconcave``, ``crush``, ``unknown``) and grade 0..3 (None when unknown)."""

    type: str
    genant_grade: int | None


@dataclass(frozen=True)
class Confidence:
    """How far the anatomy can be trusted: `score` 0..1, the figures behind it, and the reasons to check by eye."""

    score: float
    values: Mapping[str, float]
    check: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Vertebra:
    """One measured vertebra.

    Parameters
    ----------
    level, level_id : str or None, int or None
        Name and VerSe id; None when nobody has stated or counted it.
    level_confirmed : bool
        A person stated the level (on the command line or through a label file).
    parts : LabelMap
        Part ids (`trajplan.parts.Part`) on the isotropic axis-aligned LPS working grid; the one truth that
        every distance is taken from.
    other_bone : ndarray of bool
        Bone of other vertebrae and ribs on the same grid.
    posterior_wall_lps : ndarray, shape (N, 3)
        Points of the posterior wall of the body at several heights, both sides and midline, LPS mm.
    anterior_wall_lps : ndarray, shape (N, 3)
        Points of the front of the body near the midline at several heights, LPS mm.
    source : str
        Which back-end or file the mask came from.
    frame_source : FrameSource
        Where w comes from.
    measures : Measures, optional
        Six height points, kyphosis, posterior-wall bulge, cleft, spread of HU.
    touches_edge : bool
        The mask reaches the border of the scan: the vertebra may be cut.
    """

    level: str | None
    level_id: int | None
    level_confirmed: bool
    parts: LabelMap
    other_bone: BoolArray
    frame: Frame
    pedicles: Mapping[Side, Pedicle]
    superior: Endplate
    inferior: Endplate
    heights: Heights
    fracture: Fracture
    posterior_wall_lps: FloatArray
    anterior_wall_lps: FloatArray
    body_volume_ml: float
    body_hu: float
    confidence: Confidence
    source: str
    touches_edge: bool
    frame_source: FrameSource = FrameSource()
    measures: Measures | None = None
