"""What reading a manifest gives: plain values, no C2PA library behind them.

Strings come from the file and are hostile: cut to a length, never cleaned. Whoever shows them escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from provenance.manifest.identities import IdentityReading
    from provenance.manifest.revocation import Revoked
    from provenance.manifest.uncovered import LeftOut

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class ManifestState(StrEnum):
    """What the manifest of a file amounts to; the gravest finding decides."""

    TRUSTED = "trusted"
    """Bytes intact, signer on a list the caller trusts."""
    DEVELOPMENT = "development"
    """Bytes intact, signed by this installation's own development identity."""
    UNKNOWN_SIGNER = "unknown_signer"
    """Bytes intact, nobody the caller trusts vouches for the signer."""
    REVOKED = "revoked"
    """Bytes as signed, but the certificate was revoked and nothing proves that it signed before that."""
    EXPIRED = "expired"
    """Bytes and signature intact, certificate not valid and time of signing not proven."""
    HISTORY_PROBLEM = "history_problem"
    """Bytes intact, but an ingredient was altered or invalid when it was taken in."""
    TAMPERED = "tampered"
    """Content or manifest changed after signing."""
    MALFORMED = "malformed"
    """There is a manifest, and it cannot be read as one."""
    ABSENT = "absent"
    """The file was read and carries no manifest."""
    REMOTE_ONLY = "remote_only"
    """The file names a manifest elsewhere; nothing was fetched."""


class TrustTier(StrEnum):
    """Who vouches for a signer, strongest first."""

    OFFICIAL = "official"
    INTERIM = "interim"
    OWN = "own"
    DEVELOPMENT = "development"
    UNKNOWN = "unknown"


class DigitalSourceType(StrEnum):
    """IPTC digital source types (NewsCodes, 2024) that C2PA §18.15.4.5 builds on."""

    TRAINED_ALGORITHMIC_MEDIA = _IPTC + "trainedAlgorithmicMedia"
    COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA = _IPTC + "compositeWithTrainedAlgorithmicMedia"
    ALGORITHMIC_MEDIA = _IPTC + "algorithmicMedia"
    ALGORITHMICALLY_ENHANCED = _IPTC + "algorithmicallyEnhanced"
    COMPOSITE_SYNTHETIC = _IPTC + "compositeSynthetic"
    COMPOSITE = _IPTC + "composite"
    COMPOSITE_CAPTURE = _IPTC + "compositeCapture"
    COMPUTATIONAL_CAPTURE = _IPTC + "computationalCapture"
    DIGITAL_CAPTURE = _IPTC + "digitalCapture"
    DIGITAL_CREATION = _IPTC + "digitalCreation"
    DATA_DRIVEN_MEDIA = _IPTC + "dataDrivenMedia"
    HUMAN_EDITS = _IPTC + "humanEdits"
    NEGATIVE_FILM = _IPTC + "negativeFilm"
    POSITIVE_FILM = _IPTC + "positiveFilm"
    PRINT = _IPTC + "print"
    SCREEN_CAPTURE = _IPTC + "screenCapture"
    VIRTUAL_RECORDING = _IPTC + "virtualRecording"

    @property
    def term(self) -> str:
        """The last part of the URI, ``trainedAlgorithmicMedia``."""
        return self.value.removeprefix(_IPTC)

    @property
    def is_generative(self) -> bool:
        """Whether trained models made the media or a part of it."""
        return "rainedAlgorithmicMedia" in self.value

    @classmethod
    def from_term(cls, term: str) -> DigitalSourceType:
        """The type for a URI (http or https) or its last part.

        Raises:
            ValueError: not a known term.
        """
        return cls(_IPTC + term.rsplit("/", 1)[-1])

    @classmethod
    def known(cls, term: object) -> DigitalSourceType | None:
        """The type, or None for anything a file may hold instead."""
        if not isinstance(term, str) or ("/" in term and "digitalsourcetype/" not in term):
            return None
        try:
            return cls.from_term(term)
        except ValueError:
            return None


class SigningTime(StrEnum):
    """What is known about when a manifest was signed."""

    PROVEN = "proven"
    """A time-stamp authority on a trusted list says so."""
    CLAIMED = "claimed"
    """The manifest says so."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerReading:
    """Who signed, and how much that name is worth.

    Attributes:
        name: common name in the certificate, as its issuer wrote it.
        organisation: organisation in the certificate.
        issuer: name of the certificate's issuer.
        tier: who vouches for it; ``UNKNOWN`` when nobody on the caller's lists does.
        list_name: the list that does.
        fingerprint_sha256: lower-case hex over the certificate's DER.
        not_before: start of the certificate's validity, UTC.
        not_after: end of the certificate's validity, UTC.
        time: how the signing time is known.
        signed_at: that time, UTC.
        time_authority: name and tier of the time-stamp authority that proves it, None where none does.
        revocation: why no list vouches for the signer any more, where that is so; the tier is then unknown.
    """

    name: str
    organisation: str
    issuer: str
    tier: TrustTier
    list_name: str | None
    fingerprint_sha256: str
    not_before: datetime
    not_after: datetime
    time: SigningTime
    signed_at: datetime | None
    revocation: Revoked | None = None
    time_authority: str | None = None

    def __str__(self) -> str:
        """Name and tier; the first is never shown without the second (house promise 4)."""
        label = f"{self.name}, {self.organisation}" if self.organisation else self.name
        known_by = "" if self.list_name in (None, self.tier.value) else f": {self.list_name}"
        revoked = f", {self.revocation}" if self.revocation is not None else ""
        return f"{label} [{self.tier}{known_by}{revoked}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationCode:
    """One finding: a C2PA status code (spec §15.2.2) or one of our own starting ``mediaguard.``.

    Attributes:
        code: the status code.
        explanation: one sentence.
        kind: ``"success"``, ``"informational"`` or ``"failure"``.
        where: JUMBF address concerned, if any.
    """

    code: str
    explanation: str
    kind: str
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngredientReading:
    """One earlier asset that went into this one.

    Attributes:
        title: as the claim generator wrote it.
        relationship: ``parentOf``, ``componentOf`` or ``inputTo``.
        label: label of the ingredient's own manifest, None when it carried none.
        recorded: failure codes written down when it was taken in.
        revalidated: failure codes found now that were not written down then.
        problem: whether any of these means altered or invalid (a stranger's signature does not).
        children: its own ingredients.
        validated: whether anything was written down about its manifest when it was taken in, good or bad.
        types: C2PA types of a model, adapter or record.
        sha256: digest that binds one of those, lower-case hex; None where it names none.
        signer: who signed its manifest, judged now; None where nobody did or the signature does not hold.
    """

    title: str
    relationship: str
    label: str | None
    recorded: tuple[str, ...]
    revalidated: tuple[str, ...]
    problem: bool
    children: tuple[IngredientReading, ...] = ()
    validated: bool = False
    signer: SignerReading | None = None
    types: tuple[str, ...] = ()
    sha256: str | None = None

    def walk(self) -> Iterator[IngredientReading]:
        """This ingredient and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBinding:
    """A mark or fingerprint that can find this manifest again (spec §18.9): a locator, no proof.

    Attributes:
        algorithm: entry of the soft-binding list, or an unregistered reverse-DNS name.
        value: the binding's value, base64 where it is binary.
    """

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReading:
    """One file's manifest, judged at one time against one set of trust lists.

    ``state`` decides; below is what the manifest *says*, empty where nothing can be read; ``signals`` in the
    words of the C2PA signals rubric. Changes in uncovered ranges would not be noticed.
    """

    state: ManifestState
    reason: str
    at: datetime
    signer: SignerReading | None = None
    label: str | None = None
    claim_generator: str = ""
    title: str = ""
    mime: str = ""
    source_type: DigitalSourceType | None = None
    signals: tuple[str, ...] = ()
    model_name: str | None = None
    model_identifier: str | None = None  # a package URL or the like, without the digest that follows
    weights_sha256: str | None = None
    training_mining: Mapping[str, str] | None = None
    """CAWG training and data mining: what the signer says of each use, in the assertion's own words."""
    training_records: tuple[str, ...] = ()  # SHA-256, lower-case hex
    prompt: str | None = None  # published by its author; ours say so under ``org.mediaguard.prompt``
    actions: tuple[str, ...] = ()
    soft_bindings: tuple[SoftBinding, ...] = ()
    digest_assertion: Mapping[str, Any] | None = None
    recipe_commitment: str | None = None
    content_id: str | None = None
    log_checkpoint: str | None = None  # signed note of a log, which its publisher's log has to extend
    claimed_time: datetime | None = None
    ingredients: tuple[IngredientReading, ...] = ()
    identities: tuple[IdentityReading, ...] = ()
    codes: tuple[ValidationCode, ...] = ()
    uncovered: tuple[str, ...] = ()
    left_out: LeftOut | None = None  # how much of the file that is; nothing of it beside a wrong binding
    remote_url: str | None = None
    manifest_sha256: str | None = None
    claim_sha256: str | None = None  # of what is signed; the digest above changes with what is not
    sidecar: bool = False
    detached: bool = False  # read without its file: nothing is known about any bytes

    @property
    def intact(self) -> bool:
        """Whether bytes, manifest and signature agree, whoever signed."""
        return self.state in INTACT and not self.detached

    @property
    def failures(self) -> tuple[str, ...]:
        """Failure codes of the active manifest, in order."""
        return tuple(code.code for code in self.codes if code.kind == "failure")


BINDING_MATCHES = (
    "assertion.dataHash.match",
    "assertion.bmffHash.match",
    "assertion.boxesHash.match",
    "assertion.collectionHash.match",
)
"""Success codes of the hard binding (C2PA §15.2.2), one of which shows that bytes were compared."""

INTACT = frozenset(
    {
        ManifestState.TRUSTED,
        ManifestState.DEVELOPMENT,
        ManifestState.UNKNOWN_SIGNER,
        ManifestState.REVOKED,
        ManifestState.EXPIRED,
        ManifestState.HISTORY_PROBLEM,
    }
)
"""States in which the hard-bound bytes are as they were signed."""
