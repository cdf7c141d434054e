"""Base of the models of plan.json."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

Vector = tuple[float, float, float]
Pixel = tuple[float, float]


class Model(BaseModel):
    """Base: strict types, finite numbers, immutable, unknown fields ignored."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", allow_inf_nan=False, validate_by_name=True, validate_by_alias=True
    )
