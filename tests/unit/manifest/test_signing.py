"""Signing: what is written, what is refused, what never gets in."""

from __future__ import annotations

import getpass
import io
import json
import socket
from dataclasses import replace
from datetime import UTC, datetime

import c2pa
import pytest

from provenance.errors import ConfigurationError, InputError, IntegrityError
from provenance.manifest.build import manifest_definition
from provenance.manifest.read import raw_agrees
from provenance.manifest.reading import DigitalSourceType, ManifestState, SoftBinding
from provenance.manifest.rubric import lint
from provenance.manifest.sign import sign
from provenance.manifest.spec import ManifestSpec
from provenance.media import Asset

MIMES = ("image/png", "image/jpeg", "image/webp", "image/tiff")


@pytest.mark.parametrize("mime", MIMES)
def test_the_source_is_untouched_and_the_cost_is_small(signed, picture, mime):
    before = picture(mime)
    made = signed(mime)
    assert picture(mime).sha256 == before.sha256
    assert made.asset.sha256 != before.sha256
    assert len(made.asset.data) - len(before.data) < 6_000


@pytest.mark.parametrize("mime", MIMES)
def test_a_second_validator_agrees(signed, mime, tmp_path, monkeypatch):
    second = pytest.importorskip("encypher_c2pa")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    asset = signed(mime).asset
    report = second.verify(asset.data, mime_type=mime, telemetry=False, online=False)
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")
    assert raw_agrees(asset)


def test_what_nobody_asked_for_is_not_in_the_file(picture, spec, signer, trust):
    secret = "a portrait of a firefighter"
    quiet = sign(picture(), replace(spec, prompt=None), signer, trust=trust)
    for word in (secret, socket.gethostname(), f"/home/{getpass.getuser()}", "PRIVATE KEY"):
        assert word.encode() not in quiet.asset.data
    loud = sign(picture(), replace(spec, prompt=secret), signer, trust=trust)
    assert secret.encode() in loud.asset.data
    assert secret not in repr(replace(spec, prompt=secret))


def test_an_exception_of_the_signer_comes_through_unchanged(picture, spec, signer, trust):
    class Token(Exception):
        pass

    class Broken:
        algorithm, chain = "es256", signer.chain

        def sign(self, data: bytes) -> bytes:
            raise Token("the token was pulled out")

    with pytest.raises(Token):
        sign(picture(), spec, Broken(), trust=trust)


def test_a_signer_that_is_elsewhere_signs(picture, spec, signer, trust):
    class Remote:
        algorithm, chain = "es256", signer.chain
        sign = staticmethod(signer.sign)

    assert sign(picture(), spec, Remote(), trust=trust).reading.state is ManifestState.TRUSTED


def test_a_signature_that_does_not_fit_is_never_handed_out(picture, spec, signer, trust, authority):
    class Wrong:
        algorithm, chain = "es256", signer.chain
        sign = staticmethod(authority.signer().sign)

    with pytest.raises(IntegrityError) as caught:
        sign(picture(), spec, Wrong(), trust=trust)
    assert caught.value.code == "sign.read-back"


def test_a_certificate_the_profile_forbids_is_refused(picture, spec, authority, trust):
    server = authority.signer(ekus=("1.3.6.1.5.5.7.3.1",))
    with pytest.raises(ConfigurationError) as caught:
        sign(picture(), spec, server, trust=trust)
    assert caught.value.code == "sign.certificate-refused"


def test_media_that_are_not_signed(spec, signer, picture):
    for asset in (Asset.of(b"GIF89a", "image/gif"), Asset.of(b"text", "image/png")):
        with pytest.raises(InputError) as caught:
            sign(asset, spec, signer)
        assert caught.value.code == "sign.unsupported-media"


def test_a_flood_of_text_is_refused(picture, spec, signer):
    with pytest.raises(InputError) as caught:
        sign(picture(), replace(spec, prompt="x" * 2**20), signer)
    assert caught.value.code == "sign.manifest-too-large"


@pytest.mark.parametrize(
    "fields",
    [
        {"watermarked": True, "soft_binding": None},
        {"content_id": "0xff"},
        {"recipe_commitment": "AB"},
        {"oversight": "nobody"},
        {"training_mining": "perhaps"},
        {"title": "/home/someone/picture.png"},
        {"soft_binding": SoftBinding(algorithm="tile", value="1")},
    ],
)
def test_statements_that_make_no_sense(spec, fields):
    with pytest.raises(InputError):
        replace(spec, **fields)


def test_every_definition_passes_the_rubric(spec):
    full = replace(
        spec,
        training_mining="notAllowed",
        prompt="p",
        when=datetime(2026, 1, 2, tzinfo=UTC),
        model_identifier="pkg:huggingface/org/model@sha",
    )
    bare = ManifestSpec(title="x", claim_generator_version="1")
    for item in (spec, full, bare, replace(full, edited=True)):
        assert lint(manifest_definition(item)) == ()
        assert lint(manifest_definition(item, with_parent=True)) == ()


@pytest.mark.parametrize("with_parent", [False, True])
def test_the_signed_file_passes_the_rubric_in_the_form_validators_exchange(
    signed, picture, spec, signer, trust, with_parent
):
    """The checks of the official rubric that a plain definition fails, on crJSON."""
    source = signed().asset if with_parent else picture()
    asset = sign(source, replace(spec, edited=True), signer, trust=trust).asset
    reader = c2pa.Reader(asset.mime, io.BytesIO(asset.data))
    manifest = json.loads(reader.crjson())["manifests"][0]
    claim = manifest["claim.v2"]
    actions = manifest["assertions"]["c2pa.actions.v2"]
    assert claim["claim_generator_info"]["specVersion"] == "2.4"
    created = [item["url"] for item in claim["created_assertions"] if "c2pa.actions" in item["url"]]
    assert created[0].endswith("c2pa.actions.v2")
    assert actions["allActionsIncluded"] is True
    assert actions["actions"][0]["action"] == ("c2pa.opened" if with_parent else "c2pa.created")
    assert manifest["label"].startswith("urn:c2pa:")
    for action in actions["actions"]:
        assert ("digitalSourceType" in action) is (action["action"] in {"c2pa.created", "c2pa.edited"})
        if action["action"] == "c2pa.opened":
            assert len(action["parameters"]["ingredients"]) == 1
    for name, assertion in manifest["assertions"].items():
        assert "." in name
        if name.startswith("c2pa.ingredient"):
            assert name == "c2pa.ingredient.v3"
            assert assertion["validationResults"]


def test_the_rubric_finds_what_the_library_signs_without_a_word():
    naive = {
        "claim_generator_info": [{"name": "x", "version": "1"}],
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [
                        {"action": "c2pa.edited"},
                        {"action": "c2pa.created", "digitalSourceType": "trained"},
                        {"action": "c2pa.watermarked"},
                        {"action": "sharpen"},
                    ]
                },
            },
            {"label": "mine", "data": {}},
        ],
    }
    checks = {finding.check for finding in lint(naive)}
    assert checks >= {
        "mandatory_spec_version",
        "inception_action_position",
        "mandatory_all_actions_included",
        "mandatory_dst_for_perceptible_transformations",
        "no_deprecated_actions",
        "no_deprecated_assertions",
        "no_unrecognized_custom_actions",
        "no_unrecognized_custom_assertions",
        "mediaguard.digital_source_type",
    }


def test_claimed_time_and_source_type_come_back(picture, spec, signer, trust):
    when = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    item = replace(spec, when=when, source_type=DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA)
    reading = sign(picture(), item, signer, trust=trust).reading
    assert reading.claimed_time == when
    assert reading.source_type is item.source_type
    assert reading.source_type.is_generative
