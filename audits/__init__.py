"""audits measures: how well marks survive, how well detectors discriminate, whom a model draws.

Imports ``generators`` and ``provenance``, never ``guard``.
"""
