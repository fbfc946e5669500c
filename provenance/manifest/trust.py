"""Trust lists: whom the caller believes, by name, tier, digest and date.

A folder ``trust/`` holds one PEM file a list and ``lists.json`` with their digests; a list whose file
does not fit its digest is refused, not skipped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from provenance.errors import InputError, IntegrityError
from provenance.manifest.reading import TrustTier
from provenance.manifest.revocation import Revocation, load_revocations

CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"
"""C2PA claim signing (C2PA certificate policy); the library's default does not accept it."""
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"
DEFAULT_EKUS = (CLAIM_SIGNING, EMAIL_PROTECTION, DOCUMENT_SIGNING)
DEVELOPMENT = "development"
"""Name of the list of this installation's own development identities."""

_INDEX = "lists.json"
_KEYS = frozenset({"version", "ekus", "lists"})
_ENTRY = frozenset({"name", "tier", "kind", "file", "sha256", "date", "source"})
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MAX_PEM = 4 * 2**20


class ListKind(StrEnum):
    """What a list vouches for: signers of manifests, time-stamp authorities, CAWG identities."""

    MANIFEST = "manifest"
    TSA = "tsa"
    CAWG = "cawg"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustList:
    """Certificates the caller trusts for one purpose.

    Attributes:
        name: lower-case letters, digits and hyphens.
        tier: what being on this list is worth.
        kind: whom its anchors vouch for.
        pem: the anchors.
        sha256: lower-case hex over ``pem``.
        date: day of the snapshot.
        source: https address that ``guard trust update`` asks for the next one; None: nobody is asked.
    """

    name: str
    tier: TrustTier
    kind: ListKind
    pem: bytes = field(repr=False)
    sha256: str
    date: dt.date
    source: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            what = "a list name has lower-case letters, digits and hyphens only"
            raise InputError("trust.bad-name", what, where=self.name, hint="choose a name such as newsroom")
        if self.tier is TrustTier.UNKNOWN:
            raise InputError("trust.bad-tier", "a trust list cannot have the tier unknown")
        if hashlib.sha256(self.pem).hexdigest() != self.sha256:
            raise IntegrityError(
                "trust.digest-mismatch",
                f"the trust list {self.name} is not the one that was added",
                hint="guard trust remove NAME, then add it again from its source",
            )

    @classmethod
    def of(
        cls,
        *,
        name: str,
        tier: TrustTier,
        pem: bytes,
        date: dt.date,
        kind: ListKind = ListKind.MANIFEST,
        source: str | None = None,
    ) -> TrustList:
        """A list with its digest computed.

        Raises:
            InputError: ``trust.not-certificates`` when ``pem`` holds none or is over 4 MB.
        """
        if b"-----BEGIN CERTIFICATE-----" not in pem or len(pem) > _MAX_PEM:
            hint = 'give a file with lines "-----BEGIN CERTIFICATE-----"'
            raise InputError(
                "trust.not-certificates", "a trust list is a PEM file of certificates", hint=hint
            )
        digest = hashlib.sha256(pem).hexdigest()
        return cls(name=name, tier=tier, kind=kind, pem=pem, sha256=digest, date=date, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustLists:
    """All lists of one caller; the default trusts nobody.

    Attributes:
        lists: in any order; the strongest tier that vouches for a signer is shown.
        ekus: extended key usages, as dotted OIDs, of which a signer needs one.
        revoked: certificates that no list vouches for any more.
    """

    lists: tuple[TrustList, ...] = ()
    ekus: tuple[str, ...] = DEFAULT_EKUS
    revoked: tuple[Revocation, ...] = ()

    def __post_init__(self) -> None:
        names = [item.name for item in self.lists]
        if len(set(names)) != len(names):
            hint = "choose another name; guard trust list shows those in use"
            raise InputError("trust.bad-name", "two trust lists have the same name", hint=hint)

    def of_kind(self, kind: ListKind) -> tuple[TrustList, ...]:
        """The lists of one kind, strongest tier first."""
        order = list(TrustTier)
        chosen = (item for item in self.lists if item.kind is kind)
        return tuple(sorted(chosen, key=lambda item: (order.index(item.tier), item.name)))

    def adding(self, added: TrustList) -> TrustLists:
        """These lists and one more; one of the same name is replaced."""
        kept = tuple(item for item in self.lists if item.name != added.name)
        return replace(self, lists=(*kept, added))

    def removing(self, name: str) -> TrustLists:
        """These lists without one.

        Raises:
            InputError: ``trust.unknown-list``.
        """
        kept = tuple(item for item in self.lists if item.name != name)
        if len(kept) == len(self.lists):
            raise _unknown(name)
        return replace(self, lists=kept)


def load_trust(folder: Path) -> TrustLists:
    """The lists of a folder; an absent folder trusts nobody.

    Raises:
        IntegrityError: ``trust.digest-mismatch``, ``trust.index-damaged`` or ``trust.revocations-damaged``.
    """
    revoked = load_revocations(folder)
    if not (folder / _INDEX).exists():
        return TrustLists(revoked=revoked)
    try:
        return replace(_loaded(folder, _index(folder)), revoked=revoked)
    except (ValueError, KeyError, TypeError, OSError, InputError) as error:
        raise _index_damaged(folder, error) from error


def forget_list(folder: Path, name: str) -> None:
    """Removes one list by the index alone, so that it works when files of lists are damaged or missing.

    A development list is only given up when its file is damaged: it would make every file that this
    installation signed one of an unknown signer, and nothing else can bring its certificates back.

    Raises:
        InputError: ``trust.unknown-list`` or ``trust.development``.
        IntegrityError: ``trust.index-damaged``.
    """
    try:
        document = _index(folder) if (folder / _INDEX).exists() else {"lists": []}
        gone = [entry for entry in document["lists"] if entry["name"] == name]
        development = any(_is_development(entry) and _fits(folder, entry) for entry in gone)
        document["lists"] = [entry for entry in document["lists"] if entry["name"] != name]
        kept = {str(entry["file"]) for entry in document["lists"]}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise _index_damaged(folder, error) from error
    if not gone:
        raise _unknown(name)
    if development:
        raise development_list(name)
    _replace(folder / _INDEX, json.dumps(document, indent=2).encode() + b"\n")
    _sweep(folder, kept)


def development_list(name: str) -> InputError:
    """The error for changing a list that belongs to this installation's own identity."""
    return InputError(
        "trust.development",
        f"the list {name} belongs to this installation's own development identities",
        hint="guard keys renew",
    )


def save_trust(folder: Path, trust: TrustLists) -> None:
    """Writes lists and index; the index last, so that a crash leaves the earlier state valid.

    Revocations lie in a file of their own (``provenance.manifest.revocation``) and stay as they are. Raises
    as ``provenance.files.write_public``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for item in trust.lists:
        _replace(folder / _file_name(item), item.pem)
    entries = [
        {
            "name": item.name,
            "tier": item.tier.value,
            "kind": item.kind.value,
            "file": _file_name(item),
            "sha256": item.sha256,
            "date": item.date.isoformat(),
            **({} if item.source is None else {"source": item.source}),
        }
        for item in trust.lists
    ]
    document = {"version": 1, "ekus": list(trust.ekus), "lists": entries}
    _replace(folder / _INDEX, json.dumps(document, indent=2).encode() + b"\n")
    _sweep(folder, {_file_name(item) for item in trust.lists})


def _sweep(folder: Path, kept: set[str]) -> None:
    for stale in folder.glob("*.pem"):
        if stale.name not in kept:
            stale.unlink()


def _unknown(name: str) -> InputError:
    return InputError("trust.unknown-list", f"there is no trust list {name}", hint="guard trust list")


def _index_damaged(folder: Path, error: Exception) -> IntegrityError:
    return IntegrityError(
        "trust.index-damaged",
        f"the index of trust lists cannot be used: {error}",
        where=str(folder / _INDEX),
        hint="restore the folder, or remove it and add the lists again",
    )


def _is_development(entry: dict[str, Any]) -> bool:
    return bool(entry["name"] == DEVELOPMENT or entry["tier"] == TrustTier.DEVELOPMENT)


def _fits(folder: Path, entry: dict[str, Any]) -> bool:
    try:
        _load_list(folder, entry)
    except (IntegrityError, OSError):
        return False
    return True


def _file_name(item: TrustList) -> str:
    # The digest is part of the name: replacing a list never overwrites the file the old index names.
    return f"{item.name}.{item.sha256[:12]}.pem"


def _index(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / _INDEX).read_text("utf-8"))
    if document["version"] != 1:
        raise ValueError("its version is not known here")
    _refuse_unknown(document, _KEYS)
    return document


def _loaded(folder: Path, document: dict[str, Any]) -> TrustLists:
    lists = tuple(_load_list(folder, entry) for entry in document["lists"])
    return TrustLists(lists=lists, ekus=tuple(str(eku) for eku in document["ekus"]))


def _refuse_unknown(found: dict[str, Any], known: frozenset[str]) -> None:
    """A misspelt key would be a setting that somebody believes in and that nobody reads."""
    for key in found:
        if key not in known:
            raise ValueError(f"it has the unknown key {key[:40]!r}")


def _load_list(folder: Path, entry: dict[str, Any]) -> TrustList:
    _refuse_unknown(entry, _ENTRY)
    name = str(entry["file"])
    if Path(name).name != name:
        raise ValueError(f"{name!r} lies outside the folder")
    return TrustList(
        name=entry["name"],
        tier=TrustTier(entry["tier"]),
        kind=ListKind(entry["kind"]),
        pem=(folder / name).read_bytes(),
        sha256=entry["sha256"],
        date=dt.date.fromisoformat(entry["date"]),
        source=entry.get("source"),
    )


def _replace(path: Path, data: bytes) -> None:
    from provenance.files import write_public  # noqa: PLC0415 - readers do without it

    write_public(path, data, overwrite=True)
