"""``guard trust import`` and ``update``: what is shown before a list counts, and what never does."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from simulators.https import HttpsServer
from simulators.loopback import Answer

from guard.cli.trust import command
from guard.list_source import KNOWN, KnownList, fetch, require_https
from provenance.errors import ConfigurationError, Error, InputError
from provenance.manifest.reading import TrustTier
from provenance.manifest.trust import CLAIM_SIGNING, ListKind, load_trust
from provenance.manifest.trust_certificates import C2PA_POLICY

NOW = datetime.now(UTC)


def certificate(name: str, *, days: float = 3650, purposes: tuple[str, ...] = (), official: bool = False):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder(issuer_name=subject, subject_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=5000))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if purposes:
        usages = x509.ExtendedKeyUsage([ObjectIdentifier(one) for one in purposes])
        builder = builder.add_extension(usages, critical=False)
    if official:
        policy = x509.PolicyInformation(ObjectIdentifier(C2PA_POLICY), None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


ROOT, OTHER = certificate("Root One"), certificate("Root Two")
OFFICIAL = certificate("Issuer", purposes=(CLAIM_SIGNING,), official=True)
CLOCK = certificate("Clock", purposes=(ExtendedKeyUsageOID.TIME_STAMPING.dotted_string,), official=True)


def listed(home):
    return {one.name: one for one in load_trust(home.trust_folder).lists}


@pytest.fixture
def run():
    """``guard trust`` in this process: errors come through as they are."""

    def invoke(*words: object):
        return CliRunner().invoke(command, list(map(str, words)), catch_exceptions=False)

    return invoke


@pytest.fixture
def bundle(tmp_path):
    def make(*pems: bytes, **said: object):
        inner = b"".join(pems)
        head = "".join(f"# {key}: {value}\n" for key, value in said.items())
        path = tmp_path / "list.pem"
        path.write_bytes(head.encode() + inner)
        return path

    return make


def test_a_list_tells_its_name_date_kind_and_digest(home, guard_cli, bundle):
    digest = hashlib.sha256(ROOT + OTHER).hexdigest()
    path = bundle(ROOT, OTHER, name="newsroom", date="2026-08-06", kind="cawg", sha256=digest)
    asked = guard_cli("trust", "import", path)
    assert asked.code == 2
    assert "error[answer.needed]: nobody can be asked: put newsroom in place?" in asked.err
    assert "use --yes" in asked.err
    assert "+ Root One" in asked.out, "it is shown all the same"
    assert "newsroom" not in listed(home)
    ran = guard_cli("trust", "import", path, "--yes")
    assert ran.code == 0
    assert "+ Root One" in ran.out
    assert digest in ran.out
    found = listed(home)["newsroom"]
    assert (found.kind, found.tier, str(found.date)) == (ListKind.CAWG, TrustTier.OWN, "2026-08-06")


def test_what_is_odd_about_a_list_is_named(home, guard_cli, bundle):
    over, ending = certificate("Old", days=-3), certificate("Ending", days=30)
    path = bundle(ROOT, ROOT, over, ending, OFFICIAL)
    ran = guard_cli("trust", "import", path, "--name", "mixed", "--yes")
    assert "stands in the file more than once: Root One" in ran.err
    assert "expired on" in ran.err
    assert "--tier official says" in ran.err
    assert "4 certificates" in ran.out
    shown = guard_cli("trust", "list")
    assert "Old" in shown.err
    assert "Ending" in shown.err
    assert len(json.loads(guard_cli("trust", "list", "--format", "json").out)["warnings"]) == 2
    assert "Old" in guard_cli("doctor").out


def test_the_certificates_say_what_a_list_is_for(home, run, bundle):
    """Time stamps that were trusted by a list of signers were somebody's bug."""
    run("import", bundle(CLOCK, ROOT), "--name", "clocks", "--yes")
    assert listed(home)["clocks"].kind is ListKind.TSA
    with pytest.raises(InputError) as caught:
        run("import", bundle(CLOCK), "--name", "x", "--kind", "manifest", "--yes")
    assert caught.value.code == "trust.wrong-kind"
    run("import", bundle(OFFICIAL), "--name", "people", "--kind", "cawg", "--yes")
    assert listed(home)["people"].kind is ListKind.CAWG


SECRET = b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize("how", [("add", "mine"), ("import", "--name", "mine", "--yes")])
def test_only_certificates_get_in_once_each(home, guard_cli, bundle, how):
    path = bundle(SECRET, ROOT, b"a remark\n", ROOT, OTHER, SECRET)
    ran = guard_cli("trust", how[0], *how[1:2], path) if how[0] == "add" else guard_cli("trust", *how, path)
    assert ran.code == 0
    assert "a private key stands in the file" in ran.err
    assert "more than once: Root One" in ran.err
    assert listed(home)["mine"].pem == ROOT + OTHER
    assert not any(b"PRIVATE" in file.read_bytes() for file in home.trust_folder.iterdir())


@pytest.mark.parametrize("how", [("add", "mine"), ("import",)])
def test_an_address_is_not_taken_for_a_file(home, guard_cli, how):
    ran = guard_cli("trust", *how, "http://example.org/list.pem")
    assert (ran.code, "guard trust update" in ran.err) == (2, True)
    assert "error[usage]" in ran.err


@pytest.mark.parametrize(
    ("said", "options", "code"),
    [
        ({"sha256": "0" * 64}, (), "trust.digest-differs"),
        ({}, ("--digest", "0" * 64), "trust.digest-differs"),
        ({"date": "2999-01-01"}, (), "trust.bad-date"),
        ({"date": "yesterday"}, (), "trust.bad-date"),
        ({"kind": "everything"}, (), "trust.wrong-kind"),
        ({}, ("--source", "http://example.com/list.pem"), "trust.bad-source"),
        ({}, ("--source", "https://me:pw@example.com/list.pem"), "trust.bad-source"),
        ({}, ("--name", "development"), "trust.development"),
    ],
)
def test_what_is_refused(home, run, bundle, said, options, code):
    path = bundle(ROOT, **said)
    name = () if "--name" in options else ("--name", "mine")
    with pytest.raises(Error) as caught:
        run("import", path, *name, *options, "--yes")
    assert caught.value.code == code
    assert list(listed(home)) == ["development"]


def test_a_list_without_a_name_and_a_development_root_are_refused(home, run, bundle):
    with pytest.raises(InputError) as caught:
        run("import", bundle(ROOT), "--yes")
    assert caught.value.code == "trust.name-needed"
    own = (home.signing_folder / "root.pem").read_bytes()
    with pytest.raises(InputError) as caught:
        run("import", bundle(ROOT, own), "--name", "mine", "--yes")
    assert caught.value.code == "trust.development-root"


def test_an_older_list_does_not_replace_a_newer_one(home, run, bundle):
    assert run("import", bundle(ROOT, name="a", date="2026-08-06"), "--yes").exit_code == 0
    with pytest.raises(InputError) as caught:
        run("import", bundle(OTHER, name="a", date="2026-01-01"), "--yes")
    assert caught.value.code == "trust.older"
    again = run("import", bundle(OTHER, name="a", date="2026-08-07"), "--yes").output
    assert "- Root One" in again
    assert "+ Root Two" in again


def test_add_looks_at_the_certificates_too(home, run, bundle):
    with pytest.raises(InputError) as caught:
        run("add", "clocks", bundle(CLOCK))
    assert caught.value.code == "trust.wrong-kind"
    assert "expired on" in run("add", "old", bundle(certificate("Old", days=-3))).output
    assert run("add", "clocks", bundle(CLOCK), "--kind", "tsa").exit_code == 0


def test_hostile_names_are_escaped(home, run, bundle):
    said = run("import", bundle(certificate("Evil\x1b[31m\u202e")), "--name", "x", "--yes").output
    assert "\x1b" not in said
    assert "\u202e" not in said


@pytest.fixture
def server(tmp_path, monkeypatch):
    with HttpsServer(folder=tmp_path / "server") as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


@pytest.mark.enable_socket
def test_a_list_is_fetched_again_from_where_it_came(home, run, bundle, server):
    server.answers["/list.pem"] = Answer(body=ROOT + OTHER)
    source = ("--source", server.url("/list.pem"))
    assert run("import", bundle(ROOT), "--name", "ours", *source, "--yes").exit_code == 0
    before = listed(home)["ours"]
    asked = run("update")
    assert asked.exit_code == 2, "nobody can be asked"
    for shown in ("+ Root Two", hashlib.sha256(ROOT + OTHER).hexdigest(), before.sha256, server.url("/list")):
        assert shown in asked.output
    assert listed(home)["ours"] == before
    assert run("update", "ours", "--yes").exit_code == 0
    assert listed(home)["ours"].pem == ROOT + OTHER
    same = run("update")
    assert same.exit_code == 0
    assert "unchanged since" in same.output


@pytest.mark.enable_socket
def test_a_published_list_is_taken_in_with_its_tier(home, run, bundle, server, monkeypatch):
    known = KnownList(source=server.url("/tsa.pem"), kind=ListKind.TSA, tier=TrustTier.OFFICIAL)
    monkeypatch.setitem(KNOWN, "c2pa-tsa", known)
    server.answers["/tsa.pem"] = Answer(body=CLOCK)
    assert run("update", "c2pa-tsa", "--yes").exit_code == 0
    assert listed(home)["c2pa-tsa"].tier is TrustTier.OFFICIAL
    run("import", bundle(CLOCK), "--name", "c2pa-tsa", "--yes")  # by hand, and of another tier
    server.answers["/tsa.pem"] = Answer(body=CLOCK + OTHER)
    assert run("update", "c2pa-tsa", "--yes").exit_code == 0
    found = listed(home)["c2pa-tsa"]
    assert (found.tier, found.source, found.pem) == (TrustTier.OWN, known.source, CLOCK + OTHER)
    server.answers["/tsa.pem"] = Answer(body=OFFICIAL)
    with pytest.raises(InputError) as caught:
        run("update", "--yes")
    assert caught.value.code == "trust.wrong-kind"


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=404), "trust.fetch-failed"),
        (Answer(status=302, headers={"Location": "https://127.0.0.1/other"}), "trust.fetch-failed"),
        (Answer(body=b"x", headers={"Content-Encoding": "gzip"}), "trust.fetch-failed"),
        (Answer(body=b"x" * 5000), "trust.fetch-limit"),
    ],
)
def test_a_server_that_misbehaves(server, answer, code):
    server.answers["/list.pem"] = answer
    with pytest.raises((InputError, ConfigurationError)) as caught:
        fetch(server.url("/list.pem"), most=1000)
    assert caught.value.code == code
    assert server.asked == ["/list.pem"]


@pytest.mark.enable_socket
def test_a_server_that_nobody_vouches_for(server, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ConfigurationError) as caught:
        fetch(server.url("/list.pem"))
    assert caught.value.code == "trust.fetch-failed"
    assert server.asked == []


@pytest.mark.enable_socket
def test_time_runs_out(server):
    server.answers["/list.pem"] = Answer(body=ROOT)
    ticks = iter([0.0, 100.0])
    with pytest.raises(InputError) as caught:
        fetch(server.url("/list.pem"), clock=lambda: next(ticks))
    assert caught.value.code == "trust.fetch-limit"


def test_without_a_source_nothing_is_asked(home, guard_cli):
    """With sockets switched off: this is what runs when nobody named an address."""
    assert "error[trust.no-source]" in guard_cli("trust", "update").err
    assert "error[trust.no-source]" in guard_cli("trust", "update", "nobody").err


@pytest.mark.parametrize(
    "url",
    ["ftp://a/b", "https://", "https://a b", "https://a:0/", "https://ä/", "https://a\n/", "https://u@a/"],
)
def test_what_is_no_address(url):
    with pytest.raises(InputError):
        require_https(url)


@pytest.mark.parametrize("name", KNOWN)
def test_published_lists_have_addresses(name):
    assert require_https(KNOWN[name].source).hostname
