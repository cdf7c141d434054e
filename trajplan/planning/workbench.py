"""Workbench: what the plans of one vertebra share, made once: surfaces, wall fields and lattices of both sides."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from trajplan.anatomy.vertebra import Vertebra
from trajplan.errors import AnatomyError
from trajplan.geometry import Volume
from trajplan.geometry.arrays import FloatArray
from trajplan.geometry.surface import occupancy, surface_of
from trajplan.parts import Side
from trajplan.planning.lattice import Lattice, make_lattice, zone_on
from trajplan.planning.walls import BoneSurfaces, WallField, beside_pedicle, bone_surfaces, wall_field
from trajplan.threads import each


@dataclass(frozen=True, eq=False)
class Bench:
    """Walls and lattice of one side and route; `facets_uvw` (N, 3) samples other bone, (side * u, v, w)."""

    field: WallField
    lattice: Lattice
    facets_uvw: FloatArray


@dataclass(eq=False)
class Workbench:
    """Makes and keeps the benches of one vertebra; without its CT the walls are those of the mask alone.

    Raises
    ------
    AnatomyError
        From `bench`: ``no_canal`` or ``no_pedicle``.
    """

    vertebra: Vertebra
    ct: Volume | None = None
    _surfaces: BoneSurfaces | None = None
    _facets_uvw: FloatArray | None = None
    _benches: dict[tuple[Side, bool], Bench] = field(default_factory=dict)

    def bench(self, side: Side, extrapedicular: bool = False) -> Bench:
        """Walls and lattice of a side, for paths through the pedicle or beside it."""
        key = (side, extrapedicular)
        if key not in self._benches:
            self._benches[key] = self._beside(side) if extrapedicular else self._through(side)
        return self._benches[key]

    def make(self, sides: Iterable[Side]) -> None:
        """Make the benches of sides beside one another; what cannot be made says so when it is asked for."""

        def attempt(side: Side) -> None:
            with suppress(AnatomyError):
                self.bench(side)

        with suppress(AnatomyError):
            each(lambda shared: shared(), (self._shared, self.facets_uvw))
            each(attempt, sorted(set(sides) & set(self.vertebra.pedicles)))

    def _shared(self) -> BoneSurfaces:
        self._surfaces = self._surfaces or bone_surfaces(self.vertebra, self.ct)
        return self._surfaces

    def _through(self, side: Side) -> Bench:
        walls = wall_field(self.vertebra, side, self._shared())
        flip = np.array([side.sign, 1.0, 1.0])
        return Bench(walls, make_lattice(self.vertebra, walls), self.facets_uvw() * flip)

    def _beside(self, side: Side) -> Bench:
        through = self.bench(side)
        walls = beside_pedicle(through.field, self.vertebra)
        lattice = dataclasses.replace(through.lattice, pedicle=zone_on(through.lattice, self.vertebra, walls))
        return Bench(walls, lattice, through.facets_uvw)

    def facets_uvw(self) -> FloatArray:
        """Samples of the surface of other bone behind the middle of the body as (u, v, w), shape (N, 3)."""
        if self._facets_uvw is None:
            grid = self.vertebra.parts.grid
            surface = surface_of(occupancy(self.vertebra.other_bone, grid), grid)
            facets = self.vertebra.frame.to_local(surface.points_lps)
            self._facets_uvw = facets[facets[:, 1] > 0]
        return self._facets_uvw
