"""Take over the network of an ONNX file as the start of a training.

    python -m training.segmenter.adopt trajplan/anatomy/weights/segmenter.onnx WORK/start.pt

A file of today's five classes is taken as it is. An earlier one of four knew the vertebra as one class (background,
target, other vertebrae, cord): body and posterior elements both begin as the target with half its share, so that their
sum, the mask, begins as what that network answered; the canal begins as the cord.
Adopt a network only for a fold whose left-out patient it has not seen either.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from training.segmenter.network import UNet
from trajplan.anatomy.network_input import NetworkClass

_BACKGROUND, _TARGET, _OTHER, _CORD = range(4)
_COMES_FROM = (_BACKGROUND, _TARGET, _TARGET, _OTHER, _CORD)
_LOGIT_SHIFT = (0.0, -np.log(2.0), -np.log(2.0), 0.0, 0.0)
_PARTS = {"e": "encode", "d": "decode", "u": "up"}


def adopt(path: Path) -> UNet:
    """The network of this project with the weights of an ONNX file of five classes, or of four.

    Raises
    ------
    RuntimeError
        If the file's layers are not those of `UNet`.
    """
    found: dict[str, Tensor] = {}
    for one in onnx.load(str(path)).graph.initializer:
        found[_name(one.name)] = torch.from_numpy(numpy_helper.to_array(one).astype(np.float32))
    if len(found["out.bias"]) < len(NetworkClass):
        found["out.weight"] = found["out.weight"][list(_COMES_FROM)]
        found["out.bias"] = found["out.bias"][list(_COMES_FROM)] + torch.tensor(_LOGIT_SHIFT, dtype=torch.float32)
    net = UNet()
    net.load_state_dict(found)
    return net


def _name(theirs: str) -> str:
    words = re.sub(r"^(n|net)\.|_h(alf)?$", "", theirs).split(".")
    return ".".join([_PARTS.get(words[0], words[0]), *words[1:]])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("start", type=Path)
    asked = parser.parse_args()
    torch.save({"mean": adopt(asked.onnx).state_dict()}, asked.start)


if __name__ == "__main__":
    main()
