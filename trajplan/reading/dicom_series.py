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
from trajplan.reading.answers import Doubt
from trajplan.reading.checks import MIN_VOXELS
from trajplan.reading.dicom_geometry import slice_normal
from trajplan.reading.dicom_groups import ask, split_by_geometry, split_by_kind
from trajplan.reading.dicom_header import Header, read_headers
from trajplan.reading.scan import Finding

_SECONDARY_CAPTURES = ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.88", "1.2.840.10008.5.1.4.1.1.11")
_NOT_SLICES = {"LOCALIZER", "SCOUT", "DOSE_INFO", "PATIENT_INFO", "REF_SURVIEW", "SCREEN SAVE", "TOPOGRAM", "SURVIEW"}
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
        SeriesInstanceUID to take when there are several, with ``#N`` for one of the groups within it.
    assume_hu : bool
        Also accept modalities other than CT.

    Raises
    ------
    InputError
        ``no_dicom``, ``no_ct_slices``, ``not_ct``, ``photometric``, ``multi_frame``, ``several_series``,
        ``unknown_series``, ``too_few_slices``, ``duplicate_positions``, ``mixed_patients``.
    """
    headers = [h for path in files for h in read_headers(path)]
    if not headers:
        raise InputError(f"{where} holds no DICOM image ({len(files)} files looked at)", code="no_dicom")
    wanted, _, part = (series or "").partition("#")
    found_series = len({h.series_uid for h in headers})
    if wanted:
        headers = _only(headers, wanted, where)
    slices, dropped = [h for h in headers if _is_slice(h)], [h for h in headers if not _is_slice(h)]
    findings = _left_out(files, dropped)
    if wanted and found_series > 1:
        findings.append(Finding("series_chosen", "info", f"one series of {found_series} was read, as asked for"))
    usable = [h for h in slices if h.frames == 1 and (assume_hu or h.modality == "CT")]
    if not usable:
        raise _nothing_usable(slices or dropped, where)
    by_uid: dict[str, list[Header]] = {}
    for header in usable:
        by_uid.setdefault(header.series_uid, []).append(header)
    volumes = {uid: group for uid, group in by_uid.items() if len(group) >= MIN_VOXELS}
    if len(volumes) > 1:
        raise ask(f"{where} holds {len(volumes)} CT volumes", "several_series", sorted(volumes.items()), numbered=False)
    if not volumes:
        most = max(len(group) for group in by_uid.values())
        raise InputError(
            f"{where} holds no series of at least {MIN_VOXELS} CT slices (the largest has {most})",
            code="too_few_slices",
            numbers={"slices": float(most)},
        )
    uid, chosen = next(iter(volumes.items()))
    odd = [h for h in slices if h.series_uid == uid and not (h.frames == 1 and (assume_hu or h.modality == "CT"))]
    if odd:
        raise _nothing_usable(odd, where)  # a slice that would be lost from the volume, not another image
    _check_owner(chosen)
    others = len(slices) - len(chosen)
    if others:
        findings.append(
            Finding("other_series_ignored", "info", f"ignored {others} images of other series beside the one volume")
        )
    for clean in (drop_duplicates, drop_scouts):
        chosen, more = clean(chosen)
        findings += more
    chosen, more = _one_group(chosen, where, part)
    return chosen, findings + more


def _one_group(group: list[Header], where: str, part: str) -> tuple[list[Header], list[Finding]]:
    """The one volume of a series: split by geometry, then by acquisition, image type, kernel or phase."""
    for split, code, what in (
        (split_by_geometry, "several_series", "volumes of different geometry"),
        (split_by_kind, "duplicate_positions", "groups with different pixels at the same slice positions"),
    ):
        groups = split(group)
        if len(groups) < 2:
            continue
        labelled = [(f"{group[0].series_uid}#{i + 1}", g) for i, g in enumerate(groups)]
        if not part:
            raise ask(f"{where} holds a series with {len(groups)} {what}", code, labelled, numbered=True)
        if not part.isdigit() or not 1 <= int(part) <= len(groups):
            raise InputError(
                f"{where} has groups #1 to #{len(groups)} in this series, not #{part[:20]}", code="unknown_series"
            )
        text = f"group #{int(part)} of {len(groups)} in the series was read, as asked for"
        return groups[int(part) - 1], [Finding("group_chosen", "info", text)]
    if part:
        raise InputError(f"{where} has no groups in this series, so no #{part[:20]}", code="unknown_series")
    return group, []


def _left_out(files: Sequence[Path], dropped: list[Header]) -> list[Finding]:
    findings = []
    empty = [path.name for path in files if path.stat().st_size == 0]
    if empty:
        text = f"{len(empty)} empty files (0 bytes) were passed over, such as {empty[0]}: a slice may be lost"
        findings.append(Finding("empty_files", "warning", text))
    if dropped:
        text = f"ignored {len(dropped)} images that are not CT slices: {_names(dropped)}"
        findings.append(Finding("non_volume_images_dropped", "repair", text))
    return findings


def _check_owner(group: list[Header]) -> None:
    """Never a stack of two people; no name or number of theirs is told."""
    for what, values in (
        ("patients or studies", {h.owner for h in group}),
        ("frames of reference", {h.frame_of_reference for h in group if h.frame_of_reference}),
    ):
        if len(values) > 1:
            raise InputError(
                f"the series mixes {len(values)} {what}, so its slices do not belong together; sort the files first",
                code="mixed_patients" if what.startswith("patients") else "geometry_varies",
                numbers={"different": float(len(values))},
            )


def _only(headers: list[Header], series: str, where: str) -> list[Header]:
    chosen = [h for h in headers if h.series_uid == series]
    if not chosen:
        known = sorted({h.series_uid for h in headers})
        more = f" and {len(known) - 6} more" if len(known) > 6 else ""
        raise InputError(
            f"{where} holds no series {series[:64]}; it holds {'; '.join(known[:6])}{more}", code="unknown_series"
        )
    return chosen


def _is_slice(h: Header) -> bool:
    flat = h.samples == 1 and h.photometric == "MONOCHROME2"
    return flat and not h.sop_class.startswith(_SECONDARY_CAPTURES) and not _NOT_SLICES.intersection(h.image_type)


def _nothing_usable(found: list[Header], where: str) -> InputError:
    if not any(_is_slice(h) for h in found):
        inverted = [h for h in found if h.modality == "CT" and h.photometric == "MONOCHROME1" and h.samples == 1]
        if len(inverted) >= MIN_VOXELS:
            return InputError(
                f"{where}: {len(inverted)} CT slices are stored as MONOCHROME1 (inverted grey); only MONOCHROME2 is HU",
                code="photometric",
            )
        return InputError(f"{where} holds only localisers, captures or colour images, no CT slice", code="no_ct_slices")
    multi = [h for h in found if h.frames != 1]
    if multi:
        return InputError(
            f"{multi[0].path.name} is a multi-frame image ({multi[0].frames} frames) that does not say where they lie; "
            "export the series as one file a slice, or as NIfTI",
            code="multi_frame",
            numbers={"frames": float(multi[0].frames)},
        )
    modality = found[0].modality[:16] or "not given"
    return Doubt(
        f"{where}: modality is {modality}, not CT, so Hounsfield units are not defined; name the CT",
        code="not_ct",
        field="assume_hu",
    )


def drop_scouts(group: list[Header]) -> tuple[list[Header], list[Finding]]:
    """Leave out up to 3 images that look along another direction than the rest (unmarked localisers)."""
    normals = [slice_normal(h.orientation) if h.orientation is not None else None for h in group]
    keys = Counter(tuple(np.round(n, 2)) for n in normals if n is not None)
    if len(keys) < 2:
        return group, []
    main = np.array(keys.most_common(1)[0][0])
    limit = np.cos(np.radians(_SCOUT_DEG)) * np.linalg.norm(main)
    scouts = {i for i, n in enumerate(normals) if n is not None and abs(n @ main) < limit * np.linalg.norm(n)}
    if not 0 < len(scouts) <= _MAX_SCOUTS:
        return group, []
    text = f"ignored {len(scouts)} images of another orientation (localisers): {_names([group[i] for i in scouts])}"
    kept = [h for i, h in enumerate(group) if i not in scouts]
    return kept, [Finding("non_volume_images_dropped", "repair", text)]


def drop_duplicates(group: list[Header]) -> tuple[list[Header], list[Finding]]:
    """Leave out files that are byte for byte copies of another."""
    repeated = {key for key, n in Counter((h.sop_uid, h.frame) for h in group).items() if n > 1}
    seen: set[tuple[str, int | None]] = set()
    digests: dict[Path, str] = {}
    kept = []
    for h in group:
        if (h.sop_uid, h.frame) in repeated:
            if h.path not in digests:
                digests[h.path] = hashlib.sha256(h.path.read_bytes()).hexdigest()
            key = digests[h.path], h.frame
            if key in seen:
                continue
            seen.add(key)
        kept.append(h)
    n = len({h.path for h in group}) - len({h.path for h in kept})
    return kept, [Finding("duplicate_file_dropped", "repair", f"{n} duplicate files ignored")] if n else []


def _names(headers: list[Header]) -> str:
    names = sorted({h.path.name for h in headers})
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
