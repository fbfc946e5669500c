"""What the reader says about every way a signed file can be right or wrong."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import c2pa
import pytest
from PIL import Image

from provenance.errors import InputError
from provenance.manifest import c2pa_adapter
from provenance.manifest.build import manifest_definition
from provenance.manifest.containers import find_store
from provenance.manifest.read import raw_agrees, read_manifest, read_stored_manifest
from provenance.manifest.reading import DigitalSourceType, ManifestState, SigningTime, TrustTier
from provenance.manifest.sign import sign
from provenance.manifest.trust import CLAIM_SIGNING, TrustLists
from provenance.media import Asset

pytestmark = pytest.mark.filterwarnings("error")
MIMES = ("image/png", "image/jpeg", "image/webp", "image/tiff")
every_container = pytest.mark.parametrize("mime", MIMES)


def altered(asset: Asset, offset: int, value: int = 0x01) -> Asset:
    data = bytearray(asset.data)
    data[offset] ^= value
    return Asset.of(bytes(data), asset.mime)


def outside_manifest(asset: Asset) -> int:
    """Offset of a byte of picture data: the middle of the longest stretch without manifest."""
    found = find_store(asset.data)
    stretches = [(0, found.spans[0][0]), (found.spans[-1][1], len(asset.data))]
    low, high = max(stretches, key=lambda pair: pair[1] - pair[0])
    return (low + high) // 2


def store_offset(asset: Asset, needle: bytes) -> int:
    found = find_store(asset.data)
    position = found.store.rindex(needle)
    return found.file_range(position, position + 1)[0]


@every_container
def test_own_root_is_trusted_with_its_tier(signed, trust, mime):
    reading = read_manifest(signed(mime).asset, trust)
    assert reading.state is ManifestState.TRUSTED
    assert reading.intact
    assert reading.signer.tier is TrustTier.OWN
    assert "own" in str(reading.signer)
    assert reading.mime == mime
    assert raw_agrees(signed(mime).asset)


@every_container
def test_what_was_stated_is_read_from_the_signed_bytes(signed, spec, mime):
    reading = signed(mime).reading
    assert reading.source_type is DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
    assert reading.model_name == spec.model_name
    assert reading.soft_bindings == (spec.soft_binding,)
    assert reading.content_id == spec.content_id
    assert reading.recipe_commitment == spec.recipe_commitment
    assert dict(reading.digest_assertion) == dict(spec.digest_assertion)
    assert reading.actions == ("c2pa.created", "c2pa.watermarked.bound")
    assert reading.manifest_sha256 == signed(mime).manifest_sha256


@every_container
def test_development_list_gives_development(signed, authority, mime):
    reading = read_manifest(signed(mime).asset, authority.trust(TrustTier.DEVELOPMENT))
    assert reading.state is ManifestState.DEVELOPMENT


@every_container
def test_unknown_root(signed, stranger, mime):
    for lists in (TrustLists(), stranger.trust()):
        reading = read_manifest(signed(mime).asset, lists)
        assert reading.state is ManifestState.UNKNOWN_SIGNER
        assert reading.signer.tier is TrustTier.UNKNOWN
        assert "unknown" in str(reading.signer)


def test_a_famous_name_on_a_home_made_certificate_is_unknown(picture, spec, stranger, trust):
    made = sign(picture(), spec, stranger.signer(name="OpenAI"), trust=trust)
    reading = read_manifest(made.asset, trust)
    assert reading.state is ManifestState.UNKNOWN_SIGNER
    assert reading.signer.organisation == "OpenAI OpCo, LLC"
    assert str(reading.signer) == "OpenAI, OpenAI OpCo, LLC [unknown]"


@every_container
def test_expired_without_proof_of_time(signed, trust, authority, mime):
    later = authority.now + timedelta(days=400)
    reading = read_manifest(signed(mime).asset, trust, at=later)
    assert reading.state is ManifestState.EXPIRED
    assert reading.signer.time is SigningTime.NONE
    assert "signingCredential.expired" in reading.failures
    before = read_manifest(signed(mime).asset, trust, at=authority.now - timedelta(days=60))
    assert before.state is ManifestState.EXPIRED


def test_expired_and_unknown_is_unknown(signed, authority):
    later = authority.now + timedelta(days=400)
    assert read_manifest(signed().asset, TrustLists(), at=later).state is ManifestState.UNKNOWN_SIGNER


def test_wrong_key_usage_is_unknown(signed, authority):
    reading = read_manifest(signed().asset, authority.trust(ekus=("1.3.6.1.5.5.7.3.3",)))
    assert reading.state is ManifestState.UNKNOWN_SIGNER
    assert "signingCredential.invalid" in reading.failures


def test_claim_signing_alone_is_accepted(picture, spec, authority, trust):
    only = authority.signer(ekus=(CLAIM_SIGNING,))
    assert sign(picture(), spec, only, trust=trust).reading.state is ManifestState.TRUSTED


def test_missing_intermediate_is_unknown(picture, spec, authority, trust):
    alone = authority.signer(with_issuing=False)
    assert sign(picture(), spec, alone, trust=trust).reading.state is ManifestState.UNKNOWN_SIGNER


def test_intermediate_as_the_only_anchor(signed, authority):
    from cryptography.hazmat.primitives.serialization import Encoding

    from provenance.manifest.trust import TrustList

    pem = authority.issuing.public_bytes(Encoding.PEM)
    item = TrustList.of(name="issuing", tier=TrustTier.INTERIM, pem=pem, date=authority.now.date())
    reading = read_manifest(signed().asset, TrustLists(lists=(item,)))
    assert reading.state is ManifestState.TRUSTED
    assert reading.signer.tier is TrustTier.INTERIM


def test_signature_of_another_key_is_tampered(picture, spec, signer, trust, authority):
    class Wrong:
        algorithm, chain = "es256", signer.chain
        sign = staticmethod(authority.signer().sign)

    asset = picture()
    data, _ = c2pa_adapter.write_store(asset.data, asset.mime, manifest_definition(spec), Wrong(), trust)
    reading = read_manifest(Asset.of(data, asset.mime), trust)
    assert reading.state is ManifestState.TAMPERED
    assert reading.signer is None, "a name that nothing vouches for is not shown"


@every_container
def test_changed_picture_is_tampered(signed, trust, mime):
    asset = signed(mime).asset
    reading = read_manifest(altered(asset, outside_manifest(asset)), trust)
    assert reading.state is ManifestState.TAMPERED
    assert "content" in reading.reason
    assert not reading.intact


@every_container
@pytest.mark.parametrize(
    "needle", [b"portrait.png", b"claim_generator_info", b"trainedAlgorithmicMedia", b"emoji"]
)
def test_changed_manifest_is_never_intact(signed, trust, mime, needle):
    asset = signed(mime).asset
    reading = read_manifest(altered(asset, store_offset(asset, needle)), trust)
    assert reading.state in {ManifestState.TAMPERED, ManifestState.MALFORMED}


@every_container
def test_stripped_is_absent(signed, trust, mime):
    out = io.BytesIO()
    with Image.open(io.BytesIO(signed(mime).asset.data)) as image:
        Image.fromarray(__import__("numpy").asarray(image)).save(out, mime.split("/")[1])
    assert read_manifest(Asset.of(out.getvalue(), mime), trust).state is ManifestState.ABSENT


@every_container
def test_truncated_is_never_absent(signed, trust, mime):
    asset = signed(mime).asset
    found = find_store(asset.data)
    for end in range(found.pieces[0].file + 60, len(asset.data), 97):
        cut = Asset.of(asset.data[:end], mime)
        try:
            state = read_manifest(cut, trust).state
        except InputError as error:  # a TIFF whose directory is gone, before any byte of the manifest
            assert mime == "image/tiff"
            assert error.code == "media.damaged"  # noqa: PT017
            continue
        assert state in {ManifestState.TAMPERED, ManifestState.MALFORMED}


def test_manifest_moved_out_of_its_place_is_not_absent(signed, trust):
    data = signed("image/png").asset.data.replace(b"caBX", b"cbBX")
    assert read_manifest(Asset.of(data, "image/png"), trust).state is ManifestState.MALFORMED


def test_two_manifests_are_malformed(signed, trust):
    asset = signed("image/png").asset
    (low, high), *_ = find_store(asset.data).spans
    doubled = asset.data[:high] + asset.data[low:high] + asset.data[high:]
    assert read_manifest(Asset.of(doubled, asset.mime), trust).state is ManifestState.MALFORMED


def test_remote_manifest_is_named_and_not_fetched(picture, spec, signer, trust):
    asset, out = picture(), io.BytesIO()
    builder = c2pa.Builder(manifest_definition(spec))
    builder.set_no_embed()
    builder.set_remote_url("https://example.com/m.c2pa")
    info = c2pa.C2paSignerInfo(b"es256", signer.chain, signer.private_pem(), None)
    builder.sign(c2pa.Signer.from_info(info), asset.mime, io.BytesIO(asset.data), out)
    reading = read_manifest(Asset.of(out.getvalue(), asset.mime), trust)
    assert reading.state is ManifestState.REMOTE_ONLY
    assert reading.remote_url == "https://example.com/m.c2pa"


def test_unsigned_is_absent_and_unreadable_is_an_error(picture, trust):
    assert read_manifest(picture(), trust).state is ManifestState.ABSENT
    for data in (b"", b"hello", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"):
        with pytest.raises(InputError):
            read_manifest(Asset.of(data, "image/png"), trust)


def test_hostile_strings_stay_values_of_bounded_length(picture, spec, authority, trust):
    nasty = "\x1b[31m\u202egnp.exe<script>"
    made = sign(
        picture(), replace(spec, title=nasty * 500, model_name=nasty * 500), authority.signer(), trust=trust
    )
    assert made.reading.title.startswith(nasty)
    assert len(made.reading.title) <= 512
    assert len(made.reading.model_name) <= 512


def test_same_input_same_reading(signed, trust, authority):
    at = authority.now + timedelta(days=1)
    assert read_manifest(signed().asset, trust, at=at) == read_manifest(signed().asset, trust, at=at)


def test_codes_about_time_do_not_come_from_the_library_clock(signed, authority, trust):
    reading = read_manifest(signed().asset, trust, at=authority.now + timedelta(days=400))
    assert "claimSignature.insideValidity" not in {code.code for code in reading.codes}
    assert "signingCredential.trusted" not in {code.code for code in reading.codes}


def test_stored_manifest_is_read_without_its_file_and_claims_no_bytes(signed, trust):
    made = signed("image/jpeg")
    reading = read_stored_manifest(made.manifest, "image/jpeg", trust)
    assert reading.state is ManifestState.TRUSTED
    assert reading.detached
    assert not reading.intact
    assert reading.content_id == made.reading.content_id
    broken = bytearray(made.manifest)
    broken[made.manifest.rindex(b"portrait")] ^= 1
    assert read_stored_manifest(bytes(broken), "image/jpeg", trust).state is ManifestState.TAMPERED
    assert read_stored_manifest(b"", "image/jpeg", trust).state is ManifestState.MALFORMED


def test_a_sidecar_of_other_bytes_is_tampered(signed, picture, trust):
    reading = read_manifest(picture(seed=9), trust, sidecar=signed().manifest)
    assert reading.state is ManifestState.TAMPERED
    assert reading.sidecar


def test_a_sidecar_of_these_bytes_is_read_like_an_embedded_manifest(picture, spec, signer, trust):
    asset = picture()
    context = c2pa.Context.from_dict({"trust": {"trust_config": CLAIM_SIGNING}})
    builder = c2pa.Builder(manifest_definition(spec), context=context)
    builder.set_no_embed()
    info = c2pa.C2paSignerInfo(b"es256", signer.chain, signer.private_pem(), None)
    store = builder.sign(c2pa.Signer.from_info(info), asset.mime, io.BytesIO(asset.data), io.BytesIO())
    reading = read_manifest(asset, trust, sidecar=bytes(store))
    assert reading.state is ManifestState.TRUSTED
    assert reading.sidecar
    assert read_manifest(asset, trust).state is ManifestState.ABSENT


@every_container
def test_our_paths_and_the_librarys_agree(signed, trust, stranger, mime):
    """We judge trust ourselves because the library asks the clock; now, both have to agree."""
    for lists in (trust, stranger.trust(), TrustLists()):
        reading = read_manifest(signed(mime).asset, lists)
        library = c2pa_adapter.read_store(signed(mime).asset.data, mime, lists, signers=True).report
        assert (library["validation_state"] == "Trusted") is (reading.state is ManifestState.TRUSTED)


def test_a_picture_with_other_jumbf_boxes_is_read(signed, trust, picture):
    """JPEG Trust and JPEG 360 use the same segments."""
    from provenance.metadata import jpeg

    box = b"\0\0\0\x31jumb\0\0\0\x29jumd" + b"jpeg360-box-uuid" + b"\x03other box\0" + b"\0" * 9
    other = jpeg.segment(jpeg.APP11, b"JP\0\7\0\0\0\1" + box)
    plain = picture("image/jpeg")
    assert read_manifest(
        Asset.of(jpeg.rebuild(plain.data, drop=[], insert=other), plain.mime), trust
    ).state is (ManifestState.ABSENT)
