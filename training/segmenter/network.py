"""The network: a small 3-D U-Net, 2 channels in (CT, seed), one out for each `NetworkClass`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trajplan.anatomy.network_input import NetworkClass

CHANNELS = (16, 32, 64, 96)
"""Multiples of 16, which CPU convolutions like best."""

ENCODER_DEPTH = (2, 2, 2, 2)
"""Convolutions a level."""


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False),
        nn.InstanceNorm3d(outputs, affine=True),
        nn.LeakyReLU(0.01, inplace=True),
    )


class UNet(nn.Module):
    """Stride-2 convolutions down, transposed convolutions up, concatenated skips. Returns logits."""

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        self.encode, self.up, self.decode = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before = 2
        for level, count in enumerate(channels):
            first = _convolution(before, count, 1 if level == 0 else 2)
            more = [_convolution(count, count) for _ in range(ENCODER_DEPTH[level] - 1)]
            self.encode.append(nn.Sequential(first, *more))
            before = count
        for deep, count in zip(channels[:0:-1], channels[-2::-1], strict=True):
            self.up.append(nn.ConvTranspose3d(deep, count, 2, 2))
            self.decode.append(nn.Sequential(_convolution(2 * count, count), _convolution(count, count)))
        self.out = nn.Conv3d(channels[0], len(NetworkClass), 1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (batch, class, z, y, x) of images (batch, 2, z, y, x)."""
        skips = []
        for block in self.encode:
            image = block(image)
            skips.append(image)
        for up, block, skip in zip(self.up, self.decode, skips[-2::-1], strict=True):
            image = block(torch.cat([up(image), skip], 1))
        logits: Tensor = self.out(image)
        return logits
