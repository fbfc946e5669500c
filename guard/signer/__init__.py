"""A process that has the keys, so that what generates pictures never sees them (``guard signer``).

``server`` listens on a Unix socket; ``session`` answers one client; ``examine`` takes from the bytes what
the bytes can prove; ``client`` is the ``Attestor`` of a release whose keys are there. What travels between
the two is described in ``wire`` (framing), ``values``, ``facts`` and ``decisions``.
"""
