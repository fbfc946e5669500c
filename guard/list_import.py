"""A trust list from outside, as it would be taken in: what is in it, what it says of itself, what changes.

A file may say what it is in comment lines before its first certificate::

    # date: 2026-08-06
    # kind: tsa
    # sha256: …          over everything from the first "-----BEGIN CERTIFICATE-----" to the end

What it says is held against what it is; it is never a reason to believe it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.roots import refuse_development
from provenance.errors import InputError, IntegrityError
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import DEVELOPMENT, ListKind, TrustList, TrustLists, development_list
from provenance.manifest.trust_certificates import ListChange, ListContents, change, contents_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_SAID = re.compile(r"#\s*(name|date|kind|sha256)\s*:\s*(\S{1,128})\s*")
_HEAD_BYTES = 8192
"""Of comments that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the caller says of a list; None: as the file or its certificates say.

    Attributes:
        name: of the list.
        tier: what being on it is worth; a file cannot say that of itself.
        kind: whom it vouches for.
        date: day of the snapshot.
        sha256: of the whole file, as its publisher tells it elsewhere.
        source: https address of the next one.
    """

    name: str | None = None
    tier: TrustTier = TrustTier.OWN
    kind: ListKind | None = None
    date: dt.date | None = None
    sha256: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A list that is ready to be put in place, with everything a person should see before.

    Attributes:
        added: the list.
        before: the one of its name that it replaces, if any.
        contents: its certificates.
        change: what is on one and not on the other.
        file_sha256: of the file as it came.
        notes: what is odd about it, in sentences.
    """

    added: TrustList
    before: TrustList | None
    contents: ListContents
    change: ListChange
    file_sha256: str
    notes: tuple[str, ...]

    @property
    def unchanged(self) -> bool:
        """Whether the list in place says the same already."""
        old = self.before
        new = self.added
        return old is not None and (old.pem, old.kind, old.tier, old.source) == (
            new.pem,
            new.kind,
            new.tier,
            new.source,
        )


def propose(data: bytes, wanted: Wanted, known: TrustLists, *, now: dt.datetime) -> Proposal:
    """What taking in ``data`` would come to.

    Raises:
        InputError: ``trust.not-certificates``, ``trust.development-root``, ``trust.development``,
            ``trust.name-needed``, ``trust.wrong-kind``, ``trust.bad-date``, ``trust.older``.
        IntegrityError: ``trust.digest-differs``: it is not the file that it says, or that the caller means.
    """
    said = _said(data)
    _hold_digests(data, said, wanted.sha256)
    contents = contents_of(data)
    refuse_development(contents.pem)
    added = TrustList.of(
        name=_named(wanted.name or said.get("name")),
        tier=wanted.tier,
        pem=contents.pem,
        date=_dated(wanted.date, said.get("date"), now.date()),
        kind=_kind_of(contents, wanted.kind, said.get("kind")),
        source=wanted.source,
    )
    before = next((one for one in known.lists if one.name == added.name), None)
    if added.name == DEVELOPMENT or (before is not None and before.tier is TrustTier.DEVELOPMENT):
        raise development_list(added.name)
    if before is not None and added.date < before.date:
        raise _older(added, before)
    return Proposal(
        added=added,
        before=before,
        contents=contents,
        change=change(None if before is None else before.pem, added.pem),
        file_sha256=hashlib.sha256(data).hexdigest(),
        notes=(*_left_out(data), *_notes_on(contents, added, now)),
    )


def _said(data: bytes) -> Mapping[str, str]:
    head = data[: min(data.find(_BEGIN), _HEAD_BYTES) if _BEGIN in data else 0].decode("utf-8", "replace")
    found = (_SAID.fullmatch(line.strip()) for line in head.splitlines())
    return {match[1]: match[2] for match in found if match}


def _hold_digests(data: bytes, said: Mapping[str, str], meant: str | None) -> None:
    whole = hashlib.sha256(data).hexdigest()
    inner = hashlib.sha256(data[data.find(_BEGIN) :]).hexdigest()
    if meant is not None and meant.lower() != whole:
        raise _differs(f"the file has the SHA-256 {whole}, not the one that was given")
    if "sha256" in said and said["sha256"].lower() != inner:
        raise _differs(
            f"the file says SHA-256 {said['sha256'][:64]} of itself, and its certificates have {inner}"
        )


def _named(name: str | None) -> str:
    if name is None:
        what = "the list needs a name by which verdicts call it"
        raise InputError("trust.name-needed", what, hint="guard trust import FILE --name newsroom")
    return name


def _dated(wanted: dt.date | None, said: str | None, today: dt.date) -> dt.date:
    try:
        date = wanted or (dt.date.fromisoformat(said) if said else today)
    except ValueError:
        date = dt.date.max
    if date > today:
        what = "the day of the list lies ahead, or is none"
        raise InputError(
            "trust.bad-date", what, where=str(said or wanted), hint="give it as --date 2026-08-06"
        )
    return date


def _kind_of(contents: ListContents, wanted: ListKind | None, said: str | None = None) -> ListKind:
    """What a list is for; its certificates overrule whoever says otherwise, where they speak.

    Raises:
        InputError: ``trust.wrong-kind``.
    """
    if said is not None and said not in set(ListKind):
        raise _wrong_kind(f"the file says that it is a list of kind {said[:40]!r}, which is none")
    chosen = wanted or (ListKind(said) if said else None)
    if chosen is ListKind.CAWG or contents.kind is None:
        return chosen or ListKind.MANIFEST
    if chosen not in (None, contents.kind):
        raise _wrong_kind(f"its certificates are for {contents.kind}, not for {chosen}")
    return contents.kind


def _left_out(data: bytes) -> tuple[str, ...]:
    secret = b"PRIVATE KEY-----" in data
    return ("a private key stands in the file; it is not taken in, and belongs to its owner only",) * secret


def _notes_on(contents: ListContents, added: TrustList, now: dt.datetime) -> list[str]:
    """What is odd about a list, in sentences."""
    notes = [f"stands in the file more than once: {one}" for one in contents.twice]
    notes += [f"expired on {one.not_after:%Y-%m-%d}: {one}" for one in contents.expired(now)]
    notes += [f"ends on {one.not_after:%Y-%m-%d}: {one}" for one in contents.ending(now)]
    single = [one for one in contents.certificates if not one.authority]
    notes += [f"trusts one signer by itself: {one}" for one in single]
    if contents.official and added.tier is not TrustTier.OFFICIAL:
        notes.append(
            "its certificates carry the policy of C2PA: it may be the official list; --tier official says "
            "that you held its digest against the one that C2PA publishes"
        )
    if added.tier is TrustTier.OFFICIAL and not contents.official:
        notes.append("none of its certificates carries the policy of C2PA, which the official lists' do")
    return notes


def _differs(what: str) -> IntegrityError:
    return IntegrityError("trust.digest-differs", what, hint="fetch the file again, from its publisher")


def _wrong_kind(what: str) -> InputError:
    return InputError("trust.wrong-kind", what, hint="guard trust import FILE --kind manifest|tsa|cawg")


def _older(added: TrustList, before: TrustList) -> InputError:
    return InputError(
        "trust.older",
        f"the list {added.name} of {before.date} would be replaced by one of {added.date}",
        hint="guard trust remove NAME first, if that is what you want",
    )
