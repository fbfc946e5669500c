"""Containers we read but do not sign ourselves: GIF, WAV and the boxes of AVIF and MP4."""

from __future__ import annotations

import io
import wave

import c2pa
import numpy as np
import pytest
from PIL import Image

from provenance.errors import InputError
from provenance.manifest.build import manifest_definition
from provenance.manifest.containers import find_store
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState
from provenance.manifest.trust import CLAIM_SIGNING
from provenance.media import Asset


def content(mime: str) -> bytes:
    out = io.BytesIO()
    if mime == "audio/wav":
        with wave.open(out, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(range(256)) * 16)
    else:
        pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(out, mime.split("/")[1])
    return out.getvalue()


@pytest.fixture
def library_signed(spec, signer):
    def make(mime: str) -> Asset:
        settings = {"trust": {"trust_config": CLAIM_SIGNING}, "builder": {"thumbnail": {"enabled": False}}}
        info = c2pa.C2paSignerInfo(b"es256", signer.chain, signer.private_pem(), None)
        out = io.BytesIO()
        builder = c2pa.Builder(manifest_definition(spec), context=c2pa.Context.from_dict(settings))
        builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(content(mime)), out)
        return Asset.of(out.getvalue(), mime)

    return make


every_mime = pytest.mark.parametrize("mime", ["image/gif", "image/avif", "audio/wav"])


@every_mime
def test_read_with_the_same_strictness(library_signed, trust, mime):
    asset = library_signed(mime)
    reading = read_manifest(asset, trust)
    assert reading.state is ManifestState.TRUSTED
    assert reading.model_name == "emoji"
    assert read_manifest(Asset.of(content(mime), mime), trust).state is ManifestState.ABSENT


@every_mime
def test_changes_are_noticed(library_signed, trust, mime):
    asset = library_signed(mime)
    low, high = find_store(asset.data).spans[0]
    outside = (low // 2, (high + len(asset.data)) // 2)[high < len(asset.data)]
    for offset in (*range(low + 40, high - 8, 211), outside):
        data = bytearray(asset.data)
        data[offset] ^= 0x10
        try:
            reading = read_manifest(Asset.of(bytes(data), mime), trust)
        except InputError:
            continue
        assert not reading.intact or reading.uncovered, offset
        assert reading.state is not ManifestState.ABSENT


def test_boxes_the_binding_leaves_out_are_listed(library_signed, trust):
    asset = library_signed("image/avif")
    longer = asset.data + b"\0\0\0\x10free" + b"whatever"
    reading = read_manifest(Asset.of(longer, asset.mime), trust)
    if reading.intact:
        assert any("free box" in item for item in reading.uncovered)
