"""The trained segmenter: an ONNX file of this package, checked against its hash and run by onnxruntime on the CPU."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from trajplan.anatomy.network_input import SHAPE_ZYX, NetworkClass
from trajplan.errors import AnatomyError
from trajplan.geometry.arrays import Float32Array

WEIGHTS = Path(__file__).with_name("weights") / "segmenter.onnx"
_INSTEAD = "reinstall trajplan, or take the classical route with --backend simpleitk"


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """A loaded network.

    Attributes
    ----------
    sha256 : str
        Of the ONNX file.
    name : str
        Version of the weights, from the sheet beside the file.
    """

    sha256: str
    name: str
    _session: Any

    def probabilities(self, image: Float32Array) -> Float32Array:
        """Class probabilities (class, z, y, x) of one input (2, z, y, x) (`network_input.network_input`)."""
        (out,) = self._session.run(None, {"image": image[None]})
        return np.asarray(out[0], dtype=np.float32)


@lru_cache(maxsize=2)
def load_model(path: Path = WEIGHTS) -> NetworkModel:
    """Load the network; its bytes must have the hash that the sheet beside it states.

    Raises
    ------
    AnatomyError
        ``model_missing``, ``model_damaged``, ``runtime_missing``: each names the file, its hash and what to do instead.
    """
    sheet = _sheet(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AnatomyError(
            f"the segmenter's weights {path.name} (SHA-256 {sheet['sha256'][:16]}...) are missing: {_INSTEAD}",
            code="model_missing",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sheet["sha256"]:
        raise AnatomyError(
            f"the segmenter's weights {path.name} are damaged: SHA-256 {found[:16]}... instead of "
            f"{sheet['sha256'][:16]}...; {_INSTEAD}",
            code="model_damaged",
        )
    try:
        import onnxruntime
    except ImportError as error:
        raise AnatomyError(
            f"the network needs onnxruntime, which is missing here: pip install onnxruntime, or {_INSTEAD}",
            code="runtime_missing",
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads take nobody's processor
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    model = NetworkModel(found, str(sheet["name"]), session)
    shape = model.probabilities(np.zeros((2, *SHAPE_ZYX), dtype=np.float32)).shape
    if shape != (len(NetworkClass), *SHAPE_ZYX):
        raise AnatomyError(f"{path.name} answers in shape {shape}; {_INSTEAD}", code="model_damaged")
    return model


def _sheet(path: Path) -> dict[str, str]:
    try:
        sheet: dict[str, str] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnatomyError(
            f"{path.with_suffix('.json').name}, which states the hash of the segmenter's weights, cannot be read: "
            f"{_INSTEAD}",
            code="model_missing",
        ) from error
    return sheet
