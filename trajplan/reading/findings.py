"""Every code the reading room can give: how severe it is, what it means and what to do. `docs/findings.md` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trajplan.errors import InputError
from trajplan.reading.answers import Question

SEVERITIES = ("info", "repair", "warning", "ask", "refuse")
"""``info`` nothing to do; ``repair`` was put right and is said; ``warning`` look at it; ``ask`` a choice is needed and
nothing is read; ``refuse`` nothing is read."""


@dataclass(frozen=True)
class Code:
    """One code: its severities (a code may warn at first and refuse later), meaning, and what to do."""

    severities: tuple[str, ...]
    meaning: str
    to_do: str


def _code(severities: str, meaning: str, to_do: str) -> Code:
    return Code(tuple(severities.split()), meaning, to_do)


_EXPORT_AGAIN = "Export or copy the series again."
_COPY_AGAIN = "Copy the file again from where it came."
_NOTHING = "Nothing."

_DICOM = {
    "bits": _code("refuse", "Bits stored, allocated and high bit do not fit each other.", _EXPORT_AGAIN),
    "dicomdir_incomplete": _code(
        "warning",
        "A DICOMDIR lists files that are not there.",
        "Copy the whole disc, or make sure the series is whole.",
    ),
    "duplicate_file_dropped": _code(
        "repair", "Files that are byte for byte copies of another were left out.", _NOTHING
    ),
    "duplicate_positions": _code(
        "ask refuse",
        "Slice positions occur more than once with different content: phases, kernels or acquisitions in one series.",
        "Choose a group of the table with `--series UID#N`; where none is offered, keep one copy of each slice.",
    ),
    "empty_files": _code(
        "warning", "Files of 0 bytes lay in the folder.", "Make sure that no slice was lost in copying."
    ),
    "expands_too_much": _code("refuse", "A small deflated file unpacks to far more than a CT slice.", "Do not use it."),
    "gantry_tilt": _code("repair", "Slices stacked at an angle to their normal, resampled to right angles.", _NOTHING),
    "geometry_not_affine": _code(
        "warning refuse",
        "Slice positions are off a regular grid: up to 0.10 mm warned of, above refused (missing or irregular slices).",
        "Send the series again; `--resample-irregular` interpolates, and says so.",
    ),
    "geometry_varies": _code(
        "refuse", "Image size, pixel spacing, orientation or frame of reference changes within a series.", _EXPORT_AGAIN
    ),
    "irregular_resampled": _code(
        "warning", "Irregular or missing slices were interpolated on request.", "Do not plan within the gap it names."
    ),
    "group_chosen": _code("info", "One group of a series was read, as asked for.", _NOTHING),
    "laterality": _code("info", "A laterality tag was found; sides come from the orientation alone.", _NOTHING),
    "lossy": _code("warning", "Lossy compression: HU may be off by tens.", "Use the original series."),
    "missing_orientation": _code("refuse", "No valid ImageOrientationPatient.", _EXPORT_AGAIN),
    "missing_position": _code("refuse", "No valid ImagePositionPatient.", _EXPORT_AGAIN),
    "mixed_patients": _code("refuse", "One series holds more than one patient or study.", "Sort the files by study."),
    "multi_frame": _code(
        "refuse", "A multi-frame image that does not describe its frames.", "Export one file a slice, or NIfTI."
    ),
    "no_ct_slices": _code("refuse", "Only localisers, captures or colour images.", "Name the folder of the CT."),
    "no_dicom": _code("refuse", "No DICOM image was found.", "Name the folder that holds the CT."),
    "no_rescale": _code(
        "refuse", "No rescale slope and intercept: HU unknown.", "Use the original; `--assume-hu` if you know better."
    ),
    "non_volume_images_dropped": _code("repair", "Localisers, captures or colour images were left out.", _NOTHING),
    "not_ct": _code("refuse", "The modality is not CT.", "Name the CT; `--assume-hu` if you know better."),
    "other_series_ignored": _code("info", "Images of other, smaller series were left out.", _NOTHING),
    "patient_position": _code(
        "info",
        "The patient lay prone, on a side or feet first, or PatientPosition and orientation disagree.",
        "Nothing: position and orientation of the slices rule, and left and right follow from them.",
    ),
    "photometric": _code("refuse", "A CT in inverted grey or colour.", _EXPORT_AGAIN),
    "rescale_invalid": _code(
        "refuse", "Values are scaled as no CT is, or in a way that many pass over.", _EXPORT_AGAIN
    ),
    "rescale_type": _code(
        "refuse", "Stored values are not HU by the file's own word (such as an iodine map).", "Use the HU series."
    ),
    "series_chosen": _code("info", "One series of several was read, as asked for.", _NOTHING),
    "several_series": _code("ask", "More than one CT volume.", "Choose one of the table with `--series UID`."),
    "shear_along_rows": _code(
        "warning", "Slices shift along the image rows, which no gantry tilt makes.", "Check the scan by eye."
    ),
    "unknown_series": _code("refuse", "The series or group asked for is not there.", "Choose one that is listed."),
}

_FILE = {
    "checksum": _code("refuse", "Packed data are damaged: their checksum fails.", _COPY_AGAIN),
    "empty_file": _code("refuse", "The file has 0 bytes.", _COPY_AGAIN),
    "encoding": _code(
        "refuse", "The voxels are stored in a way that is not read (text, skipped bytes).", "Convert it."
    ),
    "header_ambiguous": _code("refuse", "The header says two things at once.", "Write the file again."),
    "header_invalid": _code("refuse", "The header is damaged.", _COPY_AGAIN),
    "name_mismatch": _code("refuse", "The name says another format than the content.", "Rename the file."),
    "nifti2_unsupported": _code("refuse", "NIfTI-2 is not read.", "Convert it to NIfTI-1 or NRRD."),
    "nifti_forms_disagree": _code(
        "ask",
        "qform and sform place a corner more than 0.01 mm apart: left and right may be swapped.",
        "Find out which is right; then `--nifti-form qform` or `--nifti-form sform`.",
    ),
    "nifti_form_chosen": _code(
        "warning", "One of two places that disagree was believed, as asked for.", "Check left and right by eye."
    ),
    "nifti_no_orientation": _code(
        "refuse",
        "Neither qform nor sform is set, or not the one asked for: left and right unknown.",
        "Export it again from the DICOM series.",
    ),
    "nifti_unsupported": _code("refuse", "Analyze or header and image pair.", "Convert it to .nii.gz or .nrrd."),
    "metaimage_units": _code("refuse", "Distance units other than mm.", "Convert it to mm."),
    "no_data_file": _code("refuse", "The data file of a detached header is missing.", "Copy both files."),
    "not_a_file": _code("refuse", "Neither a file nor a folder.", "Name a file or a folder."),
    "not_found": _code("refuse", "The path does not exist.", "Check the name."),
    "nrrd_no_space": _code("refuse", "No space is defined: left and right unknown.", "Write it with a space."),
    "nrrd_units": _code("refuse", "Space units other than mm.", "Convert it to mm."),
    "size_mismatch": _code(
        "refuse", "More voxels than the header declares: slices would be lost, or it is a bomb.", _COPY_AGAIN
    ),
    "truncated": _code("refuse", "The file is shorter than its header says.", _COPY_AGAIN),
    "unknown_format": _code("refuse", "None of DICOM, NIfTI-1, NRRD, MetaImage.", "Convert it to one of them."),
    "unreadable_file": _code("refuse", "The file cannot be read or decoded.", _COPY_AGAIN),
    "unsafe_data_file": _code(
        "refuse", "A header names a data file outside its folder, a link, a pattern or a pipe.", "Do not trust it."
    ),
}

_VOLUME = {
    "coverage": _code("refuse", "Less than 30 mm from head to feet.", "Use a scan that holds the vertebra."),
    "empty_image": _code("refuse", "An image of no voxels.", _COPY_AGAIN),
    "empty_grid": _code("refuse", "A grid of no voxels.", _COPY_AGAIN),
    "hu_assumed": _code("warning", "Values were taken as HU on request.", "Check that bone and air look right."),
    "hu_range": _code("refuse", "Values above 32767.", "Use a CT in HU."),
    "missing_spacing": _code("refuse", "No voxel spacing is stated.", _EXPORT_AGAIN),
    "not_3d_scalar": _code("refuse", "Not one 3-D volume of single numbers.", "Extract the one volume."),
    "not_finite": _code("refuse", "Voxels that are NaN or infinite.", "Write the file again without them."),
    "not_hu": _code("refuse", "The values cannot be HU.", "Convert them; `--assume-hu` if you know better."),
    "oblique_resampled": _code("repair", "An oblique grid was turned to the patient axes.", _NOTHING),
    "orientation_invalid": _code("refuse", "Direction cosines are not at right angles.", _EXPORT_AGAIN),
    "out_of_memory": _code("refuse", "Not enough memory for this scan.", "Crop it to the spine."),
    "padding": _code("repair", "Voxels below -1024 HU or marked as padding became -1024.", _NOTHING),
    "position_absurd": _code("refuse", "A corner lies more than 10 m from the origin.", _COPY_AGAIN),
    "shape_mismatch": _code("refuse", "Array and grid do not fit.", _COPY_AGAIN),
    "slices_too_thick": _code("refuse", "Slices more than 6 mm apart.", "Use a thinner reconstruction."),
    "spacing_invalid": _code("refuse", "Spacing is zero, negative or not finite.", _EXPORT_AGAIN),
    "spacing_range": _code("refuse", "Spacing outside 0.05 to 10 mm.", "Check the units of the file."),
    "thick_slices": _code(
        "warning", "Slices more than 3 mm apart: pedicle walls are uncertain.", "Prefer a thinner reconstruction."
    ),
    "too_few_slices": _code("refuse", "Fewer than 8 voxels along an axis.", "Name the folder of the CT."),
    "too_many_voxels": _code("refuse", "Larger than any CT.", "Crop it to the spine."),
}

_CONTENT = {
    "cement_like": _code(
        "warning", "A compact dense blob, as bone cement or an implant.", "Check whether the level was treated before."
    ),
    "contrast": _code("warning", "Vessels or organs filled with contrast.", "Expect bone and vessel to touch in HU."),
    "hu_scale": _code("warning", "Air, fat or muscle lies far from its usual HU.", "Check calibration and kernel."),
    "little_bone": _code("warning", "Hardly any bone in the scan.", "Make sure that this is a scan of the spine."),
    "metal": _code("warning", "Metal: streaks falsify HU around it.", "Do not trust walls near it."),
    "posterior_not_behind": _code(
        "warning",
        "Bone lies in front of the body's centre, where a spine lies behind it.",
        "Check front and back, and with it left and right.",
    ),
    "short_scan": _code("warning", "Less than 60 mm from head to feet.", "Count the level on another scan."),
    "small_field_of_view": _code("info", "No air around the body.", _NOTHING),
}

_LABELS = {
    "label_order": _code("refuse", "Vertebrae do not follow each other from head to feet.", "Check `--scheme`."),
    "labels_elsewhere": _code("refuse", "The labels do not lie in the CT.", "Use labels of the same scan."),
    "labels_not_integer": _code("refuse", "Label ids that are no whole numbers 0 to 65535.", "Threshold or convert."),
    "labels_other_grid": _code("info", "The labels lie on another grid than the CT.", _NOTHING),
    "no_vertebra": _code("refuse", "No vertebra in the label map.", "Check `--scheme` and the file."),
    "unknown_level": _code("refuse", "No such level.", "Use a VerSe id."),
}

CODES: Mapping[str, Code] = MappingProxyType(_DICOM | _FILE | _VOLUME | _CONTENT | _LABELS)
"""Code -> severity, meaning, what to do."""

CONTENT_CODES = frozenset(_CONTENT)
"""Codes that speak of what the scan shows, not of how it was stored."""

GROUPS: Mapping[str, Mapping[str, Code]] = MappingProxyType(
    {
        "DICOM series": _DICOM,
        "Files": _FILE,
        "Voxels and grid": _VOLUME,
        "What the scan shows": _CONTENT,
        "Label maps": _LABELS,
    }
)


def severity_of(error: InputError) -> str:
    """``ask`` where a choice is offered, else ``refuse``."""
    return "ask" if isinstance(error, Question) else "refuse"


def to_do(code: str) -> str:
    """What to do about a code; empty for one that is not of this room."""
    return CODES[code].to_do if code in CODES else ""


def findings_markdown() -> str:
    """The tables of `docs/findings.md`."""
    lines = []
    for title, codes in GROUPS.items():
        lines += ["", f"## {title}", "", "| code | severity | meaning | what to do |", "|---|---|---|---|"]
        lines += [f"| `{k}` | {', '.join(c.severities)} | {c.meaning} | {c.to_do} |" for k, c in sorted(codes.items())]
    return "\n".join(lines) + "\n"
