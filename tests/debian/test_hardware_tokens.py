"""A real PKCS 11 library, SoftHSM, holds the key: its files verify, and whatever goes wrong has a name."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image
from simulators.authority import Authority
from simulators.keys import KEYS

from guard.api import verify_file
from guard.doctor import examine
from guard.verdict import State
from provenance.errors import ConfigurationError, InputError
from provenance.manifest.pkcs11 import Pkcs11Signer, TokenKey
from provenance.manifest.request import Subject, remote_request
from provenance.manifest.signers import fits

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "123456"
pytestmark = [
    pytest.mark.debian,
    pytest.mark.skipif(
        not Path(MODULE).exists() or not shutil.which("softhsm2-util"), reason="needs softhsm2"
    ),
]
pkcs11 = pytest.importorskip("pkcs11", reason="needs the extra pkcs11")


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """A token with one key of every kind; made once, since a library looks for its tokens once."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    before, os.environ["SOFTHSM2_CONF"] = os.environ.get("SOFTHSM2_CONF"), str(folder / "conf")
    util("--init-token", "--free", "--label", "signing", "--pin", PIN, "--so-pin", "7654321")
    for number, (name, key) in enumerate(KEYS.items(), 1):
        (folder / "key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        util("--import", folder / "key", "--token", "signing", "--label", name, "--id", f"{number:02x}",
             "--pin", PIN)  # fmt: skip
    yield folder
    if before is None:
        del os.environ["SOFTHSM2_CONF"]


def util(*arguments: object) -> None:
    subprocess.run(["softhsm2-util", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority():
    return Authority()


def chain(authority: Authority, algorithm: str) -> bytes:
    subject = Subject(organisation="Example Studio", name="Example Studio")
    signer = KEYS[algorithm]
    from provenance.manifest.request import certificate_request

    return authority.issue(certificate_request(signer, subject))


def on_token(algorithm: str, **other: str) -> TokenKey:
    return TokenKey(**{"module": MODULE, "token": "signing", "key": algorithm, **other})


def signer(authority, algorithm="es256", *, pin=PIN, **other) -> Pkcs11Signer:
    return Pkcs11Signer(chain=chain(authority, algorithm), key=on_token(algorithm, **other), pin=pin.encode)


@pytest.mark.parametrize("algorithm", KEYS)
def test_every_algorithm_signs_on_the_token(algorithm, token, authority):
    made = signer(authority, algorithm)
    assert made.algorithm == algorithm
    for data in (b"", b"claim" * 1000):
        assert fits(made.leaf, algorithm, made.sign(data), data)
    assert PIN not in repr(made)


@pytest.mark.parametrize("algorithm", KEYS)
def test_the_token_signs_a_request_for_its_own_key(algorithm, token, authority):
    from provenance.manifest.pkcs11_adapter import TokenSession

    session = TokenSession(key=on_token(algorithm), pin=PIN.encode)
    subject = Subject(organisation="Example Studio", name="Renderer")
    request = remote_request(session.public_key(), subject, lambda data: session.sign(data, algorithm))
    asked = x509.load_pem_x509_csr(request)
    assert asked.is_signature_valid
    assert asked.public_key() == KEYS[algorithm].public_key()
    assert authority.issue(request)


def test_a_key_is_found_by_its_id(token, authority):
    made = Pkcs11Signer(chain=chain(authority, "es384"), key=on_token("es384", key="id:02"), pin=PIN.encode)
    made.self_test()
    assert made.algorithm == "es384"


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"key": "nobody"}, "pkcs11.key"),
        ({"token": "nowhere"}, "pkcs11.token"),
        ({"module": "/nowhere/lib.so"}, "pkcs11.module"),
        ({"module": "/usr/lib/os-release"}, "pkcs11.module"),
        ({"key": "es384"}, "signer.key-mismatch"),
    ],
)
def test_what_is_missing_has_a_name(other, code, token, authority):
    with pytest.raises(ConfigurationError) as caught:
        signer(authority, **other).self_test()
    assert caught.value.code == code
    assert caught.value.hint


STARTED_ELSEWHERE = f"""
from provenance.errors import ConfigurationError
from provenance.manifest.pkcs11 import TokenKey
from provenance.manifest.pkcs11_adapter import TokenSession
try:
    TokenSession(key=TokenKey(module="{MODULE}", token="signing", key="es256"), pin=None).public_key()
except ConfigurationError as error:
    print(error.code, error.where, error.hint, sep="|")
"""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (None, ", which does not exist"),
        ("directories.tokendir = /nowhere/tokens\n", "conf"),
        ("directories.tokendir = {}\n", ""),
    ],
)
def test_settings_of_the_library_that_are_not_there_are_told(settings, said, tmp_path):
    """Another process: a library reads them once, when it starts."""
    named = tmp_path / "softhsm.conf"
    if settings is not None:
        named.write_text(settings.format(tmp_path))
    environment = {**os.environ, "SOFTHSM2_CONF": str(named)}
    command = [sys.executable, "-c", STARTED_ELSEWHERE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    code, where, hint = done.stdout.strip().split("|")
    if not said:  # it starts, and there is no such token
        assert code == "pkcs11.token"
        return
    assert (code, where) == ("pkcs11.not-started", MODULE)
    assert hint.startswith(f"SoftHSM reads them from SOFTHSM2_CONF: {named}")
    assert hint.endswith(said)


def test_a_wrong_pin_is_sent_once(token, authority):
    """Tokens count them, and lock themselves. Twenty signatures later this one still takes the right one."""
    pkcs11.lib(MODULE).reinitialize()  # nobody of this process is logged in any more
    wrong = signer(authority, pin="000000")
    codes = []
    for _ in range(20):
        with pytest.raises(ConfigurationError) as caught:
            wrong.sign(b"data")
        codes.append(caught.value.code)
    assert set(codes) == {"pkcs11.pin-wrong"}
    assert "000000" not in caught.value.what
    signer(authority).self_test()


def test_a_session_that_was_lost_is_opened_again(token, authority):
    made = signer(authority)
    made.self_test()
    pkcs11.lib(MODULE).reinitialize()  # ends every session, as a token that is taken out and put in again
    assert fits(made.leaf, "es256", made.sign(b"data"), b"data")


def _child(made, queue):
    queue.put(made.sign(b"data"))


def test_a_forked_process_opens_its_own(token, authority):
    made = signer(authority)
    made.self_test()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=_child, args=(made, queue)) for _ in range(2)]
    for one in processes:
        one.start()
    answers = [queue.get(timeout=60) for _ in processes]
    for one in processes:
        one.join()
    assert all(fits(made.leaf, "es256", answer, b"data") for answer in answers)
    assert fits(made.leaf, "es256", made.sign(b"more"), b"more")


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(3).integers(0, 255, (320, 320, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def test_from_a_request_on_the_token_to_a_trusted_file(
    token, authority, home, guard_cli, picture, tmp_path, monkeypatch
):
    uri = f"pkcs11:token=signing;object=es256?module-path={MODULE}"
    asked = ("keys", "csr", "--organisation", "Example Studio", "--pkcs11", uri, "-o", "r.pem")
    assert "error[passphrase.needed]" in guard_cli(*asked).err
    (tmp_path / "pin").write_text(f"{PIN}\n")
    monkeypatch.setenv("GUARD_PASSPHRASE_FROM", f"file:{tmp_path / 'pin'}")
    ran = guard_cli(*asked)
    assert ran.code == 0, ran.err
    assert not home.requested_folder.exists()
    (tmp_path / "chain.pem").write_bytes(authority.issue((tmp_path / "r.pem").read_bytes()))
    (tmp_path / "root.pem").write_bytes(authority.root_pem)
    before = home.config_path.read_text()
    settings = f'\n[signer]\nkind = "pkcs11"\nmodule = "{MODULE}"\ntoken = "signing"\nkey = "es384"\n'
    home.config_path.write_text(before + settings)
    assert "error[signer.key-mismatch]" in guard_cli("keys", "import", "chain.pem").err
    home.config_path.write_text(before + settings.replace("es384", "es256"))
    assert guard_cli("keys", "import", "chain.pem").code == 0
    assert sorted(one.name for one in home.signing_folder.iterdir()) == ["chain.pem"]
    assert guard_cli("trust", "add", "ca", "root.pem", "--tier", "own").code == 0
    ran = guard_cli("release", "picture.png", "--source", "generated", "-o", "out")
    assert ran.code == 0, ran.err
    assert verify_file(tmp_path / "out" / "picture.png", home=home).state is State.TRUSTED
    assert "its key is on a token" in guard_cli("keys", "list").out
    # The next certificate is asked for over the key that the settings name.
    assert guard_cli("keys", "csr", "-o", "next.pem").code == 0
    next_one = x509.load_pem_x509_csr((tmp_path / "next.pem").read_bytes())
    assert next_one.public_key() == KEYS["es256"].public_key()
    assert not home.requested_folder.exists()
    assert "error[identity.elsewhere]" in guard_cli("keys", "renew", "--development").err
    assert "on the token signing" in line(home, PIN.encode())
    assert "not tried" in line(home, None)
    (tmp_path / "pin").write_text("999999\n")
    assert (
        "error[pkcs11.pin-wrong]"
        in guard_cli("sign", "picture.png", "--source", "generated", "-o", "b.png").err
    )
    assert not (tmp_path / "b.png").exists()


def line(home, secret):
    found = examine(home, now=datetime.now(UTC), passphrase=secret)
    return next(f"{one.state} {one.detail}" for one in found if one.what == "signing key")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "pkcs11:",
        "pkcs11:token=a;object=b",
        "pkcs11:token=a?module-path=/x",
        "pkcs11:token=a;object=b;pin-value=123456?module-path=/x",
        "pkcs11:token=a;object=b?module-path=/x&pin-value=123456",
        "pkcs11:token=a;object=b;serial=1?module-path=/x",
        "https://x",
    ],
)
def test_a_uri_that_names_no_key_or_gives_away_a_pin_is_refused(uri):
    with pytest.raises(InputError) as caught:
        TokenKey.of(uri)
    assert caught.value.code == "pkcs11.bad-uri"
    assert "123456" not in caught.value.what


def test_a_uri_names_a_key_by_label_or_id():
    assert TokenKey.of("pkcs11:token=my%20token;object=claim%3B1;type=private?module-path=/x.so") == TokenKey(
        module="/x.so", token="my token", key="claim;1"
    )
    assert TokenKey.of("pkcs11:token=t;id=%01%fe?module-path=/x.so").id == b"\x01\xfe"
