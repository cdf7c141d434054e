"""What cannot be built is refused with its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan_phantoms import PhantomSpec, Pose, Scanner, make_phantom, named
from trajplan_phantoms.morphometry import LEVELS, morphometry


@pytest.mark.parametrize(
    ("wanted", "code", "says"),
    [
        ({"height_loss_percent": 95.0}, "height_loss_invalid", "95 %"),
        ({"height_loss_percent": float("nan")}, "height_loss_invalid", "nan"),
        ({"height_loss_percent": 80.5}, "height_loss_invalid", "80.5 %"),
        ({"pedicle_width_mm_left": float("nan")}, "pedicle_width_invalid", "nan"),
        ({"scale": float("nan")}, "scale_invalid", "nan"),
        ({"levels": ("L1", "LX")}, "level_unsupported", "LX"),
        ({"fracture": "burst"}, "fracture_unknown", "burst"),
        ({"pedicle_width_mm_left": 25.0}, "pedicle_width_invalid", "25.0 mm"),
        ({"pedicle_width_scale_right": 0.1}, "pedicle_width_invalid", "0.9 mm"),
        ({"target": "C2"}, "level_unsupported", "C2"),
        ({"target": "L4", "levels": ("L1", "L2")}, "target_missing", "L4"),
        ({"levels": ("L1", "L3")}, "levels_not_adjacent", "L1, L3"),
        ({"levels": ("L2", "L1")}, "levels_not_adjacent", "L2, L1"),
        ({"scale": 3.0}, "scale_invalid", "3"),
        ({"trabecular_hu": 5000.0}, "density_invalid", "5000 HU"),
        ({"skin_behind_canal_mm": 5.0}, "skin_invalid", "5 mm"),
    ],
)
def test_impossible_anatomy_is_refused_with_the_reason(wanted, code, says) -> None:
    with pytest.raises(InputError) as caught:
        PhantomSpec(**wanted)
    assert caught.value.code == code
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"plate_width_upper_mm": float("nan")}, "plate width upper nan"),
        ({"plate_depth_lower_mm": float("inf")}, "plate depth lower inf"),
        ({"plate_width_lower_mm": -43.0}, "plate width lower -43"),
        ({"height_posterior_mm": 0.0}, "height posterior 0"),
        ({"pedicle_height_mm": 40.0}, "pedicle height 40.0 mm; use at most 28.6 mm"),
        ({"pedicle_width_mm": 22.0}, "pedicle width 22.0 mm; use at most 16.5 mm"),
        ({"canal_width_mm": 45.0}, "canal width 45.0 mm; use at most 41.2 mm"),
        ({"canal_depth_mm": 60.0}, "canal depth 60.0 mm"),
        ({"plate_depth_upper_mm": 80.0, "plate_depth_lower_mm": 80.0}, "end-plate depth 80.0 mm"),
        ({"plate_width_upper_mm": 15.0, "canal_width_mm": 14.0, "pedicle_width_mm": 5.0}, "end-plate width"),
        ({"plate_depth_upper_mm": 26.0}, "end-plate depth, upper and lower,"),
        ({"wedge_deg": 29.0}, "body height in front or behind"),
        ({"wedge_deg": 90.0}, "wedge 90 degrees"),
        ({"superior_concavity_mm": 14.0}, "concavity of both end plates"),
    ],
)
def test_sizes_that_are_no_vertebra_are_refused_with_the_reason(wanted, says) -> None:
    for target in ("L1", "L2"):  # of a neighbour as well
        with pytest.raises(InputError) as caught:
            PhantomSpec(target, ("L1", "L2"), "none", 0.0, sizes={"L1": replace(morphometry("L1"), **wanted)})
        assert caught.value.code == "sizes_invalid"
        assert says in str(caught.value)


def test_sizes_of_an_unknown_level_are_refused() -> None:
    with pytest.raises(InputError, match="C3"):
        PhantomSpec(sizes={"C3": morphometry("L1")})


def test_a_scan_that_would_fill_the_memory_is_refused_before_it_is_made() -> None:
    spec = PhantomSpec("T8", (*LEVELS, "S1"), "none", 0.0)
    with pytest.raises(InputError, match="GB of memory") as caught:
        make_phantom(spec, Scanner((0.3, 0.3, 0.3)))
    assert caught.value.code == "scan_too_large"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"spacing_zyx": (float("nan"), 0.8, 0.8)}, "spacing_invalid"),
        ({"spacing_zyx": (1.0, -0.8, 0.8)}, "spacing_invalid"),
        ({"spacing_zyx": (1.0, 0.8)}, "spacing_invalid"),
        ({"spacing_zyx": (0.01, 0.8, 0.8)}, "spacing_invalid"),
        ({"noise_hu": -1.0}, "noise_invalid"),
        ({"psf_mm": 50.0}, "psf_invalid"),
        ({"seed": -1}, "seed_invalid"),
    ],
)
def test_an_impossible_scanner_is_refused(wanted, code) -> None:
    with pytest.raises(InputError) as caught:
        Scanner(**wanted)
    assert caught.value.code == code


@pytest.mark.parametrize("rotation", [np.eye(3) * 2, np.diag([-1.0, 1.0, 1.0]), np.eye(2), np.full((3, 3), np.nan)])
def test_a_pose_that_is_no_rotation_is_refused(rotation) -> None:
    with pytest.raises(InputError) as caught:
        Pose(rotation)
    assert caught.value.code == "pose_invalid"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="wedge-L1"):
        named("nothing")
