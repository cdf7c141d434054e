"""What only a person can decide about a scan is asked in the window, by real dialogs, and the answer is taken."""

import nibabel as nib
import numpy as np
import pytest
from dicom_files import write_series

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="Qt is not installed")

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialog, QInputDialog, QMessageBox

from napari_trajplan._reader import read_layers
from trajplan.errors import InputError
from trajplan.reading import Question


def _hu(shape=(20, 24, 26)):
    _, y, x = np.indices(shape)
    inside = (y - shape[1] / 2) ** 2 + (x - shape[2] / 2) ** 2 < 90
    rng = np.random.default_rng(3)
    return np.where(inside, 40 + rng.normal(0, 12, shape), -1000).astype(np.int16)


def _when_asked(answer):
    """Do `answer` to the next dialog, and give the list of what dialogs asked."""
    seen = []
    timer = QTimer(QApplication.instance())

    def look():
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog) and dialog.isVisible():
                asked = dialog.labelText() if isinstance(dialog, QInputDialog) else dialog.text()
                seen.append(asked)
                timer.stop()
                answer(dialog)
                return

    timer.timeout.connect(look)
    timer.start(50)
    return seen


@pytest.fixture
def two_series(tmp_path):
    write_series(tmp_path / "s" / "a", _hu(), series_uid="1.2.3.4")
    write_series(tmp_path / "s" / "b", _hu(), series_uid="1.2.3.5", spacing_zyx=(2.5, 0.9, 0.7))
    return str(tmp_path / "s")


def test_the_series_that_is_chosen_is_opened(window, two_series):
    def second(dialog):
        rows = dialog.comboBoxItems()
        assert [("2.00 mm apart" in r, "2.50 mm apart" in r) for r in rows] == [(True, False), (False, True)]
        dialog.setTextValue(rows[1])
        dialog.accept()

    asked = _when_asked(second)
    ((_, about, _),) = read_layers(two_series)
    assert "2 CT volumes" in asked[0]
    assert "--series" not in asked[0]
    assert about["scale"][0] == pytest.approx(2.5)
    told = about["metadata"]["trajplan"]
    assert "series_chosen" in {f["code"] for f in told["findings"]}, "the choice stands with the scan"
    assert told["origin"].series_uid == "1.2.3.5"


def test_a_question_put_away_opens_nothing_and_says_what_was_asked(window, two_series):
    _when_asked(lambda dialog: dialog.reject())
    with pytest.raises(Question, match="2 CT volumes"):
        read_layers(two_series)


def test_the_place_of_a_nifti_file_is_chosen(window, tmp_path):
    image = nib.Nifti1Image(_hu().transpose(2, 1, 0), np.diag([0.7, 0.7, 2.0, 1.0]))
    image.set_qform(np.diag([0.7, 0.7, 2.0, 1.0]), code=1)
    image.set_sform(np.diag([-0.7, 0.7, 2.0, 1.0]), code=1)
    nib.save(image, tmp_path / "two.nii")

    def qform(dialog):
        dialog.setTextValue(next(r for r in dialog.comboBoxItems() if "qform" in r))
        dialog.accept()

    asked = _when_asked(qform)
    ((_, about, _),) = read_layers(str(tmp_path / "two.nii"))
    assert "disagree" in asked[0]
    assert "nifti_form_chosen" in {f["code"] for f in about["metadata"]["trajplan"]["findings"]}


@pytest.mark.parametrize("agreed", [True, False])
def test_what_is_no_ct_is_read_only_when_somebody_says_so(window, tmp_path, agreed):
    write_series(tmp_path / "mr", _hu(), edit=lambda _n, dataset: setattr(dataset, "Modality", "MR"))
    button = QMessageBox.StandardButton.Yes if agreed else QMessageBox.StandardButton.No
    asked = _when_asked(lambda dialog: dialog.button(button).click())
    if agreed:
        ((_, about, _),) = read_layers(str(tmp_path / "mr"))
        assert "hu_assumed" in {f["code"] for f in about["metadata"]["trajplan"]["findings"]}
    else:
        with pytest.raises(InputError):
            read_layers(str(tmp_path / "mr"))
    assert "all the same" in asked[0]
    assert "--assume-hu" not in asked[0]


def test_without_a_window_a_question_stays_an_error(two_series):
    with pytest.raises(Question):
        read_layers(two_series)
