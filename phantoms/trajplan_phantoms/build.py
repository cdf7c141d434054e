"""From the sizes of a level to its pieces: where pedicles, laminae, processes and joints go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trajplan.geometry.arrays import FloatArray, unit
from trajplan.levels import is_thoracic, level_id
from trajplan.parts import Side
from trajplan_phantoms.body import Body
from trajplan_phantoms.fracture import INTACT, Fracture
from trajplan_phantoms.morphometry import Morphometry, morphometry
from trajplan_phantoms.shapes import Cut, Shape, Tube
from trajplan_phantoms.vertebra import JOINT_GAP_MM, Canal

ISTHMUS_BEHIND_WALL_MM = 4.2
"""The isthmus lies this far behind the posterior wall of the body, and further where wide pedicles converge."""


@dataclass(frozen=True, eq=False)
class Joint:
    """A facet joint in the frame of the *lower* vertebra.

    Attributes
    ----------
    center : ndarray, shape (3,)
    normal : ndarray, shape (3,)
        Unit, from the superior articular process of the lower vertebra to the inferior one of the upper.
    width_mm, height_mm : float
    """

    center: FloatArray
    normal: FloatArray
    width_mm: float
    height_mm: float


@dataclass(frozen=True, eq=False)
class Plan:
    """Landmarks of one vertebra that its pieces and its neighbours share (own frame, mm)."""

    level: str
    sizes: Morphometry
    scale: float
    width_mm: dict[Side, float]
    fracture: Fracture = INTACT

    def body(self) -> Body:
        """The body, fractured if asked."""
        m, s = self.sizes, self.scale
        depth = 0.5 * (m.plate_depth_upper_mm + m.plate_depth_lower_mm)
        anterior = m.height_posterior_mm - 2.0 * depth * float(np.tan(np.deg2rad(0.5 * m.wedge_deg)))
        return Body(
            m.plate_width_upper_mm * s,
            m.plate_width_lower_mm * s,
            m.plate_depth_upper_mm * s,
            m.plate_depth_lower_mm * s,
            anterior * s,
            m.height_posterior_mm * s,
            m.superior_concavity_mm * s,
            m.inferior_concavity_mm * s,
            2.1 if self.thoracic else 2.35,
            self.fracture,
            superior_apex=m.superior_apex,
            inferior_apex=m.inferior_apex,
        )

    @property
    def thoracic(self) -> bool:
        """T4..T13."""
        return is_thoracic(level_id(self.level))

    @property
    def pitch_mm(self) -> float:
        """Height of the body with the disc below it: what the posterior elements have for themselves."""
        return (self.sizes.height_posterior_mm + self.sizes.disc_below_mm) * self.scale

    @property
    def wall_mm(self) -> float:
        """v of the posterior wall of the body."""
        return 0.25 * (self.sizes.plate_depth_upper_mm + self.sizes.plate_depth_lower_mm) * self.scale

    @property
    def pedicle_w_mm(self) -> float:
        """w of the isthmus: the pedicle springs from the upper half of the body."""
        m = self.sizes
        return self.scale * (0.5 * (m.height_posterior_mm - m.pedicle_height_mm) - 2.0)

    def canal(self) -> Canal:
        """The canal, 0.5 mm narrower on either side than the distance of the pedicles, which stay whole."""
        m, s = self.sizes, self.scale
        body = self.body()
        return Canal(
            self.wall_mm,
            (m.canal_width_mm - 1.0) * s,
            m.canal_depth_mm * s,
            0.5 * (m.height_posterior_mm + m.disc_below_mm) * s,
            body.push,
            body.fragment,
        )

    @property
    def setback_mm(self) -> float:
        """How far wide converging pedicles push isthmus and arch back, so that neither end swallows the isthmus."""
        width = max(self.sizes.pedicle_width_mm * self.scale, *self.width_mm.values())
        return 0.4 * width * float(np.sin(np.deg2rad(self.sizes.convergence_deg)))

    def isthmus(self, side: Side) -> FloatArray:
        """Centre of the pedicle isthmus."""
        u = 0.5 * (self.sizes.canal_width_mm * self.scale + self.width_mm[side])
        v = self.wall_mm + ISTHMUS_BEHIND_WALL_MM * self.scale + self.setback_mm
        return np.array([side.sign * u, v, self.pedicle_w_mm])

    def pedicle(self, side: Side) -> Tube:
        """The pedicle from inside the body to the articular mass; its waist is the isthmus."""
        m, s = self.sizes, self.scale
        a, c = np.deg2rad(m.convergence_deg), np.deg2rad(m.caudal_deg)
        # both angles are those of the axis as seen from above and from the side
        back = unit(np.array([side.sign * np.tan(a), 1.0, np.tan(c)]))
        ahead, behind = 8.0 * s, 6.0 * s
        half = (0.5 * self.width_mm[side], 0.5 * m.pedicle_height_mm * s)
        centre = self.isthmus(side)
        return Tube(
            centre - ahead * back, centre + behind * back, np.array([0.0, 0.0, 1.0]), half, half,
            cap_mm=5.0 * s, flare=0.22, waist_mm=ahead, waist_scale_mm=8.0 * s,
        )  # fmt: skip

    def joint_above(self, side: Side) -> Joint:
        """The facet joint with the vertebra above."""
        m, s = self.sizes, self.scale
        frontal = m.facet_deg > 70.0
        angle, tilt = np.deg2rad(m.facet_deg), np.deg2rad(m.facet_tilt_deg)
        top = 0.5 * m.height_posterior_mm * s
        half_canal = 0.5 * m.canal_width_mm * s
        beside, back = (1.5, 3.2) if frontal else (2.8, 1.5)
        center = np.array(
            [side.sign * (half_canal + beside * s), self.wall_mm + (m.canal_depth_mm - back) * s, top + 2.0 * s]
        )
        level = np.array([-side.sign * np.cos(angle), np.sin(angle), 0.0])
        normal = level * np.cos(tilt) + np.array([0.0, 0.0, np.sin(tilt)])
        return Joint(center, normal, m.facet_width_mm * s, m.facet_height_mm * s)

    def pars(self, side: Side) -> FloatArray:
        """Centre of the mass behind the pedicle, where lamina and processes meet."""
        m, s = self.sizes, self.scale
        u = 0.5 * m.canal_width_mm * s + max(
            (4.2 if self.thoracic else 4.8) * s, 0.47 * m.pedicle_width_mm * s + 0.8 * s
        )
        v = self.wall_mm + (m.canal_depth_mm * 0.5 + 3.6) * s + self.setback_mm
        return np.array([side.sign * u, v, self.pedicle_w_mm - 2.0 * s])

    def lamina_middle(self) -> FloatArray:
        """Where the laminae meet behind the canal."""
        m, s = self.sizes, self.scale
        return np.array(
            [
                0.0,
                self.wall_mm + (m.canal_depth_mm + 2.6) * s,
                self.pedicle_w_mm - (9.5 if not self.thoracic else 8.0) * s,
            ]
        )

    def superior_process(self, side: Side) -> Shape:
        """Superior articular process, cut at the joint."""
        s, joint = self.scale, self.joint_above(side)
        thick = (5.4 if not self.thoracic else 4.0) * s
        top = joint.center - joint.normal * (0.62 * thick) + np.array([0.0, 0.0, 0.30 * joint.height_mm])
        base = self.pars(side) + np.array([side.sign * 0.5, 0.0, 2.0]) * s
        tube = Tube(
            base,
            top,
            joint.normal,
            (0.46 * joint.width_mm, thick),
            (0.42 * joint.width_mm, 0.9 * thick),
            cap_mm=3.0 * s,
        )
        return Cut(tube, joint.center, joint.normal, 0.5 * JOINT_GAP_MM)

    def inferior_process(self, side: Side, joint: Joint, joint_scale: float) -> Shape:
        """Inferior articular process down to a joint with the vertebra below, given in this frame."""
        thick = 4.8 * joint_scale
        down = np.array([0.0, 0.0, -0.28 * joint.height_mm])
        tip = joint.center + joint.normal * (0.72 * thick) + down
        start = self.pars(side) * np.array([0.82, 1.0, 1.0]) + np.array([0.0, 2.0, -4.0]) * self.scale
        tube = Tube(
            start,
            tip,
            joint.normal,
            (0.44 * joint.width_mm, thick),
            (0.40 * joint.width_mm, thick),
            cap_mm=3.0 * joint_scale,
        )
        return Cut(tube, joint.center, -joint.normal, 0.5 * JOINT_GAP_MM)

    def lamina(self, side: Side) -> Shape:
        """Lamina from the pars to the midline, a plate leaning forward at its top."""
        s = self.scale
        tall = min(9.8 * s, 0.40 * self.pitch_mm)
        lean = np.array([0.0, -0.22, 1.0])
        return Tube(
            self.pars(side), self.lamina_middle(), lean, (3.3 * s, 0.8 * tall), (3.1 * s, tall), cap_mm=2.0 * s, power=4
        )

    def spinous(self) -> Shape:
        """Spinous process: a tall thin plate with a thicker tip."""
        m, s = self.sizes, self.scale
        start = self.lamina_middle() - np.array([0.0, 0.0, (2.0 if not self.thoracic else 1.0) * s])
        drop = np.deg2rad(m.spinous_drop_deg)
        length = (m.spinous_tip_mm - 3.0) * s - start[1]
        tip = start + np.array([0.0, length, -length * np.tan(drop)])
        tall = (10.0 if not self.thoracic else 7.5) * s
        tall = min(tall, 0.38 * self.pitch_mm * float(np.cos(drop)))  # steep ones overlap like tiles and are thinner
        return Tube(
            start,
            tip,
            np.array([0.0, 0.0, 1.0]),
            (2.9 * s, 0.95 * tall),
            (3.6 * s, 0.85 * tall),
            cap_mm=3.0 * s,
            power=4,
        )

    def transverse(self, side: Side) -> Tube:
        """Transverse process; one that springs from the pedicle has a broad root."""
        m, s = self.sizes, self.scale
        forward = m.transverse_forward_mm * s
        base = self.pars(side) + np.array([0.0, -forward, 1.5 * s])
        if forward:
            base[0] = self.isthmus(side)[0] + side.sign * 0.25 * self.width_mm[side]
        back = 9.0 if self.thoracic else 3.0
        rise = 3.0 if self.thoracic else 2.0
        reach = 0.5 * m.transverse_span_mm * s - 3.0 * s
        tall = 0.5 * m.transverse_height_mm * s
        rise -= 0.45 * max(m.transverse_height_mm - 10.4, 0.0)  # a tall process, as of a sacralised L5, hangs down
        tip = np.array([side.sign * max(reach, abs(base[0]) + 3.0), base[1] + back * s, base[2] + rise * s])
        root = (3.0 * s + 0.4 * forward, tall)
        return Tube(base, tip, np.array([0.0, 0.0, 1.0]), root, (2.8 * s, 0.81 * tall), cap_mm=3.0 * s)


def plan_of(
    level: str,
    scale: float,
    widths_mm: dict[Side, float] | None = None,
    fracture: Fracture = INTACT,
    sizes: Morphometry | None = None,
) -> Plan:
    """The landmarks of a level at a scale, with the table's sizes and its own pedicle widths unless given."""
    sizes = sizes or morphometry(level)
    default = dict.fromkeys(Side, sizes.pedicle_width_mm * scale)
    return Plan(level, sizes, scale, widths_mm or default, fracture)
