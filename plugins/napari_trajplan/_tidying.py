"""Python's own tidying goes through every object there is: in a window this large a fifth of a second at once."""

from __future__ import annotations

import gc


def tidy_now() -> None:
    """Tidy, and leave what there is alone from now on: later rounds see only what is new, and are short."""
    gc.collect()
    gc.freeze()


def tidy_all_again() -> None:
    """A window closes: what was left alone may go."""
    gc.unfreeze()
