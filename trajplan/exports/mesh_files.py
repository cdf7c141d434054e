"""Meshes as STL, PLY and GLB. Every file says that its numbers are patient LPS millimetres."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trajplan import DISCLAIMER, __version__
from trajplan.exports.mesh import Mesh

_SAYS = "SPACE=LPS;UNIT=mm"
_STL_HEADER, _FLOAT, _UINT = 80, 5126, 5125
_VERTICES, _INDICES = 34962, 34963
_TO_GLTF = [0.001, 0, 0, 0, 0, 0, -0.001, 0, 0, 0.001, 0, 0, 0, 0, 0, 1]
"""glTF is in metres with y up and z to the viewer, column by column: x is left, y superior, z (facing) anterior."""


@dataclass(frozen=True, eq=False)
class Painted:
    """A mesh with a name and a colour (0..1, the last one opacity)."""

    name: str
    mesh: Mesh
    rgba: tuple[float, float, float, float]


def stl_bytes(mesh: Mesh, name: str) -> bytes:
    """Binary STL; the header states space and unit, which the format itself cannot."""
    corners = mesh.vertices_lps[mesh.faces].astype("<f4")
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    rows = np.zeros(len(corners), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")])
    rows["normal"], rows["corners"] = normal, corners
    head = f"{_SAYS}; trajplan {name}".encode("ascii", "replace")[:_STL_HEADER].ljust(_STL_HEADER)
    return head + struct.pack("<I", len(rows)) + rows.tobytes()


def ply_bytes(mesh: Mesh, name: str) -> bytes:
    """Binary PLY with 64-bit coordinates."""
    head = (
        f"ply\nformat binary_little_endian 1.0\ncomment {_SAYS}\ncomment trajplan {__version__} {name}\n"
        f"comment {DISCLAIMER}\nelement vertex {len(mesh.vertices_lps)}\nproperty double x\nproperty double y\n"
        f"property double z\nelement face {len(mesh.faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.zeros(len(mesh.faces), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    rows["count"], rows["corners"] = 3, mesh.faces
    return head.encode("ascii", "replace") + mesh.vertices_lps.astype("<f8").tobytes() + rows.tobytes()


def glb_bytes(parts: Sequence[Painted]) -> bytes:
    """One GLB with a node a part.

    The numbers stored are LPS mm. The root node turns them into the metres and the upward y of the format, so that any
    viewer shows all at its size; a reader that wants LPS mm leaves that one node out.
    """
    blob, views, accessors, meshes, materials, nodes = b"", [], [], [], [], []
    for number, part in enumerate(parts):
        points = part.mesh.vertices_lps.astype("<f4")
        for data, kind, count, target in (
            (points, _FLOAT, len(points), _VERTICES),
            (part.mesh.faces.astype("<u4").ravel(), _UINT, part.mesh.faces.size, _INDICES),
        ):
            views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": data.nbytes, "target": target})
            accessor: dict[str, Any] = {"bufferView": len(views) - 1, "componentType": kind, "count": count}
            if kind == _FLOAT:
                accessor |= {"type": "VEC3", "min": points.min(0).tolist(), "max": points.max(0).tolist()}
            accessors.append({"type": "SCALAR"} | accessor)
            blob += data.tobytes()
        materials.append({
            "name": part.name, "alphaMode": "BLEND" if part.rgba[3] < 1 else "OPAQUE",
            "pbrMetallicRoughness": {"baseColorFactor": list(part.rgba), "metallicFactor": 0.1, "roughnessFactor": 0.7},
        })  # fmt: skip
        primitive = {"attributes": {"POSITION": 2 * number}, "indices": 2 * number + 1, "material": number}
        meshes.append({"name": part.name, "primitives": [primitive]})
        nodes.append({"name": part.name, "mesh": number})
    extras = {"space": "LPS", "unit": "mm", "disclaimer": DISCLAIMER}
    root = {"name": "from_lps_mm", "matrix": _TO_GLTF, "children": list(range(len(parts))), "extras": extras}
    scene = {
        "asset": {"version": "2.0", "generator": f"trajplan {__version__}", "extras": extras},
        "scene": 0, "scenes": [{"nodes": [len(parts)]}], "nodes": [*nodes, root], "meshes": meshes,
        "materials": materials, "accessors": accessors, "bufferViews": views, "buffers": [{"byteLength": len(blob)}],
    }  # fmt: skip
    text = json.dumps(scene, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
