"""From a certificate request to a file that strangers trust, and out of force again, at the command line."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image
from simulators.authority import Authority

from guard.api import verify_file
from guard.doctor import examine
from guard.verdict import State

NOW = datetime.now(UTC)
RELEASE = ("release", "picture.png", "--source", "generated", "-o")


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def picture(tmp_path, photograph):
    Image.fromarray(photograph[:288, :288]).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


@pytest.fixture
def issued(home, guard_cli, authority, tmp_path):
    """An identity of Example Studio, in force."""
    ran = guard_cli("keys", "csr", "--organisation", "Example Studio", "--country", "DE", "-o", "r.pem")
    assert ran.code == 0, ran.err
    (tmp_path / "chain.pem").write_bytes(authority.issue((tmp_path / "r.pem").read_bytes()))
    (tmp_path / "root.pem").write_bytes(authority.root_pem)
    ran = guard_cli("keys", "import", "chain.pem")
    assert ran.code == 0, ran.err
    return home


def listed(guard_cli) -> dict:
    return json.loads(guard_cli("keys", "list", "--format", "json").out)


def test_from_a_request_to_a_trusted_file(issued, guard_cli, picture, tmp_path, authority):
    assert not issued.requested_folder.exists()
    chain = x509.load_pem_x509_certificates((issued.signing_folder / "chain.pem").read_bytes())
    assert authority.root not in chain
    assert stat.S_IMODE((issued.signing_folder / "key.pem").stat().st_mode) == 0o600
    assert "[unknown]" in guard_cli("keys", "list").out
    assert guard_cli(*RELEASE, "before").code == 0
    assert guard_cli("verify", "before/picture.png").code == 3
    assert guard_cli("trust", "add", "ca", "root.pem", "--tier", "own").code == 0
    assert guard_cli("verify", "before/picture.png", "--require", "trusted").code == 0
    signing = listed(guard_cli)["signing"]
    assert (signing["organisation"], signing["tier"], signing["state"]) == (
        "Example Studio",
        "own",
        "in_force",
    )
    assert "Example Studio, Example Studio [own]" in guard_cli("doctor").out
    assert listed(guard_cli)["earlier_signing"][0]["tier"] == "development"


def test_the_request_asks_for_the_profile_and_the_name(home, guard_cli, tmp_path):
    ran = guard_cli("keys", "csr", "--organisation", "Example Studio", "--name", "Renderer",
                    "--unit", "Films", "--country", "DE", "--algorithm", "es384", "-o", "r.pem")  # fmt: skip
    assert ran.code == 0
    asked = x509.load_pem_x509_csr((tmp_path / "r.pem").read_bytes())
    assert asked.subject.rfc4514_string() == "CN=Renderer,OU=Films,O=Example Studio,C=DE"
    assert asked.public_key().curve.name == "secp384r1"
    assert b"PRIVATE" not in (tmp_path / "r.pem").read_bytes()
    assert "waiting" in guard_cli("keys", "list").out
    assert "certificate request" in guard_cli("doctor").out
    # Asked again, for another name, it is about the same key.
    assert guard_cli("keys", "csr", "--organisation", "Other", "-o", "r.pem").code == 2
    assert guard_cli("keys", "csr", "--organisation", "Other", "-o", "r.pem", "--force").code == 0
    again = x509.load_pem_x509_csr((tmp_path / "r.pem").read_bytes())
    assert again.public_key() == asked.public_key()
    assert "identity.key-waiting" in guard_cli("keys", "new", "--signing").err


def test_a_development_identity_names_nobody_for_a_request(home, guard_cli):
    ran = guard_cli("keys", "csr", "-o", "r.pem")
    assert ran.code == 2
    assert "--organisation" in ran.err


def test_the_next_certificate_takes_the_name_of_the_last(issued, guard_cli, tmp_path, authority):
    refused = guard_cli("keys", "renew")
    assert "error[identity.issued]" in refused.err
    before = listed(guard_cli)["signing"]["fingerprint_sha256"]
    for arguments in ((), ("--current",)):
        assert guard_cli("keys", "csr", *arguments, "-o", "next.pem", "--force").code == 0
        asked = x509.load_pem_x509_csr((tmp_path / "next.pem").read_bytes())
        assert "O=Example Studio,C=DE" in asked.subject.rfc4514_string()
        (tmp_path / "next-chain.pem").write_bytes(authority.issue((tmp_path / "next.pem").read_bytes()))
        assert guard_cli("keys", "import", "next-chain.pem").code == 0
    assert before in {one["fingerprint_sha256"] for one in listed(guard_cli)["earlier_signing"]}
    assert guard_cli("keys", "renew", "--development").code == 0
    assert listed(guard_cli)["signing"]["tier"] == "development"


def test_what_is_imported_is_checked_first(home, guard_cli, tmp_path, authority):
    before = (home.signing_folder / "chain.pem").read_bytes()
    assert guard_cli("keys", "csr", "--organisation", "Example Studio", "-o", "r.pem").code == 0
    request = (tmp_path / "r.pem").read_bytes()
    stranger = ec.generate_private_key(ec.SECP256R1())
    foreign = (
        x509.CertificateSigningRequestBuilder().subject_name(authority.name).sign(stranger, hashes.SHA256())
    )
    usual = [(one.value, one.critical) for one in x509.load_pem_x509_csr(request).extensions]
    usual = [one for one in usual if not isinstance(one[0], x509.SubjectKeyIdentifier)]
    other = authority.sign(foreign.subject, stranger.public_key(), usual, days=9)
    cases = {
        "identity.profile": authority.issue(request, without=x509.ExtendedKeyUsage),
        "chain.unreadable": b"no certificates",
    }
    for code, chain in cases.items():
        (tmp_path / "c.pem").write_bytes(chain)
        ran = guard_cli("keys", "import", "c.pem")
        assert (ran.code, f"error[{code}]" in ran.err) == (2, True), ran.err
    assert "error[input.missing]" in guard_cli("keys", "import", "nowhere.pem").err
    for command in ("import", "lint"):
        ran = guard_cli("keys", command, "r.pem")
        assert (ran.code, "error[chain.unreadable]" in ran.err) == (2, True)
        assert "this is a request for a certificate" in ran.err
        assert "guard keys import CHAIN takes what that returns" in ran.err
    (tmp_path / "c.pem").write_bytes(authority.issue(request))
    (tmp_path / "k.pem").write_bytes(
        stranger.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert "error[signer.key-exposed]" in guard_cli("keys", "import", "c.pem", "--key", "k.pem").err
    (tmp_path / "k.pem").chmod(0o600)
    assert "error[signer.key-mismatch]" in guard_cli("keys", "import", "c.pem", "--key", "k.pem").err
    (tmp_path / "c.pem").write_bytes(other.public_bytes(Encoding.PEM))
    ran = guard_cli("keys", "import", "c.pem")
    assert "identity.profile" in ran.err or "identity.no-key" in ran.err
    assert (home.signing_folder / "chain.pem").read_bytes() == before
    assert list(home.signing_folder.parent.glob(".*")) == []


def test_lint_names_the_rule_and_its_clause(home, guard_cli, tmp_path, authority):
    guard_cli("keys", "csr", "--organisation", "Example\u202e Studio", "-o", "r.pem")
    assert not (tmp_path / "r.pem").exists()
    guard_cli("keys", "csr", "--organisation", "Example Studio", "-o", "r.pem")
    request = (tmp_path / "r.pem").read_bytes()
    (tmp_path / "good.pem").write_bytes(authority.issue(request))
    (tmp_path / "bad.pem").write_bytes(authority.issue(request, without=x509.ExtendedKeyUsage))
    good, bad = guard_cli("keys", "lint", "good.pem"), guard_cli("keys", "lint", "bad.pem")
    assert (good.code, bad.code) == (0, 1)
    assert "chain.root" in good.out
    assert "leaf.purpose" in bad.out
    assert "[C2PA §14.5.1, RFC 5280 §4.2.1.12]" in bad.out
    document = json.loads(guard_cli("keys", "lint", "bad.pem", "--format", "json").out)
    assert document["exit_code"] == 1
    assert document["findings"][0]["rule"] == "leaf.purpose"
    assert guard_cli("keys", "lint", "r.pem").code == 2
    assert guard_cli("keys", "lint", home.signing_folder / "chain.pem").code == 0


def test_a_revoked_identity_signs_no_more_and_its_files_fail(issued, guard_cli, picture):
    guard_cli("trust", "add", "ca", "root.pem", "--tier", "own")
    assert guard_cli(*RELEASE, "out").code == 0
    mark = listed(guard_cli)["signing"]["fingerprint_sha256"]
    ran = guard_cli("keys", "revoke", mark[:12], "--reason", "superseded")
    assert ran.code == 0, ran.err
    verdict = guard_cli("verify", "out/picture.png")
    assert verdict.code == 1
    assert verdict.out.startswith("REVOKED")
    assert "superseded" in verdict.out
    assert "[own" not in verdict.out
    for level in ("trusted", "intact"):
        assert guard_cli("verify", "out/picture.png", "--require", level).code == 1
    refused = guard_cli(*RELEASE, "again")
    assert "error[signer.revoked]" in refused.err
    assert any(one.state == "broken" and "revoked" in one.detail for one in examine(issued, now=NOW))
    assert listed(guard_cli)["signing"]["state"] == "revoked"
    assert "REVOKED" in guard_cli("keys", "list").out
    with Image.open(picture.parent / "out" / "picture.png") as released:
        released.convert("RGB").save(picture.parent / "copy.png")
    found = guard_cli("recover", "copy.png")
    assert found.code == 3
    assert "[unknown, revoked from" in found.out
    # The way out: another identity, and the file signed again with it.
    assert guard_cli("keys", "renew", "--development").code == 0
    assert guard_cli("sign", "out/picture.png", "--source", "generated", "-o", "signed.png").code == 0
    assert guard_cli("verify", "signed.png").code == 0


def test_a_revocation_only_grows(issued, guard_cli):
    mark = listed(guard_cli)["signing"]["fingerprint_sha256"]
    assert guard_cli("keys", "revoke", mark, "--reason", "superseded", "--at", "2999-01-01").code == 2
    assert guard_cli("keys", "revoke", mark, "--reason", "superseded", "--at", "soon").code == 2
    assert guard_cli("keys", "revoke", mark, "--reason", "superseded", "--at", "2026-01-02").code == 0
    for more in (("--at", "2026-01-03"), ()):
        ran = guard_cli("keys", "revoke", mark, "--reason", "cessation-of-operation", *more)
        assert "error[revocation.known]" in ran.err
    assert guard_cli("keys", "revoke", mark, "--reason", "key-compromise", "--at", "2026-01-04").code == 0
    (known,) = issued.trust().revoked
    assert (known.at, known.reason) == (datetime(2026, 1, 2, tzinfo=UTC), "key-compromise")


def test_somebody_elses_certificate_is_revoked_by_its_file(issued, guard_cli, picture, tmp_path, monkeypatch):
    assert guard_cli(*RELEASE, "out").code == 0
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "verifier"))
    assert guard_cli("init").code == 0
    guard_cli("trust", "add", "ca", "root.pem", "--tier", "own")
    assert guard_cli("verify", "out/picture.png").code == 0
    ran = guard_cli("keys", "revoke", "--certificate", "chain.pem", "--reason", "key-compromise")
    assert ran.code == 0
    assert guard_cli("verify", "out/picture.png").code == 1
    (tmp_path / "verifier" / "trust" / "revoked.json").write_text("{}")
    assert "error[trust.revocations-damaged]" in guard_cli("verify", "out/picture.png").err
    for arguments in ((), ("abcdef",), ("abcdef1234",), ("abcdef12", "--certificate", "chain.pem")):
        assert guard_cli("keys", "revoke", *arguments, "--reason", "superseded").code == 2


def test_a_protected_key_from_request_to_signature(
    home, guard_cli, authority, picture, tmp_path, monkeypatch
):
    (tmp_path / "secret").write_text("correct horse\nbattery\n")
    source = ("--passphrase-from", "file:secret")
    assert guard_cli("keys", "new", "--signing", "--passphrase", *source).code == 0
    assert b"ENCRYPTED" in (home.requested_folder / "key.pem").read_bytes()
    assert "passphrase.needed" in guard_cli("keys", "csr", "--organisation", "Studio", "-o", "r.pem").err
    assert guard_cli("keys", "csr", "--organisation", "Studio", "-o", "r.pem", *source).code == 0
    (tmp_path / "c.pem").write_bytes(authority.issue((tmp_path / "r.pem").read_bytes()))
    monkeypatch.setenv("MINE", "wrong horse")
    assert (
        "signer.passphrase-wrong" in guard_cli("keys", "import", "c.pem", "--passphrase-from", "env:MINE").err
    )
    monkeypatch.setenv("MINE", "correct horse")
    assert guard_cli("keys", "import", "c.pem", "--passphrase-from", "env:MINE").code == 0
    monkeypatch.setenv("GUARD_PASSPHRASE_FROM", f"file:{tmp_path / 'secret'}")
    assert guard_cli(*RELEASE, "out").code == 0
    assert verify_file(tmp_path / "out" / "picture.png", home=home).state is State.UNKNOWN_SIGNER


def test_a_passphrase_from_an_open_file(home, tmp_path):
    read, write = os.pipe()
    os.write(write, b"correct horse\n")
    os.close(write)
    command = [
        sys.executable,
        "-m",
        "guard",
        "keys",
        "renew",
        "--passphrase",
        "--passphrase-from",
        f"fd:{read}",
    ]
    done = subprocess.run(command, pass_fds=(read,), capture_output=True, text=True, check=False)
    os.close(read)
    assert done.returncode == 0, done.stderr
    assert home.is_protected()


@pytest.mark.parametrize("said", ["hunter2hunter2", "fd:hunter2hunter2"])
def test_a_passphrase_typed_in_the_place_of_its_source_is_not_repeated(home, guard_cli, said):
    ran = guard_cli("keys", "renew", "--passphrase", "--passphrase-from", said)
    assert ran.code == 2
    assert "hunter2" not in ran.out + ran.err


def test_what_expires_is_told_in_time(issued, guard_cli):
    def line(days: float) -> str:
        found = examine(issued, now=NOW + timedelta(days=days))
        return next(f"{one.state} {one.detail}" for one in found if one.what == "signing key")

    assert "csr" not in line(200)
    assert "guard keys csr" in line(280)
    assert "guard sign" in line(280)
    assert line(301).startswith("broken")
    assert "guard keys csr" in line(301)
