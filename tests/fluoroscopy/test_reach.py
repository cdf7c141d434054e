"""Promises about the table: the isocentre's height over the floor, and refusals that name heights which do."""

from __future__ import annotations

import numpy as np
import pytest
from fluoroscopy_truth import CENTER_LPS, body_volume

from trajplan.errors import GeometryError, InputError
from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.reach import Reach, Table, table_under

VIEW = CArm(0.0, 0.0, CENTER_LPS)


@pytest.mark.parametrize(("prone", "skin"), [(True, -52.0), (False, 52.0)])
def test_the_table_touches_the_skin_below_the_isocentre(prone: bool, skin: float) -> None:
    table = table_under(body_volume(), CENTER_LPS, 900.0, prone=prone)
    assert table.skin_y_mm == pytest.approx(CENTER_LPS[1] + skin, abs=5.0)  # the strip is 40 mm wide, the body round
    assert table.isocenter_height_mm(VIEW) == pytest.approx(900.0 + 52.0, abs=5.0)
    higher = CArm(0.0, 0.0, CENTER_LPS + np.array([0.0, 10.0 if prone else -10.0, 0.0]))  # away from the table is up
    assert table.isocenter_height_mm(higher) - table.isocenter_height_mm(VIEW) == pytest.approx(10.0)


def test_a_height_the_c_arm_cannot_reach_is_refused_with_the_heights_that_do() -> None:
    table, reach = Table(700.0, float(CENTER_LPS[1]) - 100.0), Reach(lowest_mm=1000.0, highest_mm=1400.0)
    with pytest.raises(GeometryError, match="set the table to 900 to 1300 mm") as caught:
        table.require_height(VIEW, reach)
    assert caught.value.code == "table_out_of_reach"
    for height in (900.0, 1300.0):
        assert Table(height, table.skin_y_mm).require_height(VIEW, reach) == pytest.approx(height + 100.0)
    with pytest.raises(GeometryError):
        Table(1301.0, table.skin_y_mm).require_height(VIEW, reach)


def test_no_patient_no_table() -> None:
    with pytest.raises(InputError, match="no tissue"):
        table_under(body_volume(), CENTER_LPS + np.array([0.0, 0.0, 500.0]), 900.0)
