"""Floor 0: frames, grids, volumes, surfaces and solids. Knows no anatomy. World is patient LPS mm."""

from trajplan.geometry.capsule import Capsule
from trajplan.geometry.frame import Frame
from trajplan.geometry.grid import Grid
from trajplan.geometry.volume import LabelMap, Volume

__all__ = ["Capsule", "Frame", "Grid", "LabelMap", "Volume"]
