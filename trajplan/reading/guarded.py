"""DICOM images decoded in a forked child: a damaged file may crash or hang a codec, and must not take us along."""

from __future__ import annotations

import os
import select
import struct
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from trajplan.errors import InputError
from trajplan.geometry.arrays import AnyArray

LIMIT_S = 8.0
"""For one image; the largest CT slices decode in well under a second."""
_MEMORY_BYTES = 1 << 30
_HEAD = struct.Struct("<8sQ")
_REFUSED = b"refused\0"


def decode_guarded(paths: Sequence[Path]) -> Iterator[AnyArray]:
    """The grey pixels of each file, flat, as GDCM gives them (rescaled); decoded here where forking is not possible.

    Raises
    ------
    InputError
        ``unreadable_file`` for a file that cannot be decoded, has several components, or on which the decoder crashed
        or took more than `LIMIT_S`.
    """
    if not hasattr(os, "fork"):
        for path in paths:
            yield _pixels(path)
        return
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of forking beside threads; the child only decodes and leaves.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        _serve(paths, writing)
    os.close(writing)
    try:
        for path in paths:
            dtype, size = _HEAD.unpack(_receive(reading, _HEAD.size, path))
            if dtype == _REFUSED:
                raise InputError(_receive(reading, size, path).decode(), code="unreadable_file")
            yield np.frombuffer(_receive(reading, size, path), np.dtype(dtype.rstrip(b"\0").decode()))
    finally:
        os.close(reading)  # a child that is still writing ends by this
        os.kill(child, 9)
        os.waitpid(child, 0)


def _serve(paths: Sequence[Path], writing: int) -> None:
    """In the child: decode and send, quiet and without any of the parent's clean-up."""
    try:
        _limit_memory()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        for path in paths:
            try:
                pixels = _pixels(path)
                _send(writing, pixels.dtype.str.encode().ljust(8, b"\0"), pixels.tobytes())
            except InputError as error:
                _send(writing, _REFUSED, str(error).encode())
    finally:
        os._exit(0)


def _limit_memory() -> None:
    """A gigabyte more than we have now: a header of a few kilobytes can make a decoder ask for many."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return
    import resource

    limit = int(pages.read_text().split()[0]) * resource.getpagesize() + _MEMORY_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))


def _pixels(path: Path) -> AnyArray:
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.GlobalWarningDisplayOff()  # what it warns of was checked in the headers
    try:
        image = sitk.ReadImage(str(path), imageIO="GDCMImageIO")
    except RuntimeError as error:
        raise InputError(
            f"{path.name} cannot be decoded: its voxels are damaged or stored in an unsupported way",
            code="unreadable_file",
        ) from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"cannot read {path.name}: it is not one grey image", code="unreadable_file")
    return np.asarray(sitk.GetArrayFromImage(image).reshape(-1))


def _send(writing: int, kind: bytes, data: bytes) -> None:
    left = memoryview(_HEAD.pack(kind, len(data)) + data)
    while left:
        left = left[os.write(writing, left) :]


def _receive(reading: int, size: int, path: Path) -> bytes:
    parts, left = [], size
    while left:
        ready, _, _ = select.select([reading], [], [], LIMIT_S)
        part = os.read(reading, min(left, 1 << 20)) if ready else b""
        if not part:
            raise InputError(
                f"cannot read {path.name}: the decoder {'failed' if ready else 'did not end'} on its pixels; "
                "copy it again",
                code="unreadable_file",
            )
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
