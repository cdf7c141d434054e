"""Transverse processes that spring from the pedicle itself, as at L5, and those that leave its outer wall free."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trajplan.anatomy.phantom_atlas import make_atlas
from trajplan.errors import InputError
from trajplan.levels import level_id
from trajplan.parts import Side
from trajplan_phantoms import PhantomSpec, Scanner, make_phantom
from trajplan_phantoms.morphometry import morphometry
from trajplan_phantoms.phantom import Phantom

COARSE = Scanner((3.0, 3.0, 3.0), noise_hu=0.0)
L5 = morphometry("L5")


def phantom(forward_mm: float) -> Phantom:
    sizes = {"L5": replace(L5, transverse_forward_mm=forward_mm)}
    spec = PhantomSpec(target="L5", levels=("L4", "L5", "S1"), fracture="none", sizes=sizes)
    return make_phantom(spec, COARSE)


def beside_the_isthmus(one: Phantom, side: Side) -> float:
    """Implicit value 3 mm outside the table's outer wall of the pedicle, mm; negative in bone."""
    plain = phantom(0.0).truth.pedicles[side].isthmus_center_lps
    local = one.truth.frame.to_local(plain) + np.array([side.sign * (0.5 * L5.pedicle_width_mm + 3.0), 0.0, 1.5])
    return float(one.truth.bone_value(one.truth.frame.to_world(local)[None])[0])


@pytest.mark.parametrize("side", list(Side))
def test_a_root_in_front_of_the_pars_lies_on_the_pedicle(side: Side) -> None:
    assert beside_the_isthmus(phantom(0.0), side) > 0.5
    assert beside_the_isthmus(phantom(10.0), side) < -0.5


def test_a_root_in_front_of_the_body_is_refused() -> None:
    with pytest.raises(InputError, match="transverse forward"):
        phantom(30.0)


def test_the_built_in_l5_has_it() -> None:
    """3 mm behind the posterior wall its bone reaches further out than pedicles alone."""
    atlas = make_atlas("L5")
    where = atlas.frame.to_local(atlas.labels.grid.index_to_world(np.argwhere(atlas.labels.array == level_id("L5"))))
    beside_the_wall = where[np.abs(where[:, 1] - 0.5 * atlas.depth_mm - 3.0) < 2.0]
    assert np.abs(beside_the_wall[:, 0]).max() > 0.5 * L5.canal_width_mm + L5.pedicle_width_mm + 4.0
