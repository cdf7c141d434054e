"""Draw the pictures of docs/coordinates.md: ``python docs/make_figures.py``.

Arrows of the C-arm pictures are computed by `trajplan.fluoroscopy.carm.CArm` and the trocar angles by
`trajplan.planning.angles`, so the pictures cannot say anything else than the code.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Circle, Ellipse, FancyBboxPatch, Polygon, Rectangle

from trajplan.fluoroscopy.carm import CArm
from trajplan.geometry import Frame
from trajplan.parts import Side
from trajplan.planning.angles import trocar_angles

OUT = Path(__file__).parent / "img"
# Okabe-Ito colours: readable with every kind of colour vision.
RED, GREEN, BLUE, ORANGE, GREY = "#D55E00", "#009E73", "#0072B2", "#E69F00", "#666666"
SKIN, BONE, CANAL = "#F3E3D3", "#E9E2C8", "#CFE3F2"


def panel(figure: Figure, place: tuple[int, int, int], title: str, box: tuple[float, float, float, float]) -> Axes:
    """An empty drawing area, x right and y up, equal scales, `box` = (x0, x1, y0, y1)."""
    axes = figure.add_subplot(*place)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_xlim(box[0], box[1])
    axes.set_ylim(box[2], box[3])
    axes.set_title(title, fontsize=10)
    return axes


def arrow(axes: Axes, start: tuple[float, float], step: tuple[float, float], text: str, color: str) -> None:
    """An arrow with its name at the tip."""
    end = (start[0] + step[0], start[1] + step[1])
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 0})
    unit = np.array(step) / np.hypot(*step)
    gap = 0.025 * (axes.get_xlim()[1] - axes.get_xlim()[0])
    beside(axes, (end[0] + unit[0] * gap, end[1] + unit[1] * gap), unit, text, color)


def beside(axes: Axes, at: tuple[float, float], outward: np.ndarray, text: str, color: str, size: int = 10) -> None:
    """Text that starts at `at` and lies on the side of the unit vector `outward`."""
    ha = "left" if outward[0] > 0.4 else "right" if outward[0] < -0.4 else "center"
    va = "bottom" if outward[1] > 0.7 else "top" if outward[1] < -0.7 else "center"
    box = {"fc": "white", "ec": "none", "alpha": 0.75, "pad": 0.6}
    axes.text(*at, text, color=color, ha=ha, va=va, fontsize=size, weight="bold", bbox=box, zorder=7)


def out_of_page(axes: Axes, at: tuple[float, float], text: str, color: str, towards: bool, radius: float) -> None:
    """The sign for an axis that points towards (dot) or away from (cross) the reader."""
    axes.add_patch(Circle(at, radius, fc="white", ec=color, lw=2, zorder=5))
    if towards:
        axes.add_patch(Circle(at, radius * 0.3, fc=color, ec=color, zorder=6))
    else:
        d = radius * 0.7
        for sign in (-1, 1):
            axes.plot([at[0] - d, at[0] + d], [at[1] - sign * d, at[1] + sign * d], color=color, lw=2, zorder=6)
    beside(axes, (at[0] - 1.0 * radius, at[1] + 1.3 * radius), np.array([-1.0, 0.0]), text, color)


def save(figure: Figure, name: str) -> None:
    """Write without a date, so that the same picture is the same file."""
    OUT.mkdir(exist_ok=True)
    figure.savefig(OUT / name, bbox_inches="tight", metadata={"Date": None})


def frames() -> None:
    """World axes on a person in the scanner, and the array order."""
    figure = Figure(figsize=(11, 3.9))

    side = panel(figure, (1, 3, 1), "seen from the patient's left", (-5.2, 6.2, -4.2, 4.2))
    side.add_patch(Rectangle((-4.6, -1.35), 9.6, 0.35, fc="#BBBBBB", ec="none"))
    side.add_patch(
        FancyBboxPatch((-0.5, -3.6), 2.2, 7.2, boxstyle="round,pad=0.1", fc="#E8E8E8", ec="#BBBBBB", zorder=0)
    )
    side.text(0.6, 3.1, "scanner", ha="center", fontsize=9)
    side.add_patch(FancyBboxPatch((-0.6, -0.9), 3.0, 1.3, boxstyle="round,pad=0.1", fc=SKIN, ec=GREY))
    side.add_patch(FancyBboxPatch((-4.5, -0.9), 3.9, 0.7, boxstyle="round,pad=0.1", fc=SKIN, ec=GREY))
    side.add_patch(Circle((3.3, -0.3), 0.72, fc=SKIN, ec=GREY))
    side.add_patch(Polygon([(3.15, 0.4), (3.3, 0.62), (3.45, 0.4)], fc=SKIN, ec=GREY))
    for x in np.arange(-0.5, 2.5, 0.45):
        side.add_patch(Rectangle((x, -0.72), 0.32, 0.42, fc=BONE, ec=GREY, lw=0.7))
    arrow(side, (0.6, 1.2), (2.2, 0), "+z  S", BLUE)
    arrow(side, (0.6, 1.2), (0, -2.9), "+y  P", GREEN)
    out_of_page(side, (0.6, 1.2), "+x  L", RED, towards=True, radius=0.28)
    side.text(3.3, -1.8, "head", ha="center", fontsize=9)
    side.text(-3.5, -1.8, "feet", ha="center", fontsize=9)

    axial = panel(figure, (1, 3, 2), "an axial slice, seen from the feet", (-4.6, 5.0, -4.2, 4.2))
    axial.add_patch(Ellipse((0, 0), 7.6, 5.2, fc=SKIN, ec=GREY))
    draw_axial_vertebra(axial, scale=0.045, center=(0, -0.9))
    arrow(axial, (0, -0.6), (3.0, 0), "+x  L", RED)
    arrow(axial, (0, -0.6), (0, -2.9), "+y  P", GREEN)
    out_of_page(axial, (0, -0.6), "+z  S", BLUE, towards=False, radius=0.25)
    axial.text(0, 3.0, "A", ha="center", va="center", fontsize=12)
    axial.text(-4.2, 0, "R", ha="center", va="center", fontsize=12)

    grid = panel(figure, (1, 3, 3), "array[z, y, x]: indices of voxel centres", (-2.6, 6.2, -5.4, 1.9))
    for i in range(5):
        for j in range(4):
            grid.add_patch(Rectangle((i - 0.5, -j - 0.5), 1, 1, fc="white", ec="#AAAAAA"))
            grid.add_patch(Circle((i, -j), 0.05, fc=GREY, ec="none"))
    grid.add_patch(Circle((0, 0), 0.13, fc=ORANGE, ec="none", zorder=4))
    grid.text(-0.7, 0.95, "origin_lps: the centre of voxel (0, 0, 0)", fontsize=8, color="#8A5F00", ha="left")
    arrow(grid, (0, 0), (4.9, 0), "x", RED)
    arrow(grid, (0, 0), (0, -4.3), "y", GREEN)
    out_of_page(grid, (0, 0), "z", BLUE, towards=False, radius=0.22)
    grid.annotate("", (2, -2), (1, -2), arrowprops={"arrowstyle": "<->", "lw": 1})
    grid.text(1.5, -2.3, "spacing", ha="center", va="top", fontsize=8)
    grid.text(5.0, -4.9, "napari world:\n(S, P, L) = (z, y, x)", fontsize=8, ha="center", va="center")
    save(figure, "frames.svg")


def draw_axial_vertebra(axes: Axes, scale: float = 1.0, center: tuple[float, float] = (0.0, 0.0)) -> None:
    """A lumbar vertebra seen from below (patient left on the right), body centre at `center`; `scale` per mm."""
    cx, cy = center

    def xy(points: list[tuple[float, float]]) -> np.ndarray:
        return np.array(points) * scale + center

    for sign in (-1, 1):
        transverse = [(12 * sign, -24), (42 * sign, -30), (43 * sign, -35), (14 * sign, -34)]
        axes.add_patch(Polygon(xy(transverse), fc=BONE, ec=GREY, lw=0.8))
        axes.add_patch(Polygon(xy([(10 * sign, -12), (19 * sign, -12), (19 * sign, -32), (11 * sign, -32)]), fc=BONE))
    arch = [(-18, -27), (18, -27), (14, -38), (4, -44), (3, -66), (-3, -66), (-4, -44), (-14, -38)]
    axes.add_patch(Polygon(xy(arch), fc=BONE, ec=GREY, lw=0.8))
    axes.add_patch(Ellipse(center, 48 * scale, 34 * scale, fc=BONE, ec=GREY, lw=0.8))
    canal = [(-10, -15), (0, -17), (10, -15), (10, -28), (0, -37), (-10, -28)]
    axes.add_patch(Polygon(xy(canal), fc=CANAL, ec=GREY, lw=0.8))
    for sign in (-1, 1):
        axes.plot([cx + 19.2 * sign * scale] * 2, [cy - 9 * scale, cy - 27 * scale], color=GREY, lw=0.8)


def vertebra_frame() -> None:
    """u, v, w on a vertebra and the two trocar angles."""
    figure = Figure(figsize=(11, 5))
    axial = panel(figure, (1, 2, 1), "axial plane of the vertebra, seen from below", (-66, 66, -72, 42))
    draw_axial_vertebra(axial)
    entry, target = np.array([24.0, -38.0]), np.array([6.0, 8.0])
    straight = Frame((0, 0, 0), np.eye(3))
    for side in Side:
        start, end = entry * [side.sign, 1], target * [side.sign, 1]
        back = start + (start - end) * 0.55
        axial.plot([back[0], end[0]], [back[1], end[1]], color=ORANGE, lw=5, solid_capstyle="round")
        axial.plot([back[0]] * 2, [back[1], back[1] + 46], color=GREY, lw=1, ls="--")
        step = end - start
        # drawing x is u (patient left), drawing y is -v (anterior)
        convergence, _ = trocar_angles([step[0], -step[1], 0.0], straight, side)
        theta = 90 + side.sign * np.array([0.0, convergence])
        axial.add_patch(Arc(tuple(back), 70, 70, theta1=min(theta), theta2=max(theta), color=GREY, lw=1.5))
        axial.text(
            back[0] + 4 * side.sign, back[1] + 22, f"convergence\n+{convergence:.0f}°", fontsize=9, color="black",
            ha="left" if side is Side.LEFT else "right",
        )  # fmt: skip
    arrow(axial, (0, 0), (34, 0), "u (left)", RED)
    arrow(axial, (0, 0), (0, -30), "v (posterior)", GREEN)
    out_of_page(axial, (0, 0), "w", BLUE, towards=False, radius=2.4)
    axial.text(0, 32, "anterior = -v", ha="center", fontsize=9)
    axial.text(-56, 10, "right", ha="center", fontsize=9)

    sagittal = panel(figure, (1, 2, 2), "midsagittal plane, seen from the left", (-72, 50, -50, 56))  # fmt: skip
    tilt = np.radians(12)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])

    def place(points: list[tuple[float, float]]) -> np.ndarray:
        return np.array(points) @ turn.T

    # drawing x is anterior (-v) to the right, drawing y is w
    body = [(-17, -13), (-16, 0), (-17, 13), (0, 11.5), (17, 13), (16, 0), (17, -13), (0, -11.5)]
    sagittal.add_patch(Polygon(place(body), fc=BONE, ec=GREY))
    sagittal.add_patch(Polygon(place([(-17, 10), (-17, -1), (-32, -1), (-32, 9)]), fc=BONE, ec=GREY))
    process = [(-32, 9), (-32, -6), (-38, -18), (-64, -16), (-64, -3)]
    sagittal.add_patch(Polygon(place(process), fc=BONE, ec=GREY))
    for height in (13, -13):
        line = place([(-22, height), (26, height)])
        sagittal.plot(line[:, 0], line[:, 1], color=GREY, lw=1, ls="--")
    start, end = place([(-46, 13.0), (8, -1.0)])
    sagittal.plot([start[0], end[0]], [start[1], end[1]], color=ORANGE, lw=5, solid_capstyle="round")
    forward = place([(-46, 13.0), (-4, 13.0)])
    sagittal.plot(forward[:, 0], forward[:, 1], color=GREY, lw=1, ls=":")
    _, caudal = trocar_angles([0.0, -54.0, -14.0], straight, Side.LEFT)
    forward_deg = np.degrees(tilt)
    sagittal.add_patch(Arc(tuple(start), 66, 66, theta1=forward_deg - caudal, theta2=forward_deg, color=GREY, lw=1.5))
    sagittal.annotate(
        f"craniocaudal +{caudal:.0f}°\n(caudal going forward)", (start[0] + 32.8, start[1] + 3.5), (-46, 30),
        fontsize=9, ha="center", arrowprops={"arrowstyle": "-", "color": GREY},
    )  # fmt: skip
    w = place([(0, 34)])[0]
    v = place([(-30, 0)])[0]
    arrow(sagittal, (0, 0), (float(w[0]), float(w[1])), "w (superior)", BLUE)
    arrow(sagittal, (0, 0), (float(v[0]), float(v[1])), "v", GREEN)
    out_of_page(sagittal, (0, 0), "u", RED, towards=True, radius=2.4)
    sagittal.text(36, 0, "anterior", fontsize=9, ha="center")
    sagittal.text(
        -8, -36, "w is normal to the mean of the two end plates,\nhowever the patient lies", fontsize=9, ha="center"
    )
    save(figure, "vertebra_frame.svg")


def draw_beam(axes: Axes, carm: CArm, columns: tuple[int, int], flips: tuple[int, int], color: str, text: str) -> None:
    """Source, cone and detector of `carm`, keeping two LPS components (with signs) as drawing x and y, dm."""

    def flat(point_lps: np.ndarray) -> np.ndarray:
        return np.array([point_lps[c] * f for c, f in zip(columns, flips, strict=True)]) / 100

    source, detector = flat(carm.source_lps), flat(carm.detector_center_lps)
    across = np.array([-(detector - source)[1], (detector - source)[0]])
    across /= np.linalg.norm(across)
    ends = [detector + across * 1.4, detector - across * 1.4]
    axes.add_patch(Polygon([source, *ends], fc=color, alpha=0.10, ec="none"))
    axes.plot(*np.transpose(ends), color=color, lw=5, solid_capstyle="butt")
    axes.plot(*source, marker="o", ms=9, color=color)
    axes.plot(*np.transpose([source, detector]), color=color, lw=1, ls="--")
    outward = (detector - source) / np.linalg.norm(detector - source)
    label = detector + outward * 0.3
    beside(axes, (float(label[0]), float(label[1])), outward, text, color, size=9)


def carm() -> None:
    """Primary angle on the axial plane, secondary angle on the sagittal plane."""
    figure = Figure(figsize=(11, 5.6))
    center = (0.0, 0.0, 0.0)
    axial = panel(figure, (1, 2, 1), "primary angle: axial plane, seen from the feet", (-8.6, 8.6, -6.6, 6.8))
    axial.add_patch(Ellipse((0, 0), 3.6, 2.4, fc=SKIN, ec=GREY))
    for primary, color, text in ((0, GREY, "0° (AP)"), (35, RED, "LAO 35 = +35°"), (-35, BLUE, "RAO 35 = -35°")):
        draw_beam(axial, CArm(primary, 0.0, center), (0, 1), (1, -1), color, text)
    draw_beam(axial, CArm(90.0, 0.0, center), (0, 1), (1, -1), GREEN, "+90°\nlateral")
    for xy, text in (((0, 1.5), "A"), ((0, -1.5), "P"), ((-2.1, 0), "R"), ((2.1, 0), "L")):
        axial.text(*xy, text, ha="center", va="center", fontsize=11, zorder=9)
    axial.text(0, -6.3, "dot: X-ray source; bar: detector; the angle is that of the detector", ha="center", fontsize=8)

    sagittal = panel(figure, (1, 2, 2), "secondary angle: sagittal plane, seen from the left", (-8.6, 8.6, -6.6, 6.8))
    sagittal.add_patch(FancyBboxPatch((-4.0, -1.0), 6.6, 2.0, boxstyle="round,pad=0.15", fc=SKIN, ec=GREY))
    sagittal.add_patch(Circle((3.6, 0), 0.85, fc=SKIN, ec=GREY))
    for secondary, color, text in ((0, GREY, "0°"), (30, RED, "CRA 30 = +30°"), (-30, BLUE, "CAU 30 = -30°")):
        draw_beam(sagittal, CArm(0.0, secondary, center), (2, 1), (1, -1), color, text)
    sagittal.text(5.2, 0, "head", ha="center", va="center", fontsize=9)
    sagittal.text(-5.0, 0, "feet", ha="center", va="center", fontsize=9)
    sagittal.text(-1.6, 0.75, "A", ha="center", va="center", fontsize=11)
    sagittal.text(-1.6, -0.75, "P", ha="center", va="center", fontsize=11)
    save(figure, "carm.svg")


def letter(direction_lps: np.ndarray) -> str:
    """The orientation letter of the world axis nearest to a direction."""
    axis = int(np.abs(direction_lps).argmax())
    return ("RL", "AP", "IS")[axis][int(direction_lps[axis] > 0)]


def images() -> None:
    """How the two standard images lie: the letters come from the C-arm's own axes."""
    figure = Figure(figsize=(9, 4.2))
    shown = ((1, 0.0, "AP: primary 0°, secondary 0°"), (2, 90.0, "lateral: primary +90°"))
    for number, primary, title in shown:
        view = CArm(primary, 0.0, (0.0, 0.0, 0.0))
        axes = panel(figure, (1, 2, number), title, (-6.2, 6.2, -6.2, 6.2))
        axes.add_patch(Rectangle((-5, -5), 10, 10, fc="#222222", ec="none"))
        for z in (-2.9, 0.0, 2.9):
            body = FancyBboxPatch((-1.7, z - 0.95), 3.4, 1.9, boxstyle="round,pad=0.1", fc="#888888", ec="#CCCCCC")
            axes.add_patch(body)
            if number == 1:
                for x in (-1.15, 1.15):
                    axes.add_patch(Ellipse((x, z + 0.3), 0.65, 1.05, fc="#BBBBBB", ec="white", lw=1.2))
                axes.add_patch(Ellipse((0, z - 0.5), 0.35, 1.1, fc="#AAAAAA", ec="#DDD"))
            else:  # posterior is on the left
                axes.add_patch(Rectangle((-3.0, z + 0.05), 1.3, 0.75, fc="#AAAAAA", ec="#CCC"))
                process = [(-2.9, z + 0.8), (-4.3, z - 0.3), (-4.1, z - 1.0), (-2.9, z - 0.1)]
                axes.add_patch(Polygon(process, fc="#AAAAAA"))
        right, down = view.column_lps, view.row_lps
        for xy, towards in (((5.5, 0), right), ((-5.5, 0), -right), ((0, 5.5), -down), ((0, -5.5), down)):
            axes.text(*xy, letter(towards), ha="center", va="center", fontsize=13, weight="bold")
        axes.annotate("", (-1.8, 4.6), (-4.6, 4.6), arrowprops={"arrowstyle": "-|>", "color": ORANGE, "lw": 1.8})
        axes.annotate("", (-4.6, 1.8), (-4.6, 4.6), arrowprops={"arrowstyle": "-|>", "color": ORANGE, "lw": 1.8})
        axes.text(-3.0, 4.1, "column", color=ORANGE, fontsize=9, ha="center")
        axes.text(-4.3, 1.3, "row", color=ORANGE, fontsize=9, ha="center")
    save(figure, "images.svg")


if __name__ == "__main__":
    mpl.rcParams["svg.hashsalt"] = "trajplan"
    mpl.rcParams["font.family"] = "DejaVu Sans"
    for draw in (frames, vertebra_frame, carm, images):
        draw()
    print(f"wrote {', '.join(sorted(path.name for path in OUT.glob('*.svg')))} to {OUT}")
