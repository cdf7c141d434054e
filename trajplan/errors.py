"""The error family. Every message says what was wrong, the numbers with units, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping


class TrajplanError(ValueError):
    """Base of all errors that trajplan raises on purpose.

    Parameters
    ----------
    message : str
        What was wrong, the numbers with units, and what to do next; one line.
    code : str
        Stable lower-case identifier for scripts, e.g. ``"not_ct"``.
    numbers : mapping of str to float, optional
        The figures behind the message, names with units, e.g. ``{"width_mm": 4.1}``.
    """

    def __init__(self, message: str, *, code: str, numbers: Mapping[str, float] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.numbers: dict[str, float] = dict(numbers or {})


class InputError(TrajplanError):
    """The input or the request cannot be used: nothing is written, exit status 2."""


class GeometryError(TrajplanError):
    """A frame, grid or direction is not usable (not orthonormal, empty, out of the volume)."""


class AnatomyError(TrajplanError):
    """The anatomy could not be found or measured: becomes a refusal, exit status 3."""
