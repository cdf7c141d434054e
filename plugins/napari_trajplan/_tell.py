"""A refusal becomes one line for the user; everything else is a fault of the program and is raised."""

from __future__ import annotations

from typing import Any

from napari_trajplan._session import short_message
from trajplan.errors import TrajplanError


class Telling:
    """Context: errors that trajplan raises on purpose are told through a signal of one text."""

    def __init__(self, told: Any) -> None:
        self._told = told

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if not isinstance(error, TrajplanError):
            return False
        self._told.emit(short_message(error))
        return True
