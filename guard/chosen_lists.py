"""Trust lists named for one command: exactly these count, whatever else this installation trusts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.errors import InputError
from provenance.files import read_bounded
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import ListKind, TrustList

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from provenance.manifest.trust import TrustLists

_MOST_PEM = 4 * 2**20


def only(
    known: TrustLists, signers: Sequence[str], authorities: Sequence[str] = (), *, today: date
) -> TrustLists:
    """``known`` with exactly the named lists; its revocations and key usages stay.

    A word is the name of a known list, or else a PEM file, whose certificates then count as a list of the
    caller's own. Where only ``authorities`` are named the known lists of signers count; where only
    ``signers`` are, no time-stamp authority does.

    Args:
        known: the lists of this installation; empty where there is none.
        signers: lists of ``ListKind.MANIFEST`` (and of other kinds, where a known name says so).
        authorities: lists of ``ListKind.TSA``.
        today: goes into lists read from files, which carry no date.

    Raises:
        InputError: ``trust.unknown-list``, ``trust.wrong-kind``, ``trust.not-certificates``,
            ``trust.development-root``; ``input.…`` for a file that cannot be read.
    """
    chosen = [_list(known, word, ListKind.MANIFEST, today) for word in dict.fromkeys(signers)]
    stamps = [_list(known, word, ListKind.TSA, today) for word in dict.fromkeys(authorities)]
    if not chosen:
        chosen = [one for one in known.lists if one.kind is not ListKind.TSA]
    if not stamps and not signers:
        stamps = list(known.of_kind(ListKind.TSA))
    unique: dict[str, TrustList] = {}
    for one in (*chosen, *stamps):
        taken = unique.get(one.name)
        named = one if taken in (None, one) else replace(one, name=f"{one.name}-{one.sha256[:8]}")
        unique[named.name] = named
    return replace(known, lists=tuple(unique.values()))


def _list(known: TrustLists, word: str, kind: ListKind, today: date) -> TrustList:
    named = next((one for one in known.lists if one.name == word), None)
    if named is not None:
        if (named.kind is ListKind.TSA) is not (kind is ListKind.TSA):
            raise _wrong_kind(named, kind)
        return named
    path = Path(word)
    if not path.exists():
        what = "there is no trust list of this name, and no such file"
        hint = "guard trust list shows the names; or give a PEM file"
        raise InputError("trust.unknown-list", what, where=word, hint=hint)
    from guard.roots import refuse_development  # noqa: PLC0415 - cryptography

    pem = read_bounded(path, most=_MOST_PEM)
    made = TrustList.of(name=_name(path, kind), tier=TrustTier.OWN, pem=pem, date=today, kind=kind)
    refuse_development(pem)
    return made


def _wrong_kind(named: TrustList, wanted: ListKind) -> InputError:
    option = "--tsa-list" if named.kind is ListKind.TSA else "--trust-list"
    what = f"the list {named.name} is of kind {named.kind}, not of kind {wanted}"
    return InputError("trust.wrong-kind", what, where=named.name, hint=f"name it with {option}")


def _name(path: Path, kind: ListKind) -> str:
    """A list name after the file's: shown in the verdict, so nothing but letters, digits and hyphens."""
    word = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:50]
    return f"{kind.value if kind is ListKind.TSA else 'file'}-{word or 'list'}"
