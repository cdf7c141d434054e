"""Write a trained network as the ONNX file that trajplan ships, and the sheet beside it.

    python -m training.segmenter.export WORK/all.pt trajplan/anatomy/weights/segmenter.onnx --name v1

Weights are stored as float16 and cast back when loaded: half the file, the same float32 arithmetic.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from training.segmenter.network import UNet
from trajplan.anatomy.network_input import SHAPE_ZYX

OPSET = 18
_SMALL = 64


class _WithSoftmax(nn.Module):
    def __init__(self, net: UNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        """Class probabilities."""
        return torch.softmax(self.net(image), 1)


def load_mean(checkpoint: Path) -> tuple[UNet, int]:
    """The averaged weights of a checkpoint, and its step."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = UNet()
    net.load_state_dict(state["mean"])
    return net.eval(), int(state["step"])


def store_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Large initialisers as float16 followed by a Cast to float32."""
    graph, casts = model.graph, []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > _SMALL:
            graph.initializer.remove(tensor)
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}_half"))
            casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=onnx.TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    return model


def strip(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove what the exporter writes beside the network: stack traces with paths of the machine."""
    for item in (model, model.graph, *model.graph.node, *model.graph.value_info):
        if any(field.name == "metadata_props" for field in item.DESCRIPTOR.fields):
            item.ClearField("metadata_props")
        if any(field.name == "doc_string" for field in item.DESCRIPTOR.fields):
            item.ClearField("doc_string")
    return model


def export(checkpoint: Path, path: Path, name: str, about: dict[str, object]) -> float:
    """Write `path` and its sheet; returns the largest change of a probability against torch."""
    net, step = load_mean(checkpoint)
    whole = _WithSoftmax(net).eval()
    image = torch.randn(1, 2, *SHAPE_ZYX, generator=torch.Generator().manual_seed(0))
    torch.onnx.export(
        whole,
        (image,),
        str(path),
        input_names=["image"],
        output_names=["share"],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
    )
    model = store_half(strip(onnx.load(str(path))))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    content = path.read_bytes()
    sheet = {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "steps": step} | about
    path.with_suffix(".json").write_text(json.dumps(sheet, indent=1) + "\n", encoding="utf-8")
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = whole(image).numpy()
    return float(np.abs(session.run(None, {"image": image.numpy()})[0] - expected).max())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--trained-on", nargs="*", default=[])
    asked = parser.parse_args()
    change = export(asked.checkpoint, asked.onnx, asked.name, {"trained_on": asked.trained_on})
    print(f"{asked.onnx}: {asked.onnx.stat().st_size / 1e6:.2f} MB, probabilities within {change:.1e} of torch")


if __name__ == "__main__":
    main()
