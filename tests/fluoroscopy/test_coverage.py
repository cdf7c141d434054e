"""Promises about the end of a scan inside the field: it is known, and it is neither an edge nor a bright line."""

from __future__ import annotations

import dataclasses

import numpy as np
from fluoroscopy_truth import CENTER_LPS, body_volume

from trajplan.fluoroscopy.carm import CArm
from trajplan.fluoroscopy.coverage import cut_rays, label_places, scan_ends
from trajplan.fluoroscopy.display import display_window, to_display
from trajplan.fluoroscopy.projector import project
from trajplan.fluoroscopy.tools import add_tools, steel_tool
from trajplan.geometry import Capsule, Grid, Volume

VIEW = CArm(0.0, 0.0, CENTER_LPS, 1000.0, 600.0, (160, 160), 1.6)


def cropped() -> Volume:
    """The body without its lower third, as a scan that was ended there."""
    body = body_volume()
    grid = body.grid
    low = 40
    return Volume(
        body.array[low:],
        Grid((96 - low, 96, 96), grid.origin_lps + np.array([0, 0, low * grid.spacing_zyx[0]]), grid.spacing_zyx),
    )


def test_only_faces_that_cut_the_patient_are_ends() -> None:
    assert not np.isfinite(scan_ends(body_volume())).any()
    ends = scan_ends(cropped())
    assert np.isfinite(ends[0, 2])
    assert np.isfinite(ends).sum() == 1
    bottom = float(cropped().grid.origin_lps[2] - 0.5 * cropped().grid.spacing_zyx[0])
    assert ends[0, 2] == bottom + 2 * cropped().grid.spacing_zyx[0]


def test_rays_are_cut_from_where_the_last_slices_are_projected() -> None:
    assert cut_rays(scan_ends(body_volume()), VIEW) is None
    ends = scan_ends(cropped())
    cut = cut_rays(ends, VIEW)
    assert cut is not None
    middle = cut[:, 80]
    first = int(np.argmax(middle))
    assert middle[first:].all()
    # below the isocentre the front of the patient, further from the source, ends first
    near, far = (VIEW.project([CENTER_LPS[0], CENTER_LPS[1] + d, ends[0, 2]])[0] for d in (-60.0, 60.0))
    assert min(near, far) - 2 < first < max(near, far) + 2
    places = label_places(cut, (0, 160), (0, 160))
    assert len(places) == 1
    assert places[0][0] > first


def test_a_field_within_the_scan_has_no_end() -> None:
    up = dataclasses.replace(VIEW, isocenter_lps=CENTER_LPS + np.array([0, 0, 30.0]), detector_px=(40, 160))
    assert cut_rays(scan_ends(cropped()), up) is None


def test_the_end_of_a_scan_is_no_bright_edge_and_hides_no_needle() -> None:
    drr = project(cropped(), VIEW)
    cut = cut_rays(drr.ends_lps, VIEW)
    assert cut is not None
    picture = to_display(drr)
    body = drr.line_integral[:, 80] > 1.0
    assert (picture[cut] < 12).mean() > 0.99
    first = int(np.argmax(cut[:, 80]))
    assert body[first - 12 : first].all()
    # the last rows are no brighter than those a little further in, where the same tissue lies
    assert picture[first - 4 : first, 70:90].mean() < picture[first - 16 : first - 6, 70:90].mean() + 8
    needle = Capsule(CENTER_LPS + np.array([-40.0, 0, -42.0]), CENTER_LPS + np.array([40.0, 0, -42.0]), 2.0)
    row, column = (round(float(v)) for v in VIEW.project(CENTER_LPS + np.array([0.0, 0.0, -42.0])))
    assert cut[row, column]
    for window in (None, display_window(drr)):
        assert to_display(add_tools(drr, [steel_tool(needle)]), window=window)[row, column] > 200
