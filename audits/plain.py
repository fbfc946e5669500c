"""Values of a report as plain JSON values."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, cast

from audits.statistics import Proportion

if TYPE_CHECKING:
    from provenance.canonical import Json


def plain(value: object) -> Json:
    """Proportions with n and interval, other numbers to four places, tuples as lists, values as objects."""
    if isinstance(value, Proportion):
        return cast("Json", value.to_json())
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return cast("Json", value)
