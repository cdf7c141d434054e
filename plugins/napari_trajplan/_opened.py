"""Which layers of a viewer are scans and labels that trajplan has read, and which one is meant."""

from __future__ import annotations

from typing import Any

from napari.layers import Image, Labels, Layer

from napari_trajplan import _layer_data
from trajplan.errors import InputError
from trajplan.exports.saved_case import SavedCase
from trajplan.reading.origin import Origin
from trajplan.reading.scan import Scan


def about(layer: Layer) -> dict[str, Any]:
    """What trajplan has noted on a layer; empty on others."""
    found: dict[str, Any] = layer.metadata.get("trajplan", {})
    return found


def images(viewer: Any) -> list[Image]:
    """The image layers that trajplan has read."""
    return [one for one in viewer.layers if isinstance(one, Image) and "scan" in about(one)]


def image_of(viewer: Any, scan_sha256: str) -> Image | None:
    """The layer of the scan with this hash, if it is open."""
    return next((one for one in images(viewer) if about(one)["scan"].sha256 == scan_sha256), None)


def dropped_cases(viewer: Any) -> list[SavedCase]:
    """Saved cases whose plans are shown as they were saved."""
    return [about(one)["case"] for one in viewer.layers if "case" in about(one)]


def take_away_cases(viewer: Any) -> None:
    """Take the layers of saved plans away: what is made anew takes their place."""
    for layer in [one for one in viewer.layers if about(one).get("saved")]:
        viewer.layers.remove(layer)


def label_layers(viewer: Any, scan: Scan | None) -> list[Labels]:
    """The labels of vertebrae that belong to a scan."""
    return [
        one
        for one in viewer.layers
        if isinstance(one, Labels) and scan is not None and about(one).get("labels_of") == scan.sha256
    ]


def origin_of(viewer: Any, scan: Scan) -> Origin | None:
    """Study and frame of reference that a scan was read from, for DICOM exports; None for anything but DICOM."""
    return next((about(one).get("origin") for one in images(viewer) if about(one)["scan"] is scan), None)


def only_image(viewer: Any) -> Image:
    """The selected scan, or the only one there is.

    Raises
    ------
    InputError
        ``no_image``, ``two_images``, or why the image that is there cannot be used.
    """
    found = images(viewer)
    if not found:
        for other in viewer.layers:
            if isinstance(other, Image):
                _layer_data.scan_of(other)
        raise InputError("no scan is open: use File > Open, or File > Open Sample > trajplan", code="no_image")
    active = viewer.layers.selection.active
    if len(found) > 1 and active not in found:
        names = ", ".join(one.name for one in found)
        raise InputError(f"more than one scan is open ({names}): choose one under Load", code="two_images")
    return active if active in found else found[0]
