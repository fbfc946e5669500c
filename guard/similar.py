"""What looks like a file in which no mark leads anywhere: a hint to look at, off unless asked for.

A fingerprint of 64 bits cannot tell a picture from its near-duplicates (benchmarks/registry.py has the
rates), so nothing here changes a state or an exit code, and the words are "looks like", never "is".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provenance.errors import Error

if TYPE_CHECKING:
    from datetime import datetime

    from guard.home import Home
    from guard.lookup import MergedLookup
    from provenance.manifest.reading import SignerReading
    from provenance.manifest.trust import TrustLists
    from provenance.media import Frames
    from provenance.registry_fingerprints import Fingerprints

MOST = 5
"""Pictures that are named for one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LooksLike:
    """A released picture that looks like a file.

    Attributes:
        manifest_sha256: of its manifest.
        publisher: registry it comes from; None: this installation.
        bits: of 64, how many differ.
        signer: of that manifest, with its tier; None where it cannot be read.
    """

    manifest_sha256: str
    publisher: str | None
    bits: int
    signer: SignerReading | None

    def __str__(self) -> str:
        """For one line; signer and publisher are theirs, so printers escape it."""
        where = "here" if self.publisher is None else f"by registry {self.publisher}"
        who = "unreadable" if self.signer is None else str(self.signer)
        which = f"manifest {self.manifest_sha256[:16]}…, released {where}, signer {who}"
        return f"{which}; {self.bits} of 64 bits differ"


@dataclass(slots=True, kw_only=True)
class Gallery:
    """Every picture that the registries at hand know, by its looks.

    Use ``Gallery.open``, once for many files.
    """

    _looks: Fingerprints
    _known: list[tuple[str, str | None]]
    _lookup: MergedLookup
    _trust: TrustLists
    _at: datetime
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def open(cls, home: Home, lookup: MergedLookup, trust: TrustLists, at: datetime) -> Gallery:
        """Read the fingerprints; those of this installation that are missing are computed and kept.

        Raises:
            ConfigurationError, IntegrityError: the own registry cannot be used.
        """
        from guard.registries import fingerprints_of  # noqa: PLC0415
        from provenance.registry_fingerprints import Fingerprints  # noqa: PLC0415 - numpy

        known: list[tuple[str, str | None]] = []
        bits: list[bytes] = []
        notes: list[str] = []
        if lookup.own is not None:
            with home.registry() as registry:
                own = fingerprints_of(registry, registry.places())
            known, bits = [(sha256, None) for sha256 in own], list(own.values())
        for other in lookup.others:
            try:
                theirs = list(other.fingerprints())
            except Error as error:
                notes.append(f"registry {other.name} was not compared by looks: {error.what}")
                continue
            known += [(sha256, other.name) for sha256, _ in theirs]
            bits += [one for _, one in theirs]
        looks = Fingerprints(bits)
        return cls(_looks=looks, _known=known, _lookup=lookup, _trust=trust, _at=at, notes=tuple(notes))

    def look_up(self, frames: Frames) -> tuple[LooksLike, ...]:
        """Pictures that look like ``frames``, the most alike first."""
        from provenance.registry_fingerprints import fingerprint_of_frames  # noqa: PLC0415 - numpy

        near = self._looks.look_up(fingerprint_of_frames(frames), most=MOST)
        return tuple(self._told(*self._known[one.number], one.distance) for one in near)

    def _told(self, manifest_sha256: str, publisher: str | None, bits: int) -> LooksLike:
        from provenance.manifest.read import read_stored_manifest  # noqa: PLC0415 - c2pa

        try:
            store = self._manifest(manifest_sha256, publisher)
            signer = read_stored_manifest(store, "image/*", self._trust, at=self._at).signer
        except Error:
            signer = None  # which is told as "unreadable"
        return LooksLike(manifest_sha256=manifest_sha256, publisher=publisher, bits=bits, signer=signer)

    def _manifest(self, manifest_sha256: str, publisher: str | None) -> bytes:
        if publisher is None and self._lookup.own is not None:
            return self._lookup.own.by_manifest(manifest_sha256)[0].manifest
        return next(one for one in self._lookup.others if one.name == publisher).manifest(manifest_sha256)
