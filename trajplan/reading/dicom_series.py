"""Which files of a folder make the one CT volume that was meant, or a refusal that lists the choices."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trajplan.errors import InputError
from trajplan.reading.checks import MIN_VOXELS
from trajplan.reading.dicom_geometry import slice_normal, slice_spacing_mm
from trajplan.reading.dicom_header import Header, read_header
from trajplan.reading.scan import Finding

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_NOT_SLICES = {"LOCALIZER", "SCOUT", "DOSE_INFO", "PATIENT_INFO", "REF_SURVIEW", "SCREEN SAVE"}
_SCOUT_DEG, _MAX_SCOUTS = 20.0, 3


def files_below(folder: Path) -> list[Path]:
    """Every regular file at any depth, in a stable order; links to folders and pipes are not followed."""
    found = []
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(base) / name
            try:
                regular = stat.S_ISREG(path.stat().st_mode)
            except OSError:  # a dangling link holds no slice
                continue
            if regular:
                found.append(path)
    return found


def choose_series(
    files: Sequence[Path], where: str, *, series: str | None, assume_hu: bool
) -> tuple[list[Header], list[Finding]]:
    """The headers of the one volume among `files`, and findings on what was left out.

    Parameters
    ----------
    files : sequence of Path
    where : str
        Name of the folder or file, for messages.
    series : str or None
        SeriesInstanceUID to take when there are several.
    assume_hu : bool
        Also accept modalities other than CT.

    Raises
    ------
    InputError
        ``no_dicom``, ``not_ct``, ``multi_frame``, ``several_series``, ``unknown_series``, ``too_few_slices``.
    """
    headers = [h for path in files if (h := read_header(path)) is not None]
    if not headers:
        raise InputError(f"{where} holds no DICOM image ({len(files)} files looked at)", code="no_dicom")
    if series is not None:
        headers = _only(headers, series, where)
    slices, dropped = [h for h in headers if _is_slice(h)], [h for h in headers if not _is_slice(h)]
    findings = []
    empty = [path.name for path in files if path.stat().st_size == 0]
    if empty:
        text = f"{len(empty)} empty files (0 bytes) were passed over, such as {empty[0]}: a slice may be lost"
        findings.append(Finding("empty_files", "warning", text))
    if dropped:
        text = f"ignored {len(dropped)} images that are not CT slices: {_names(dropped)}"
        findings.append(Finding("non_volume_images_dropped", "repair", text))
    usable = [h for h in slices if h.frames == 1 and (assume_hu or h.modality == "CT")]
    if not usable:
        raise _nothing_usable(slices, where)
    groups: dict[str, list[Header]] = {}
    for header in usable:
        groups.setdefault(header.series_uid, []).append(header)
    volumes = {uid: group for uid, group in groups.items() if len(group) >= MIN_VOXELS}
    if len(volumes) > 1:
        table = "; ".join(_row(uid, group) for uid, group in sorted(volumes.items()))
        raise InputError(
            f"{where} holds {len(volumes)} CT volumes; choose one with --series UID: {table}",
            code="several_series",
            numbers={"series": float(len(volumes))},
        )
    if not volumes:
        most = max(len(group) for group in groups.values())
        raise InputError(
            f"{where} holds no series of at least {MIN_VOXELS} CT slices (the largest has {most})",
            code="too_few_slices",
            numbers={"slices": float(most)},
        )
    chosen = next(iter(volumes.values()))
    others = len(slices) - len(chosen)
    if others:
        findings.append(
            Finding("other_series_ignored", "info", f"ignored {others} images of other series beside the one volume")
        )
    return chosen, findings


def _only(headers: list[Header], series: str, where: str) -> list[Header]:
    chosen = [h for h in headers if h.series_uid == series]
    if not chosen:
        known = "; ".join(sorted({h.series_uid for h in headers}))
        raise InputError(f"{where} holds no series {series}; it holds {known}", code="unknown_series")
    return chosen


def _is_slice(h: Header) -> bool:
    flat = h.samples == 1 and h.monochrome
    return flat and not h.sop_class.startswith(_SECONDARY_CAPTURE) and not _NOT_SLICES.intersection(h.image_type)


def _nothing_usable(slices: list[Header], where: str) -> InputError:
    if not slices:
        return InputError(f"{where} holds only localisers, captures or colour images, no CT slice", code="no_ct_slices")
    multi = [h for h in slices if h.frames > 1]
    if multi:
        return InputError(
            f"{multi[0].path.name} is an enhanced multi-frame image ({multi[0].frames} frames), which is not read yet; "
            "export the series as one file a slice, or as NIfTI",
            code="multi_frame",
            numbers={"frames": float(multi[0].frames)},
        )
    modality = slices[0].modality or "not given"
    return InputError(f"{where}: modality is {modality}, not CT, so Hounsfield units are not defined", code="not_ct")


def _row(uid: str, group: list[Header]) -> str:
    apart = slice_spacing_mm(group)
    in_plane = group[0].spacing_mm
    shown = f"{in_plane[0]:.2f} mm" if in_plane else "?"
    spacing = f"{apart:.2f} mm apart, pixels {shown}" if apart else f"spacing unknown, pixels {shown}"
    return f"{uid or '(no UID)'} [{group[0].description or 'no description'}, {len(group)} slices, {spacing}]"


def drop_scouts(group: list[Header]) -> tuple[list[Header], list[Finding]]:
    """Leave out up to 3 images that look along another direction than the rest (unmarked localisers)."""
    normals = [slice_normal(h.orientation) if h.orientation is not None else None for h in group]
    keys = Counter(tuple(np.round(n, 2)) for n in normals if n is not None)
    if len(keys) < 2:
        return group, []
    main = np.array(keys.most_common(1)[0][0])
    limit = np.cos(np.radians(_SCOUT_DEG))
    scouts = [
        h for h, n in zip(group, normals, strict=True) if n is not None and n @ main < limit * np.linalg.norm(main)
    ]
    if not 0 < len(scouts) <= _MAX_SCOUTS:
        return group, []
    text = f"ignored {len(scouts)} images of another orientation (localisers): {_names(scouts)}"
    return [h for h in group if h not in scouts], [Finding("non_volume_images_dropped", "repair", text)]


def drop_duplicates(group: list[Header]) -> tuple[list[Header], list[Finding]]:
    """Leave out files that are byte for byte copies of another."""
    repeated = {uid for uid, n in Counter(h.sop_uid for h in group).items() if n > 1}
    seen: set[str] = set()
    kept = []
    for h in group:
        if h.sop_uid in repeated:
            digest = hashlib.sha256(h.path.read_bytes()).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
        kept.append(h)
    n = len(group) - len(kept)
    return kept, [Finding("duplicate_file_dropped", "repair", f"{n} duplicate files ignored")] if n else []


def _names(headers: list[Header]) -> str:
    names = [h.path.name for h in headers]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
