"""A line under a title is never cut off by the border of its picture."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from trajplan.reporting import style


@pytest.mark.parametrize("length", [10, 50, 66, 90, 120])
def test_a_long_line_under_a_title_is_set_smaller(length: int) -> None:
    text = ("90.0° LAO, 12.5° CRA; 90 kVp, 250 µGy a frame at the skin (uncalibrated) " * 2)[:length]
    figure, _ = style.image_figure(1.0, title="Simulated X-ray", subtitle=text, legend_rows=0)
    FigureCanvasAgg(figure).draw()
    (found,) = [one for one in figure.texts if one.get_text() == text]
    box = found.get_window_extent()
    assert box.x0 >= 0.0
    assert box.x1 <= figure.bbox.width
    assert (found.get_fontsize() < 7.0) == (length > style._SUBTITLE_CHARACTERS_AN_IN * figure.get_size_inches()[0])
