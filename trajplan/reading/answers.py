"""What only a person can decide about a scan: the answers given beforehand, and the question where one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trajplan.errors import InputError

_SHOWN = 12


class NiftiForm(StrEnum):
    """The two places that a NIfTI file can state for its voxels."""

    QFORM = "qform"
    SFORM = "sform"


@dataclass(frozen=True)
class Answers:
    """What was decided by whoever asks for a scan; each one that mattered becomes a finding, so that a plan says it.

    Parameters
    ----------
    series : str, optional
        SeriesInstanceUID, when a DICOM folder holds several volumes; ``UID#N`` for one group within a series.
    nifti_form : NiftiForm, optional
        Which of the two places of a NIfTI file is right, where they disagree.
    assume_hu : bool
        Take the stored values as Hounsfield units although modality, rescale or histogram speak against it.
    resample_irregular : bool
        Interpolate irregular or missing DICOM slices (up to 6 mm apart) instead of refusing them.
    """

    series: str | None = None
    nifti_form: NiftiForm | None = None
    assume_hu: bool = False
    resample_irregular: bool = False


NO_ANSWERS = Answers()


class Question(InputError):
    """A scan that can be read in more than one way, none better than the other (severity ``ask``): nothing is read.

    Parameters
    ----------
    message : str
        What is unclear. The choices are added to it.
    code : str
    flag : str
        The option of the command line that answers.
    choices : mapping of str to str
        What to say to it -> what that choice holds.
    numbers : mapping of str to float, optional
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        flag: str,
        choices: Mapping[str, str],
        numbers: Mapping[str, float] | None = None,
    ) -> None:
        rows = "; ".join(f"{answer} [{holds}]" for answer, holds in list(choices.items())[:_SHOWN])
        more = f" and {len(choices) - _SHOWN} more" if len(choices) > _SHOWN else ""
        super().__init__(f"{message}; choose one with {flag}: {rows}{more}", code=code, numbers=numbers)
        self.asked = message
        self.flag = flag
        self.choices = dict(choices)
