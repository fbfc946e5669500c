"""A time-stamp on a checkpoint: a witness where a list vouches for its authority, never for another log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from simulators.tsa import NEEDED, Server

from guard.log_stamps import stamp_checkpoint
from guard.log_view import LogView
from provenance.errors import ConfigurationError
from provenance.log.export import export_log
from provenance.log.leaves import DecisionLeaf
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import ListKind, TrustList
from provenance.timestamp.client import TimePolicy, TimeStamper

pytestmark = NEEDED


@pytest.fixture
def clocks(home, clock):
    """The installation's lists, and one that vouches for the authority."""
    made = TrustList.of(
        name="clocks",
        tier=TrustTier.OWN,
        kind=ListKind.TSA,
        pem=clock.root_pem,
        date=datetime.now(UTC).date(),
    )
    return home.trust().adding(made)


@pytest.fixture
def log(home):
    found = home.log()
    leaf = DecisionLeaf(
        action="deny", decision_commitment="0" * 64, subject_sha256="1" * 64, manifest_sha256=None, time=0
    )
    found.append([leaf.to_bytes()])
    return found


def stamper(*authorities):
    return TimeStamper(authorities=authorities, policy=TimePolicy.REQUIRED, rounds=1, wait=lambda _: None)


def view(log, trust):
    return LogView.copy(log.folder, log.verifier, (), trust)


def test_a_listed_authority_is_a_witness_and_an_unlisted_one_is_not(home, log, clock, clocks, tmp_path):
    with Server(clock.reply) as server:
        done = stamp_checkpoint(log, stamper(server.url), clocks)
    assert (done.size, done.listed) == (1, "the list clocks (own)")
    witness = view(log, clocks).audited().witness
    assert witness.startswith(
        "the only one witnessed by a time-stamp of an authority on the list clocks (own)"
    )
    assert view(log, home.trust()).audited().witness == "local, no outside witness"
    export_log(log, tmp_path / "public")
    copied = LogView.copy(tmp_path / "public", log.verifier, (), clocks)
    assert copied.audited().witness == witness
    log.append([next(iter(log.entries()))[1]])
    assert "the first of 2 entries witnessed by a time-stamp" in view(log, clocks).audited().witness


def test_a_time_stamp_of_something_else_is_a_problem(log, clock, clocks):
    with Server(clock.reply) as server:
        stamp_checkpoint(log, stamper(server.url), clocks)
        other = stamper(server.url).timestamp(b"something else")
    (log.folder / "witnessed/1.tsr").write_bytes(other)
    report = view(log, clocks).audited()
    assert [problem.code for problem in report.problems] == ["timestamp.invalid"]
    assert report.witness == "local, no outside witness"


def test_without_an_answer_nothing_is_filed(log, clocks):
    for asked, code in (
        (stamper("http://127.0.0.1:9/"), "timestamp.unavailable"),
        (None, "timestamp.not-configured"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            stamp_checkpoint(log, asked, clocks)
        assert caught.value.code == code
        assert caught.value.hint
    assert not (log.folder / "witnessed").exists()


def test_a_cosignature_and_a_time_stamp_stand_side_by_side(log, clock, clocks):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from provenance.log.cosignature import WitnessSigner
    from provenance.log.witnessed import accept, add_witness

    w1 = WitnessSigner(name="w1.example", private_key=Ed25519PrivateKey.generate())
    add_witness(log, w1.verifier)
    with Server(clock.reply) as server:
        stamp_checkpoint(log, stamper(server.url), clocks)
        accept(log, w1.cosign(log.note(), 1_700_000_000))
        told = LogView.copy(log.folder, log.verifier, (w1.verifier,), clocks).audited().witness
        assert "witnessed by w1.example (2023-11-14 22:13 UTC) and a time-stamp of an authority on" in told
        stamp_checkpoint(log, stamper(server.url), clocks)
    assert LogView.copy(log.folder, log.verifier, (w1.verifier,), clocks).audited().ok


def test_at_the_command_line(home, log, clock, guard_cli):
    with Server(clock.reply) as server:
        config = home.config_path.read_text()
        home.config_path.write_text(f'{config}\n[timestamp]\nauthorities = ["{server.url}"]\n')
        ran = guard_cli("log", "witness", "timestamp")
    assert ran.code == 0, ran.err
    assert "time-stamped: 1 entries" in ran.out
    assert "on no list here, so the time-stamp is no witness yet" in ran.out
