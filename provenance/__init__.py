"""provenance proves: media, marks, manifests, metadata, registry and log.

The lowest layer: it imports none of ``generators``, ``audits`` or ``guard``.
"""
