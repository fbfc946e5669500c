"""A token counts for exactly what it stamps, and no byte of it can be another."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from simulators.tsa import Clock

from provenance.errors import IntegrityError
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import ListKind, TrustList, TrustLists
from provenance.timestamp import der
from provenance.timestamp.der import DerError
from provenance.timestamp.messages import request, stamped, token_of
from provenance.timestamp.token import authority_of, verify_token


def lists(pem: bytes, kind: ListKind = ListKind.TSA) -> TrustLists:
    item = TrustList.of(name="clocks", tier=TrustTier.OWN, kind=kind, pem=pem, date=datetime.now(UTC).date())
    return TrustLists(lists=(item,))


def why(token: bytes, data: bytes = b"data") -> str:
    with pytest.raises(IntegrityError) as caught:
        verify_token(token, data)
    assert caught.value.code == "timestamp.invalid"
    return caught.value.what


def test_a_token_says_when_its_data_were_there(stamp):
    assert abs(stamp.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert stamp.nonce == 2**64 - 1
    assert [one.subject.rfc4514_string() for one in stamp.chain] == ["CN=Clock", "CN=Clock root"]


def test_openssl_reads_our_request_and_agrees_about_the_token(stamp, clock, tmp_path):
    (tmp_path / "q").write_bytes(request(b"data", 77))
    shown = subprocess.run(
        ["openssl", "ts", "-query", "-in", "q", "-text"], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    assert b"Nonce: 0x4D" in shown
    assert b"Certificate required: yes" in shown
    (tmp_path / "t").write_bytes(stamp.token)
    (tmp_path / "d").write_bytes(b"data")
    (tmp_path / "root.pem").write_bytes(clock.root_pem)
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "t", "-data", "d", "-CAfile", "root.pem"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_it_is_about_no_other_data(stamp):
    assert "other data" in why(stamp.token, b"date")


def test_a_list_has_to_vouch_for_its_authority(stamp, clock, tmp_path):
    assert authority_of(stamp, lists(clock.root_pem)).found.name == "clocks"
    assert authority_of(stamp, TrustLists()) is None
    # A list of signers vouches for signers, not for clocks.
    assert authority_of(stamp, lists(clock.root_pem, ListKind.MANIFEST)) is None
    assert authority_of(stamp, lists(Clock(folder=tmp_path / "other").root_pem)) is None


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"purposes": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)}, "authority"),
        ({"purposes": (ExtendedKeyUsageOID.EMAIL_PROTECTION,)}, "authority"),
        ({"days": -1}, "not valid at that time"),
    ],
)
def test_its_certificate_is_one_for_time_stamps_and_valid_then(shape, said, tmp_path):
    """openssl makes none of these itself: a token is signed, and its certificate said to be another."""
    from provenance.timestamp import token as room

    clock = Clock(folder=tmp_path / "c", **shape)
    leaf = x509.load_pem_x509_certificate((clock.folder / "tsa.pem").read_bytes())
    info = stamped_now()
    with pytest.raises(DerError, match=said):
        room._require_purpose(leaf, info)


def stamped_now():
    from provenance.timestamp.messages import Stamped

    return Stamped(digest="sha256", imprint=b"", at=datetime.now(UTC), nonce=None, serial=1)


def test_no_changed_byte_passes_for_another_statement(stamp):
    """Every byte: whatever still verifies says the same of the same data."""
    token = bytearray(stamp.token)
    passed = 0
    for position in range(0, len(token), 3):
        token[position] ^= 0x04
        try:
            found = verify_token(bytes(token), b"data")
        except IntegrityError:
            pass
        else:
            passed += 1
            assert (found.at, found.nonce, found.chain[0]) == (stamp.at, stamp.nonce, stamp.chain[0])
        token[position] ^= 0x04
    # What nobody signs: the authority's issuer, which a list has to know anyway, and headers.
    assert passed < len(token) / 3 / 2


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused_by_name(data):
    why(data)
    for read in (token_of, stamped):
        with pytest.raises((DerError, ValueError)):
            read(data)


def test_a_token_cut_off_anywhere_is_refused(stamp):
    for length in range(0, len(stamp.token), 50):
        why(stamp.token[:length])
    why(stamp.token + b"\0")
    assert "65536" in why(stamp.token + bytes(2**16))


def reply(status: int, failure: bytes = b"") -> bytes:
    reason = der.encode(0x03, failure) if failure else b""
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode_integer(status), reason))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (reply(2), "refused: without a reason"),
        (reply(2, b"\x05\x20"), "malformed"),
        (reply(2, b"\x07\x80"), "does not know the digest algorithm"),
        (reply(2, b"\x07\x01"), "known here"),
        (reply(0), "no token"),
        (der.encode(der.SEQUENCE), "empty"),
    ],
)
def test_a_refusal_says_why(given, said):
    with pytest.raises(DerError, match=said):
        token_of(given)


@given(st.integers(min_value=0, max_value=2**500))
def test_numbers_come_back(value):
    assert der.parse(der.encode_integer(value)).integer() == value


@given(st.lists(st.integers(min_value=0, max_value=2**40), max_size=9), st.integers(0, 39), st.integers(0, 2))
def test_object_identifiers_come_back(rest, second, first):
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der.parse(der.encode_oid(dotted)).oid() == dotted


@given(st.binary(max_size=400), st.integers(0, 30))
def test_values_come_back(body, tag):
    node = der.parse(der.encode(tag, body))
    assert (node.tag, node.content) == (tag, body)


def test_lengths_of_ber_are_none_of_der():
    for reply in ("308000000000", "3085000000000000", "30"):
        with pytest.raises(DerError):
            der.parse(bytes.fromhex(reply))
