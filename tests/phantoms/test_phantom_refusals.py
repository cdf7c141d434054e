"""What cannot be built is refused with its numbers."""

from __future__ import annotations

import numpy as np
import pytest

from trajplan.errors import InputError
from trajplan_phantoms import PhantomSpec, Pose, Scanner, named


@pytest.mark.parametrize(
    ("wanted", "code", "says"),
    [
        ({"height_loss_percent": 95.0}, "height_loss_invalid", "95 %"),
        ({"height_loss_percent": float("nan")}, "height_loss_invalid", "nan"),
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
    ("wanted", "code"),
    [
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
