"""What users get: the wheel holds exactly our three packages, starts fast, and the repository stays clean."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).resolve().parents[1]
PACKAGE_ROOTS = {
    "trajplan": ROOT / "trajplan",
    "trajplan_phantoms": ROOT / "phantoms" / "trajplan_phantoms",
    "napari_trajplan": ROOT / "plugins" / "napari_trajplan",
}
_LEFTOVERS = {".pyc", ".nbi", ".nbc"}


def _files_on_disk() -> set[str]:
    """Every source and data file of the three packages, as a path inside the wheel."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in PACKAGE_ROOTS.items()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in _LEFTOVERS and "__pycache__" not in path.parts
    }


def _repository_files() -> list[Path]:
    """Files that git tracks or would track."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy, so that the checkout stays clean and old build folders cannot leak in."""
    if int(setuptools.__version__.split(".")[0]) < 77:
        pytest.skip(f"setuptools {setuptools.__version__} cannot read our pyproject.toml; 77 or newer is needed")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("trajplan", "phantoms", "plugins"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*.nb[ic]")
        )
    code = f"from setuptools import build_meta; build_meta.build_wheel({str(out)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_holds_every_file_of_the_three_packages_and_nothing_else(wheel):
    content = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert content == _files_on_disk()


def test_the_wheel_carries_licence_plugin_manifest_and_command(wheel):
    names = wheel.namelist()
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    entry_points = wheel.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert "trajplan = trajplan.cli:main" in entry_points
    assert "trajplan = napari_trajplan:napari.yaml" in entry_points


def test_every_package_on_disk_is_listed_in_pyproject():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    on_disk = {
        ".".join([name, *path.parent.relative_to(folder).parts])
        for name, folder in PACKAGE_ROOTS.items()
        for path in folder.rglob("*.py")
    }
    assert set(listed) == on_disk
    assert len(listed) == len(set(listed))


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    code = "import trajplan; print(trajplan.__version__)"
    stated = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert stated.stdout.strip() == project["version"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_command_line_loads_nothing_heavy_before_it_is_needed():
    heavy = {"matplotlib", "numba", "SimpleITK", "napari", "scipy", "skimage", "reportlab", "qtpy"}
    code = f"import sys, trajplan.cli; print(*sorted({heavy!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


_WITHOUT_A_WINDOW = (
    "_commands", "_coords", "_edits", "_levels", "_meshes", "_read_saved", "_reader", "_sample_data", "_saved_layers",
    "_saving", "_session", "_shafts", "_shown", "_slice_drawing", "_slice_framing", "_slice_planes", "_slice_scene",
    "_tasks", "_tell", "_terms", "_widgets", "_wire", "_words", "_worker", "_writer", "_xray_develop", "_xray_live",
    "_xray_overlays",
)  # fmt: skip
"""What of the plugin the manifest names, and what holds its logic."""


def test_the_packages_work_without_napari_and_qt():
    code = (
        "import sys\n"
        "for name in ('napari', 'qtpy', 'PySide6', 'PyQt6', 'matplotlib.pyplot'):\n"
        "    sys.modules[name] = None\n"
        "import pkgutil, importlib\n"
        "for package in ('trajplan', 'trajplan_phantoms'):\n"
        "    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + '.'):\n"
        "        importlib.import_module(module.name)\n"
        f"for name in {_WITHOUT_A_WINDOW}:\n"
        "    importlib.import_module('napari_trajplan.' + name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_file_in_the_repository_is_larger_than_a_megabyte():
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in _repository_files()}
    assert large.pop("trajplan/anatomy/weights/segmenter.onnx") <= 5_000_000, "the one exception"
    assert {name: size for name, size in large.items() if size > 1_000_000} == {}


def test_no_file_in_the_repository_names_a_folder_of_somebody_s_machine():
    personal = re.compile(r"(?<![\w./<-])/(?:home/(?!jane_doe)|root/|Users/|work/)\w|\b[A-Z]:\\Users")
    found = []
    for path in _repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in personal.finditer(text)]
    assert found == []
