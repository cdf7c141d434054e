"""Bone and solids of a plan as meshes: STL and PLY one a file, GLB all in one."""

from __future__ import annotations

from pathlib import Path

from trajplan.exports.handover import Handover
from trajplan.exports.mesh import mesh_of_mask
from trajplan.exports.mesh_files import Painted, glb_bytes, ply_bytes, stl_bytes
from trajplan.exports.segments import PART_COLOR
from trajplan.exports.solids import solids_of
from trajplan.parts import Part

_BONE = (0.90, 0.85, 0.75, 0.45)


def painted_parts(handover: Handover) -> list[Painted]:
    """The vertebra, each of its parts and every solid, closed, LPS mm."""
    parts = handover.parts
    bone = [i for i in parts.ids() if i != Part.CANAL]
    made = [Painted("vertebra", mesh_of_mask(parts.mask(*bone), parts.grid), _BONE)]
    for i in parts.ids():
        if i in PART_COLOR:
            mesh = mesh_of_mask(parts.mask(i), parts.grid)
            made.append(Painted(f"part_{Part(i).name.lower()}", mesh, (*PART_COLOR[i], 1.0)))
    return made + [Painted(s.name, s.mesh, (*s.color, 1.0)) for s in solids_of(handover)]


def write_meshes(handover: Handover, folder: Path) -> None:
    """Write ``*_LPS_mm.stl``, ``*_LPS_mm.ply`` and ``scene.glb``."""
    made = painted_parts(handover)
    for part in made:
        (folder / f"{part.name}_LPS_mm.stl").write_bytes(stl_bytes(part.mesh, part.name))
        (folder / f"{part.name}_LPS_mm.ply").write_bytes(ply_bytes(part.mesh, part.name))
    # the parts lie inside the vertebra's surface: in one scene they would flicker through it
    shown = [p for p in made if p.name == "vertebra" or not p.name.startswith("part_")]
    (folder / "scene.glb").write_bytes(glb_bytes([*shown[1:], shown[0]]))
