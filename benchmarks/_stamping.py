"""A time-stamp authority on the loopback for benchmarks, the one that the tests ask: needs ``openssl``."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.manifest.reading import TrustTier
from provenance.manifest.timestamps import StampedSigner
from provenance.manifest.trust import ListKind, TrustList, TrustLists
from provenance.timestamp.client import TimePolicy, TimeStamper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.manifest.signers import Signer

TESTS = Path(__file__).resolve().parents[1] / "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamping:
    """An authority that runs.

    Attributes:
        address: where it is asked.
        clocks: the list that vouches for it.
    """

    address: str
    clocks: TrustList

    def signer(self, signer: Signer) -> StampedSigner:
        """``signer``, whose signatures it stamps."""
        stamper = TimeStamper(authorities=(self.address,), policy=TimePolicy.REQUIRED)
        return StampedSigner(signer=signer, stamper=stamper)

    def listed(self, trust: TrustLists) -> TrustLists:
        """``trust``, with the list that vouches for it."""
        return trust.adding(self.clocks)


@contextmanager
def stamping() -> Iterator[Stamping]:
    """An authority that runs as long as this context does."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    tsa = import_module("simulators.tsa")
    with tempfile.TemporaryDirectory() as folder:
        clock = tsa.Clock(folder=Path(folder))
        clocks = TrustList.of(
            name="clocks", tier=TrustTier.OWN, kind=ListKind.TSA, pem=clock.root_pem, date=clock.now.date()
        )
        with tsa.Server(clock.reply) as server:
            yield Stamping(address=server.url, clocks=clocks)
