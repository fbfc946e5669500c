"""The recipes for key services, run as the programs they are, against services that sign for real."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest
from cryptography import x509
from simulators import key_services
from simulators.key_services import SECRET, KeyService
from simulators.keys import KEYS

from provenance.errors import ConfigurationError
from provenance.manifest.callback import CallbackSigner
from provenance.manifest.command import CommandSigner, run
from provenance.manifest.reading import ManifestState
from provenance.manifest.request import Subject, remote_request
from provenance.manifest.sign import sign
from provenance.manifest.signers import algorithm_of, fits

pytestmark = pytest.mark.enable_socket
RECIPES = Path(__file__).resolve().parents[3] / "examples" / "key_services"
HAVE = {
    "aws_kms": ("es256", "es384", "es512", "ps256"),
    "google_kms": ("es256", "es384", "ps256", "ed25519"),
    "azure_key_vault": ("es256", "es384", "es512", "ps256"),
    "vault_transit": ("es256", "es384", "es512", "ps256", "ed25519"),
}
SPEAKS = {
    "aws_kms": key_services.aws,
    "google_kms": key_services.google,
    "azure_key_vault": key_services.azure,
    "vault_transit": key_services.vault,
}


@pytest.fixture
def service(request, monkeypatch):
    """A running service and the environment that its recipe wants."""
    recipe, algorithm = request.param
    with KeyService(speaks=SPEAKS[recipe], key=KEYS[algorithm]) as running:
        told = {
            "aws_kms": {
                "AWS_REGION": "eu-west-1",
                "AWS_KMS_KEY": "alias/signing",
                "AWS_ACCESS_KEY_ID": "AKID",
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_SESSION_TOKEN": "session",
                "AWS_ENDPOINT_URL_KMS": running.url,
            },
            "google_kms": {
                "KMS_ENDPOINT": running.url,
                "KMS_KEY_VERSION": "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
                "GOOGLE_TOKEN": SECRET,
            },
            "azure_key_vault": {"AZURE_KEY": f"{running.url}/keys/signing/0123", "AZURE_TOKEN": SECRET},
            "vault_transit": {"VAULT_ADDR": running.url, "VAULT_TOKEN": SECRET, "VAULT_KEY": "signing"},
        }[recipe]
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        running.program = (sys.executable, str(RECIPES / f"{recipe}.py"))
        running.secret = next(name for name, value in told.items() if value == SECRET)
        running.sign = runpy.run_path(str(RECIPES / f"{recipe}.py"))["sign"]
        yield running


each = pytest.mark.parametrize("service", [(name, "es256") for name in HAVE], indirect=True)
every = pytest.mark.parametrize(
    "service", [(name, one) for name, algorithms in HAVE.items() for one in algorithms], indirect=True
)


@every
def test_every_algorithm_of_every_service_fits_the_certificate(service, authority):
    """In this process, as a callback: what the guide says for Python."""
    chain = authority.signer(key=service.key).chain
    algorithm = algorithm_of(service.key)
    signer = CallbackSigner(chain=chain, sign=lambda data: service.sign(data, algorithm))
    assert fits(signer.leaf, algorithm, signer.sign(b"claim"), b"claim")


@each
def test_a_file_is_signed_by_the_program(service, authority, picture, spec, trust):
    signer = CommandSigner(chain=authority.signer(key=service.key).chain, command=service.program)
    made = sign(picture(), spec, signer, trust=trust)
    assert made.reading.state is ManifestState.TRUSTED
    # Nothing of the claim leaves but its digest.
    assert "mediaguard" not in json.dumps(service.asked)


@each
def test_the_key_in_the_service_signs_its_own_request(service):
    subject = Subject(organisation="Example Studio", name="Example Studio")
    made = remote_request(
        service.key.public_key(), subject, lambda data: run(service.program, data, "es256", 30)
    )
    assert x509.load_pem_x509_csr(made).public_key() == service.key.public_key()


@each
def test_a_refusal_is_named_with_what_the_service_said(service, authority, monkeypatch):
    monkeypatch.setenv(service.secret, "wrong")
    signer = CommandSigner(chain=authority.signer(key=service.key).chain, command=service.program)
    with pytest.raises(ConfigurationError) as caught:
        signer.self_test()
    assert caught.value.code == "signer.command-failed"
    assert "HTTP Error 40" in caught.value.what
    assert SECRET not in caught.value.what


@each
def test_a_service_with_another_key_is_found_out_before_a_claim_is_sent(service, authority, picture, spec):
    signer = CommandSigner(chain=authority.signer().chain, command=service.program)
    with pytest.raises(ConfigurationError) as caught:
        sign(picture(), spec, signer)
    assert caught.value.code == "signer.key-mismatch"
    assert len(service.asked) == 1


def test_requests_to_aws_are_signed_as_its_published_example_is():
    """``post-vanilla`` of the test suite of Signature Version 4."""
    signature = runpy.run_path(str(RECIPES / "aws_kms.py"))["signature_v4"](
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        ["20150830", "us-east-1", "service"],
        {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"},
        b"",
    )
    assert signature == "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"


def program(source: str) -> tuple[str, ...]:
    return sys.executable, "-c", source


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("/nowhere/program",), "cannot be run"),
        (program("import sys; sys.exit('the token is out')"), "status 1: the token is out"),
        (program("raise SystemExit(3)"), "status 3"),
        (program(""), "0 bytes"),
        (program("print('x' * 70000)"), "70001 bytes"),
        (program("import time; time.sleep(60)"), "did not answer"),
    ],
)
def test_a_program_that_fails_is_named_with_its_reason(command, why, authority):
    chain = authority.signer(key=KEYS["es256"]).chain
    with pytest.raises(ConfigurationError) as caught:
        CommandSigner(chain=chain, command=command, timeout_s=1 if "sleep" in command[-1] else 60).self_test()
    assert caught.value.code == "signer.command-failed"
    assert why in caught.value.what


def test_recipes_are_short():
    for path in RECIPES.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 50, path.name
