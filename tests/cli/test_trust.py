"""Trust lists at the command line: what may be replaced or removed, and the way out of damage."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from provenance.manifest.identity import create_development_identity
from provenance.manifest.trust import load_trust


@pytest.fixture
def pem(tmp_path):
    """The root of some authority."""

    def make(authority: str):
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, authority)])
        root = (
            x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
            .serial_number(1)
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=9))
            .sign(key, hashes.SHA256())
        )
        path = tmp_path / f"{authority}.pem"
        path.write_bytes(root.public_bytes(Encoding.PEM))
        return path

    return make


def damage(home, name: str) -> None:
    (file,) = home.trust_folder.glob(f"{name}.*.pem")
    file.write_bytes(file.read_bytes() + b"\n")


def names(home) -> list[str]:
    return [one.name for one in load_trust(home.trust_folder).lists]


def test_the_development_list_is_not_for_hands(home, guard_cli, pem):
    before = load_trust(home.trust_folder)
    stranger = pem("stranger")
    for arguments in (
        ("add", "development", stranger),
        ("add", "development", stranger, "--force"),
        ("add", "development", stranger, "--tier", "official", "--force"),
        ("remove", "development"),
    ):
        ran = guard_cli("trust", *arguments)
        assert ran.code == 2
        assert "trust.development" in ran.err
        assert "guard keys renew" in ran.err
    assert load_trust(home.trust_folder) == before


def test_a_development_list_by_another_name_is_kept_too(home, guard_cli, pem):
    index = home.trust_folder / "lists.json"
    document = json.loads(index.read_text())
    document["lists"][0]["name"] = "workshop"
    index.write_text(json.dumps(document))
    for arguments in (("add", "workshop", pem("stranger"), "--force"), ("remove", "workshop")):
        assert "trust.development" in guard_cli("trust", *arguments).err
    assert names(home) == ["workshop"]


def test_replacing_a_list_needs_force(home, guard_cli, pem):
    first, second = pem("first"), pem("second")
    assert guard_cli("trust", "add", "ours", first).code == 0
    refused = guard_cli("trust", "add", "ours", second)
    assert refused.code == 2
    assert "trust.exists" in refused.err
    assert load_trust(home.trust_folder).lists[-1].pem == first.read_bytes()
    assert guard_cli("trust", "add", "ours", second, "--force").code == 0
    assert load_trust(home.trust_folder).lists[-1].pem == second.read_bytes()
    assert names(home) == ["development", "ours"]


def test_damaged_lists_are_shown_and_can_be_removed(home, guard_cli, pem):
    for name in ("ours", "theirs"):
        assert guard_cli("trust", "add", name, pem(name)).code == 0
    assert guard_cli("doctor").code == 0
    damage(home, "ours")
    damage(home, "theirs")
    sick = guard_cli("doctor")
    assert sick.code == 1
    assert "guard trust remove" in sick.out
    assert "trust.digest-mismatch" in guard_cli("trust", "list").err
    for name in ("ours", "theirs"):
        assert guard_cli("trust", "remove", name).code == 0
    assert names(home) == ["development"]
    assert len(list(home.trust_folder.glob("*.pem"))) == 1
    assert guard_cli("doctor").code == 0


def test_a_list_without_its_file_can_be_removed(home, guard_cli, pem):
    guard_cli("trust", "add", "ours", pem("ours"))
    next(home.trust_folder.glob("ours.*.pem")).unlink()
    assert guard_cli("trust", "remove", "ours").code == 0
    assert names(home) == ["development"]


def test_a_damaged_development_list_is_made_anew(home, guard_cli):
    damage(home, "development")
    assert guard_cli("trust", "remove", "development").code == 0
    assert guard_cli("keys", "renew").code == 0
    assert names(home) == ["development"]


@pytest.mark.parametrize("tier", ["own", "interim", "official"])
def test_a_development_root_gets_on_no_list(home, guard_cli, pem, signed, tmp_path, tier):
    own = home.signing_folder / "root.pem"
    foreign = create_development_identity(name="stranger", now=datetime.now(UTC))
    (tmp_path / "foreign.pem").write_bytes(foreign.root_pem)
    (tmp_path / "signer.pem").write_bytes(foreign.chain_pem)
    (tmp_path / "mixed.pem").write_bytes(pem("good").read_bytes() + own.read_bytes())
    for path in (own, "foreign.pem", "signer.pem", "mixed.pem"):
        ran = guard_cli("trust", "add", "mine", path, "--tier", tier)
        assert ran.code == 2
        assert "error[trust.development-root]" in ran.err
    assert names(home) == ["development"]
    assert guard_cli("verify", signed[".png"], "--require", "trusted").code == 1


def test_what_cannot_be_read_as_certificates_is_refused(home, guard_cli, tmp_path):
    (tmp_path / "bad.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert "error[trust.not-certificates]" in guard_cli("trust", "add", "bad", "bad.pem").err
    assert names(home) == ["development"]


def test_an_unknown_list_is_said_to_be_unknown(home, guard_cli):
    assert "trust.unknown-list" in guard_cli("trust", "remove", "nobody").err
