"""The segmentation back-ends by name, those of other packages included (entry-point group ``trajplan.backends``)."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from trajplan.anatomy.backend import Backend
from trajplan.anatomy.second_opinion import SecondOpinion
from trajplan.errors import InputError

GROUP = "trajplan.backends"
DEFAULT = "network"
"""The trained network; docs/model-card.md says what it reaches on patients it has not learnt."""


def backend_names() -> tuple[str, ...]:
    """Names of the installed back-ends, the default first.

    >>> backend_names()[:2]
    ('network', 'simpleitk')
    """
    return (DEFAULT, *sorted(set(_found()) - {DEFAULT}))


def get_backend(name: str = DEFAULT) -> Backend:
    """A back-end by its name, or two as ``first+second``: the second's opinion rates the first's mask.

    None is ever taken in place of another.

    Raises
    ------
    InputError
        ``unknown_backend``, with the names there are; ``usage`` for what are no two back-ends.
    """
    if "+" in name:
        names = name.split("+")
        if len(set(names)) != 2 or len(names) != 2:
            raise InputError(f"a second opinion needs two back-ends, FIRST+SECOND, got {name!r}", code="usage")
        return SecondOpinion(_one(names[0]), _one(names[1]))
    return _one(name)


def _one(name: str) -> Backend:
    found = _found().get(name)
    if found is None:
        raise InputError(
            f"no segmentation back-end {name!r} is installed; there are {', '.join(backend_names())}",
            code="unknown_backend",
        )
    backend: Backend = found.load()()
    return backend


def _found() -> dict[str, EntryPoint]:
    own = {
        "network": EntryPoint("network", "trajplan.anatomy.network_backend:NetworkBackend", GROUP),
        "simpleitk": EntryPoint("simpleitk", "trajplan.anatomy.simpleitk_backend:SimpleItkBackend", GROUP),
        "totalsegmentator": EntryPoint(
            "totalsegmentator", "trajplan.anatomy.totalsegmentator_backend:TotalSegmentatorBackend", GROUP
        ),
    }
    # another package cannot take the place of our own names
    return {one.name: one for one in entry_points(group=GROUP)} | own
