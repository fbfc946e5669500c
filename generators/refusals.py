"""Errors that generators of every kind have in common, worded once."""

from __future__ import annotations

from provenance.errors import InputError, IntegrityError


def unsupported(field: str, *, hint: str | None = None) -> InputError:
    """The one error for a field, option or hook that a model has no use for."""
    return InputError(
        "request.unsupported",
        "this model cannot honour a part of the request",
        where=field,
        hint=hint or "leave it out, or choose a model that supports it",
    )


def not_finite(*, hint: str) -> IntegrityError:
    """The one error for a result that holds NaN or infinity."""
    return IntegrityError(
        "generate.not-finite", "the model gave numbers that are no picture (NaN or infinity)", hint=hint
    )
