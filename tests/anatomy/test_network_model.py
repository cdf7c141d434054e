"""A missing or damaged network is named with its hash and the other route is offered, never silently taken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from trajplan.anatomy.backends import DEFAULT, backend_names, get_backend
from trajplan.anatomy.network_model import WEIGHTS, load_model
from trajplan.cli_options import DEFAULT_BACKEND
from trajplan.errors import AnatomyError, InputError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "segmenter.onnx"
    shutil.copy(WEIGHTS, path)
    shutil.copy(WEIGHTS.with_suffix(".json"), path.with_suffix(".json"))
    return path


def test_the_shipped_weights_have_the_stated_hash_and_size() -> None:
    model = load_model()
    sheet = json.loads(WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    assert model.sha256 == sheet["sha256"]
    assert WEIGHTS.stat().st_size == sheet["bytes"] <= 5_000_000


def test_no_path_of_the_training_machine_is_in_the_weights() -> None:
    content = WEIGHTS.read_bytes()
    assert not any(word in content for word in (b"/home", b"/tmp", b"/root", b"site-packages", b".py"))


def test_a_flipped_bit_is_named(copy: Path) -> None:
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(AnatomyError, match=r"damaged: SHA-256 .*--backend simpleitk") as caught:
        load_model(copy)
    assert caught.value.code == "model_damaged"


@pytest.mark.parametrize("suffix", [".onnx", ".json"])
def test_a_missing_file_is_named(copy: Path, suffix: str) -> None:
    copy.with_suffix(suffix).unlink()
    with pytest.raises(AnatomyError, match=r"segmenter\..*--backend simpleitk") as caught:
        load_model(copy)
    assert caught.value.code == "model_missing"


def test_an_unknown_back_end_is_refused_with_the_names() -> None:
    assert backend_names()[0] == DEFAULT == get_backend().name == DEFAULT_BACKEND
    with pytest.raises(InputError, match="network, simpleitk") as caught:
        get_backend("best")
    assert caught.value.code == "unknown_backend"
