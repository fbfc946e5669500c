"""A key elsewhere: whatever goes wrong there is told by name, with the original error as its cause."""

from __future__ import annotations

import threading

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import ConfigurationError, InputError
from provenance.manifest.callback import CallbackSigner
from provenance.manifest.reading import ManifestState
from provenance.manifest.sign import sign
from provenance.manifest.signers import SELF_TEST, Signer, as_raw, fits

KEY = ec.generate_private_key(ec.SECP256R1())


def der(data: bytes) -> bytes:
    return KEY.sign(data, ec.ECDSA(hashes.SHA256()))


def raw(data: bytes) -> bytes:
    return as_raw(der(data), "es256")


@pytest.fixture(scope="module")
def chain(authority):
    return authority.signer(key=KEY).chain


@pytest.mark.parametrize("form", [der, raw, lambda data: bytearray(der(data))])
def test_every_form_of_a_signature_is_taken(chain, form, picture, spec, trust):
    signer = CallbackSigner(chain=chain, sign=form)
    assert isinstance(signer, Signer)
    assert sign(picture(), spec, signer, trust=trust).reading.state is ManifestState.TRUSTED


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_every_algorithm_signs_by_callback(authority, picture, spec, trust, key):
    inner = authority.signer(key=key)
    outer = CallbackSigner(chain=inner.chain, sign=inner.sign)
    assert outer.algorithm == inner.algorithm
    assert sign(picture(), spec, outer, trust=trust).reading.state is ManifestState.TRUSTED


def test_the_first_thing_asked_for_says_nothing_of_a_claim(chain):
    asked = []

    def spy(data: bytes) -> bytes:
        asked.append(data)
        return der(data)

    signer = CallbackSigner(chain=chain, sign=spy)
    assert asked == []
    for data in (b"one", b"two"):
        assert fits(signer.leaf, "es256", signer.sign(data), data)
    assert asked == [SELF_TEST, b"one", b"two"]


def test_a_key_of_another_certificate_never_sees_a_claim(authority, picture, spec):
    asked = []

    def spy(data: bytes) -> bytes:
        asked.append(data)
        return der(data)

    signer = CallbackSigner(chain=authority.signer().chain, sign=spy)
    with pytest.raises(ConfigurationError) as caught:
        sign(picture(), spec, signer)
    assert caught.value.code == "signer.key-mismatch"
    assert asked == [SELF_TEST]


def test_what_the_service_raised_is_kept_as_the_cause(chain, picture, spec):
    original = TimeoutError("the token was pulled out")

    def gone(data: bytes) -> bytes:
        if data != SELF_TEST:
            raise original
        return der(data)

    with pytest.raises(ConfigurationError) as caught:
        sign(picture(), spec, CallbackSigner(chain=chain, sign=gone))
    assert caught.value.code == "signer.callback-failed"
    assert caught.value.__cause__ is original
    with pytest.raises(ConfigurationError) as caught:
        CallbackSigner(chain=chain, sign=gone).sign(b"data")
    assert caught.value.__cause__ is original


def test_an_error_that_says_what_helps_stays_as_it_is(chain, picture, spec):
    own = InputError("x.y", "the service wants another region")

    def refuse(data: bytes) -> bytes:
        raise own

    with pytest.raises(InputError) as caught:
        sign(picture(), spec, CallbackSigner(chain=chain, sign=refuse))
    assert caught.value is own


@given(st.binary(max_size=200) | st.none() | st.text() | st.integers())
def test_no_answer_but_a_signature_is_used(chain, answer):
    signer = CallbackSigner(chain=chain, sign=lambda data: answer)
    with pytest.raises(ConfigurationError) as caught:
        signer.self_test()
    expected = "signer.key-mismatch" if isinstance(answer, bytes) else "signer.callback-failed"
    assert caught.value.code == expected


@given(st.binary(max_size=2000))
def test_both_forms_of_one_signature_come_out_alike(chain, data):
    given_der = der(data)
    for answer in (given_der, as_raw(given_der, "es256")):
        signer = CallbackSigner(chain=chain, sign=lambda asked, a=answer: der(asked) if asked != data else a)
        assert signer.sign(data) == as_raw(given_der, "es256")


def test_threads_take_turns(chain):
    inside, most = [], []

    def slow(data: bytes) -> bytes:
        inside.append(data)
        most.append(len(inside))
        made = der(data)
        inside.pop()
        return made

    signer = CallbackSigner(chain=chain, sign=slow)
    threads = [threading.Thread(target=signer.sign, args=(bytes([n]),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 9


def test_it_says_nothing_of_the_key(chain):
    assert repr(CallbackSigner(chain=chain, sign=der)) == "CallbackSigner(es256)"
