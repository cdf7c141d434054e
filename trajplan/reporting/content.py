"""Report: all that a report says and shows, in order. The page and the PDF are two renderings of the same object."""

from __future__ import annotations

from dataclasses import dataclass

from trajplan.reporting.picture import Picture

Row = tuple[str, ...]


@dataclass(frozen=True)
class Badge:
    """The result of one side at a glance. `verdict` is ``safe``, ``unsafe``, ``unknown`` or ``none`` (no path)."""

    side: str
    verdict: str
    text: str


@dataclass(frozen=True)
class Notice:
    """One thing a reader must see before anything else. `kind` is ``warning`` or ``note``."""

    kind: str
    text: str


@dataclass(frozen=True)
class Words:
    """Paragraphs, or the items of a list."""

    items: tuple[str, ...]
    listed: bool = False


@dataclass(frozen=True)
class Table:
    """A table. Without `head` each row is a label and its text.

    Parameters
    ----------
    rows : tuple of tuple of str
    head : tuple of str
    caption : str
    numeric : tuple of int
        Columns that hold figures.
    widths : tuple of float
        Relative widths of the columns on paper; equal when empty.
    judged : tuple of int
        Columns in which ``no`` and ``BROKEN`` stand out.
    code : bool
        Hashes and parameters: small, broken anywhere.
    """

    rows: tuple[Row, ...]
    head: tuple[str, ...] = ()
    caption: str = ""
    numeric: tuple[int, ...] = ()
    widths: tuple[float, ...] = ()
    judged: tuple[int, ...] = ()
    code: bool = False


@dataclass(frozen=True)
class Gallery:
    """Pictures, in reading order."""

    pictures: tuple[Picture, ...]


Block = Words | Table | Gallery


@dataclass(frozen=True)
class Section:
    """A part of the report under a title; `verdict` colours a mark beside it."""

    title: str
    blocks: tuple[Block, ...]
    verdict: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that a report says and shows.

    Parameters
    ----------
    title, subtitle : str
        Of what, and from what; never of whom.
    badges : tuple of Badge
    disclaimer, summary : str
    notices : tuple of Notice
        Warnings first.
    sections : tuple of Section
    """

    title: str
    subtitle: str
    badges: tuple[Badge, ...]
    disclaimer: str
    summary: str
    notices: tuple[Notice, ...]
    sections: tuple[Section, ...]
    created: str
    version: str

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, in reading order."""
        blocks = [block for section in self.sections for block in section.blocks]
        return tuple(p for block in blocks if isinstance(block, Gallery) for p in block.pictures)
