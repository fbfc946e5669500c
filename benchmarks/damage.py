"""Damaged signed files of every kind, each judged as ``guard verify`` does: ``python benchmarks/damage.py``.

One file in three has a time-stamp, which nothing in the manifest hashes. Four files in five have 1, 4 or 32
bytes changed, half of them anywhere and half where the manifest lies; one in five is cut off at a random
place. What may never happen: an exception that is not ours, "no credentials", or an intact state for a change
outside the ranges that the reading itself lists as not covered.

Besides, structural damage (``--only structural`` for this alone): bytes of the padding beside the signature
are taken away, and as many put into another box, a field of a description, an unsigned header or an unusual
form of what is there (``_structural.py``). The store keeps its length and all that is signed stays right; it
is read from beside the file, so that all kinds of files are damaged alike.

The time-stamps come from an authority on the loopback, for which ``openssl`` has to be there.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from _every_format import one_of
from _stamping import stamping
from _structural import WAYS, moved
from verifying import parties

from guard.verdict import State
from guard.verify import verify
from provenance.errors import Error
from provenance.manifest.containers import find_store
from provenance.manifest.formats import MIMES
from provenance.manifest.reading import ManifestReading, TrustTier
from provenance.manifest.sign import sign
from provenance.manifest.trust import TrustLists
from provenance.media import Asset
from provenance.sniff import mime_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _stamping import Stamping

    from provenance.manifest.sign import SignedAsset

EACH = 1500
"""Of a kind: 24,000 in all."""
STRUCTURAL = 300
"""Of a kind, of every way as many: 4,800 in all."""
BYTES = (1, 4, 32)
RANGE = re.compile(r"bytes (\d+)-(\d+)( of the manifest beside the file)?:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A file with a change, and where.

    Attributes:
        data: the file.
        sidecar: its manifest, where that lies beside it.
        changed: offsets of the changed bytes; None where it was cut off.
        where: ``"anywhere"``, ``"manifest"``, ``"cut"``, or ``"structural: …"`` in the manifest.
        stamped: whether it was time-stamped.
    """

    data: bytes
    sidecar: bytes | None
    changed: frozenset[int] | None
    where: str
    stamped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one: a state or the code of a refusal, and whether that must never happen."""

    state: str
    wrong: str | None
    seconds: float


def signed(mime: str, authority: Stamping | None = None) -> tuple[tuple[SignedAsset, ...], TrustLists]:
    """A signed file whose signer is trusted; with an authority the same with a time-stamp behind it."""
    signer, trust, spec = parties()
    lists = TrustLists(lists=tuple(replace(item, tier=TrustTier.OWN) for item in trust.lists))
    made = sign(one_of(mime), spec, signer, trust=lists)
    if authority is None:
        return (made,), lists
    lists = authority.listed(lists)
    return (made, sign(one_of(mime), spec, authority.signer(signer), trust=lists)), lists


def damaged(made: SignedAsset, number: int, seed: int) -> Damaged:
    """The damaged file of this number, the same for the same signed bytes and seed."""
    rng = random.Random(f"{made.asset.mime} {number} {seed}")
    data = made.asset.data
    beside = made.manifest if find_store(data) is None else None
    if number % 5 == 4:
        if beside is not None and number % 2:
            return Damaged(data=data, sidecar=_cut(rng, beside), changed=None, where="cut")
        return Damaged(data=_cut(rng, data), sidecar=beside, changed=None, where="cut")
    where = ("anywhere", "manifest")[number // 5 % 2]
    count = BYTES[number % 3]
    if where == "manifest" and beside is not None:
        broken, changed = _changed(rng, beside, (0, len(beside)), count)
        return Damaged(data=data, sidecar=broken, changed=changed, where=where)
    span = (0, len(data)) if where == "anywhere" else _span(data)
    broken, changed = _changed(rng, data, span, count)
    return Damaged(data=broken, sidecar=beside, changed=changed, where=where)


def judged(item: Damaged, trust: TrustLists, at: datetime) -> Outcome:
    """What ``guard verify`` says of it."""
    begun = time.perf_counter()
    mime = mime_of(item.data)
    if mime is None:
        return Outcome(state="not media", wrong=None, seconds=0.0)
    try:
        verdict = verify(Asset.of(item.data, mime), trust=trust, at=at, sidecar=item.sidecar)
        state, reading = verdict.state, verdict.evidence[0].detail
        assert isinstance(reading, ManifestReading)
        wrong = _wrong(item, state, reading)
        said = state.value
    except Error as error:
        said, wrong = error.code, None
    except Exception as error:  # noqa: BLE001 - that there is none is what is measured
        said = wrong = f"crash: {type(error).__name__}"
    return Outcome(state=said, wrong=wrong, seconds=time.perf_counter() - begun)


def _wrong(item: Damaged, state: State, reading: ManifestReading) -> str | None:
    if state in (State.NO_CREDENTIALS, State.REMOTE_ONLY):
        return state.value
    if not reading.intact:
        return None
    beside = item.sidecar is not None and item.where.startswith(("manifest", "structural"))
    listed = [found for found in map(RANGE.match, reading.uncovered) if found and beside == bool(found[3])]
    ranges = [(int(found[1]), int(found[2])) for found in listed]
    open_ = item.changed is not None and all(
        any(low <= at <= high for low, high in ranges) for at in item.changed
    )
    return None if open_ else f"intact: {state.value}"


def _span(data: bytes) -> tuple[int, int]:
    found = find_store(data)
    assert found is not None
    return min(low for low, _ in found.spans), max(high for _, high in found.spans)


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(1, len(data))]


def _changed(
    rng: random.Random, data: bytes, span: tuple[int, int], count: int
) -> tuple[bytes, frozenset[int]]:
    out = bytearray(data)
    places = frozenset(rng.sample(range(*span), min(count, span[1] - span[0])))
    for place in places:
        out[place] ^= rng.randrange(1, 256)
    return bytes(out), places


def of_kind(
    mime: str, each: int, seed: int, authority: Stamping | None = None
) -> Iterator[tuple[Damaged, Outcome]]:
    """Every damaged file of a kind with its outcome."""
    made, trust = signed(mime, authority)
    at = datetime.now(UTC)
    for number in range(each):
        # Whole runs of ten, in which every way of damage comes up.
        stamped = authority is not None and number // 10 % 3 == 2
        item = replace(damaged(made[stamped], number, seed), stamped=stamped)
        yield item, judged(item, trust, at)


def structural(
    mime: str, each: int, seed: int, authority: Stamping | None = None
) -> Iterator[tuple[Damaged, Outcome]]:
    """Every file of a kind with structural damage, with its outcome; fewer where padding does not suffice."""
    made, trust = signed(mime, authority)
    at = datetime.now(UTC)
    for number in range(each):
        stamped = authority is not None and number % 3 == 2
        rng = random.Random(f"structural {mime} {number} {seed}")
        change = moved(rng, made[stamped].manifest, WAYS[number // 3 % len(WAYS)])
        if change is None:
            continue
        item = Damaged(
            data=made[stamped].asset.data,
            sidecar=change.store,
            changed=frozenset(range(change.start, change.end)),
            where=f"structural: {change.way}",
            stamped=stamped,
        )
        yield item, judged(item, trust, at)


def _structural(each: int, seed: int) -> None:
    """The figures of structural damage, in a file of their own."""
    from _results import write

    ways: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    wrong: list[str] = []
    with stamping() as authority:
        for mime in MIMES:
            for item, outcome in structural(mime, each, seed, authority):
                ways[item.where.removeprefix("structural: ")][outcome.state] += 1
                if outcome.wrong:
                    wrong.append(f"{mime} ({item.where}): {outcome.wrong}")
    write(
        "damage_structural",
        command="python benchmarks/damage.py --only structural",
        n=sum(map(Counter.total, ways.values())),
        seed=seed,
        ways={way: dict(states.most_common()) for way, states in ways.items()},
        wrong=wrong,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--structural", type=int, default=STRUCTURAL)
    parser.add_argument("--only", choices=["structural"])
    asked = parser.parse_args()
    _structural(asked.structural, asked.seed)
    if asked.only is None:
        _flipped(asked.each, asked.seed)


def _flipped(each: int, seed: int) -> None:
    """The figures of changed bytes and of files cut off."""
    from _results import write

    rows: dict[str, Any] = {}
    totals: Counter[str] = Counter()
    wrong: list[str] = []
    stamped: Counter[str] = Counter()
    slowest = 0.0
    with stamping() as authority:
        for mime in MIMES:
            states: Counter[str] = Counter()
            for number, (item, outcome) in enumerate(of_kind(mime, each, seed, authority)):
                states[outcome.state] += 1
                stamped[outcome.state] += item.stamped
                slowest = max(slowest, outcome.seconds)
                if outcome.wrong:
                    wrong.append(f"{mime} {number} ({item.where}): {outcome.wrong}")
            totals += states
            rows[mime] = dict(sorted(states.items()))
    write(
        "damage",
        n=sum(totals.values()),
        seed=seed,
        states=dict(totals.most_common()),
        time_stamped={"n": sum(stamped.values()), "states": dict((+stamped).most_common())},
        formats=rows,
        crashes=sum(count for state, count in totals.items() if state.startswith("crash")),
        no_credentials=totals[State.NO_CREDENTIALS.value] + totals[State.REMOTE_ONLY.value],
        intact_outside_listed=sum("intact" in line for line in wrong),
        wrong=wrong,
        slowest_ms=round(1e3 * slowest, 1),
    )


if __name__ == "__main__":
    main()
