"""Which claim a manifest makes: the part that its signature covers, and by it everything else that is bound.

The bytes of a manifest are not a name for it. Whoever holds a file can write parts that no hash covers anew
without a key (a time-stamp left out, the other form of an ECDSA signature), and the digest of the whole
changes; the claim cannot be changed so.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from provenance.manifest import jumbf
from provenance.manifest.cbor import StructureError

if TYPE_CHECKING:
    from provenance.manifest.jumbf import Superbox


def digest_of(store: bytes, manifest: Superbox) -> str:
    """SHA-256, lower-case hex, of the claim of ``manifest`` in ``store``.

    Raises:
        StructureError: it has no claim of one part.
    """
    contents = manifest.only(jumbf.CLAIM).contents
    if len(contents) != 1:
        raise StructureError(f"JUMBF: {len(contents)} parts of a claim where one belongs")
    return hashlib.sha256(store[contents[0].start : contents[0].end]).hexdigest()


def active_digest(store: bytes) -> str:
    """The same of the active manifest of a store.

    Raises:
        StructureError: it is not a store that can be followed.
    """
    return digest_of(store, jumbf.parse_store(store).boxes[-1])
