"""Part ids of one vertebra, and the two sides."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Part(IntEnum):
    """Ids in a parts label map."""

    BODY = 1
    PEDICLE_LEFT = 2
    PEDICLE_RIGHT = 3
    POSTERIOR = 4
    CANAL = 5


class Side(StrEnum):
    """Patient side. The sign is that of the vertebra frame's u axis (patient left is +)."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def sign(self) -> int:
        """+1 for left, -1 for right."""
        return 1 if self is Side.LEFT else -1

    @property
    def pedicle(self) -> Part:
        """The part id of this side's pedicle."""
        return Part.PEDICLE_LEFT if self is Side.LEFT else Part.PEDICLE_RIGHT


PART_NAMES: dict[int, str] = {
    Part.BODY: "vertebral body",
    Part.PEDICLE_LEFT: "left pedicle",
    Part.PEDICLE_RIGHT: "right pedicle",
    Part.POSTERIOR: "posterior elements",
    Part.CANAL: "spinal canal",
}
