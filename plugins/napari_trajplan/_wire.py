"""Messages between the window and its worker process: pickles with their length; a scan is sent once."""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

from trajplan import errors
from trajplan.geometry import Volume
from trajplan.reading.scan import Scan

_LENGTH = struct.Struct("<Q")


class Shared:
    """The scan that both sides know: it travels as its name, and comes back as the very same object."""

    def __init__(self) -> None:
        self.scan: Scan | None = None

    def name_of(self, thing: object) -> str | None:
        """What to send in place of a thing that the other side has."""
        if self.scan is None:
            return None
        return "scan" if thing is self.scan else "volume" if thing is self.scan.volume else None

    def thing(self, name: object) -> Scan | Volume:
        """What a name stands for on this side."""
        if self.scan is None:
            raise pickle.UnpicklingError("no scan was sent before")
        return self.scan if name == "scan" else self.scan.volume


def send(stream: BinaryIO, message: object, shared: Shared) -> None:
    """Write one message."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, shared.name_of)
    pickler.dump(message)
    data = buffer.getbuffer()
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO, shared: Shared) -> Any:
    """Read one message.

    Raises
    ------
    EOFError
        The other side has ended.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return _Unpickler(io.BytesIO(data), shared.thing).load()


def error_facts(error: BaseException) -> tuple[str, str, str, dict[str, float]]:
    """An error as plain values: kind, message, code, numbers."""
    known = isinstance(error, errors.TrajplanError)
    return (
        type(error).__name__, str(error), error.code if known else "", dict(error.numbers) if known else {},
    )  # fmt: skip


def error_of(kind: str, message: str, code: str, numbers: dict[str, float]) -> Exception:
    """The error again; one that trajplan does not raise on purpose comes as a RuntimeError that names it."""
    found = getattr(errors, kind, None)
    if code and isinstance(found, type) and issubclass(found, errors.TrajplanError):
        return found(message, code=code, numbers=numbers)
    if code:
        return errors.InputError(message, code=code, numbers=numbers)
    return RuntimeError(f"{kind}: {message}")


class _Pickler(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, name_of: Callable[[object], str | None]) -> None:
        super().__init__(stream, protocol=5)
        self._name_of = name_of

    def persistent_id(self, obj: object) -> str | None:
        """pickle's hook."""
        return self._name_of(obj)


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, thing: Callable[[object], object]) -> None:
        super().__init__(stream)
        self._thing = thing

    def persistent_load(self, pid: object) -> object:
        """pickle's hook."""
        return self._thing(pid)
