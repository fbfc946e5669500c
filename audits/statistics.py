"""Intervals for what we report, of one definition with those of ``generators``."""

from generators.proportion import Proportion, wilson

__all__ = ["Proportion", "wilson"]
