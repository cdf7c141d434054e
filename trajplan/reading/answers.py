"""What only a person can decide about a scan: the answers given beforehand, and the question where one is missing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

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
    field : str
        What it sets: ``series`` or ``nifti_form`` of `Answers`.
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
        field: Literal["series", "nifti_form"],
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
        self._field = field

    def answered(self, answers: Answers, choice: str) -> Answers:
        """The answers with one of the `choices` taken."""
        if self._field == "nifti_form":
            return dataclasses.replace(answers, nifti_form=NiftiForm(choice))
        return dataclasses.replace(answers, series=choice)


class Doubt(InputError):
    """A scan that speaks against being read, and is read only when somebody says so who knows better.

    Parameters
    ----------
    message : str
        What speaks against it, and what would help. The option that overrules it is added.
    code : str
    field : str
        What overrules it: ``assume_hu`` or ``resample_irregular`` of `Answers`.
    numbers : mapping of str to float, optional
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        field: Literal["assume_hu", "resample_irregular"],
        numbers: Mapping[str, float] | None = None,
    ) -> None:
        flag = "--" + field.replace("_", "-")
        super().__init__(f"{message}, or {flag} if you know better", code=code, numbers=numbers)
        self.asked = message
        self.field = field

    def overruled(self, answers: Answers) -> Answers:
        """The answers with this doubt set aside."""
        if self.field == "assume_hu":
            return dataclasses.replace(answers, assume_hu=True)
        return dataclasses.replace(answers, resample_irregular=True)
