"""The files of a case as a zip (``case.trajplan``) or a folder: plain names only, nothing is unpacked anywhere."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from trajplan.errors import InputError
from trajplan.exports.atomic import staged_folder, write_atomically

SUFFIX = ".trajplan"
CASE_JSON = "case.json"
PLAN_JSON = "plan.json"
LABELS, MASK, PARTS = "labels.nrrd", "mask.nrrd", "parts.nrrd"
MEMBERS = (CASE_JSON, PLAN_JSON, LABELS, MASK, PARTS)

MOST_BYTES = 1 << 30
"""Unpacked, of one file: labels of a whole spine have room in it, a file made to fill the memory has not."""

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_DATE = (1980, 1, 1, 0, 0, 0)


def pack(files: Mapping[str, bytes], path: Path) -> Path:
    """Write the files as a zip where `path` ends in ``.trajplan`` and is no folder, else as a folder; whole or not.

    The same files always give the same bytes.

    Raises
    ------
    InputError
        It cannot be written there.
    """
    if path.suffix == SUFFIX and not path.is_dir():
        write_atomically(path, _zipped(files))
        return path
    with staged_folder(path) as folder:
        for name, data in files.items():
            (folder / name).write_bytes(data)
    return path


def unpack(path: Path) -> dict[str, bytes]:
    """The files of `MEMBERS` that a case holds, by name, in memory; others are passed over.

    Raises
    ------
    InputError
        ``case_unreadable``; ``case_damaged``; ``case_unsafe`` for a file name that leads elsewhere.
    """
    try:
        found = _of_folder(path) if path.is_dir() else _of_zip(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{path.name} is no case of trajplan, or it is damaged ({error}): copy or download it again",
            code="case_damaged",
        ) from error
    except OSError as error:
        raise InputError(f"cannot read {path.name}: {error.strerror or error}", code="case_unreadable") from error
    if CASE_JSON not in found:
        raise InputError(f"{path.name} is no case of trajplan: it holds no {CASE_JSON}", code="case_damaged")
    return found


def sha256(data: bytes) -> str:
    """Of the bytes of one file."""
    return hashlib.sha256(data).hexdigest()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o644 << 16
            # labels are packed already
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".nrrd") else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def _of_zip(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not _PLAIN.fullmatch(info.filename):
                raise InputError(
                    f"{path.name} holds a file named {info.filename[:60]!r}, which leads out of a case: it was not "
                    "opened; ask whoever sent it",
                    code="case_unsafe",
                )
            if info.filename in MEMBERS:
                if info.filename in found:
                    raise InputError(f"{path.name} holds {info.filename} twice", code="case_damaged")
                with archive.open(info) as stream:
                    found[info.filename] = _bounded(stream.read(MOST_BYTES + 1), path.name, info.filename)
    return found


def _of_folder(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in MEMBERS:
        file = path / name
        if file.is_symlink():
            raise InputError(f"{name} in {path.name} is a link: it was not followed", code="case_unsafe")
        if file.is_file():
            with file.open("rb") as stream:
                found[name] = _bounded(stream.read(MOST_BYTES + 1), path.name, name)
    return found


def _bounded(data: bytes, case: str, name: str) -> bytes:
    if len(data) > MOST_BYTES:
        raise InputError(
            f"{name} in {case} is larger than {MOST_BYTES >> 20} MB: no case holds that", code="case_unsafe"
        )
    return data
