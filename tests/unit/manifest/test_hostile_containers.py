"""Containers as strangers make them: bombs, odd tags, pictures within, and manifests almost right."""

from __future__ import annotations

import base64
import importlib
import re
import struct
from pathlib import Path

import encypher_c2pa
import pytest

from provenance.codecs import read_asset
from provenance.errors import InputError
from provenance.manifest.containers import has_own_trace, has_trace
from provenance.manifest.formats import MIMES
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState
from provenance.manifest.sidecar import BESIDE
from provenance.manifest.sign import sign
from provenance.media import Asset
from provenance.metadata import id3
from provenance.sniff import mime_of

HEAD = b'<svg xmlns="http://www.w3.org/2000/svg">'


@pytest.fixture(scope="module")
def sample():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
        return importlib.import_module("_every_format").one_of


@pytest.fixture(scope="module")
def drawing(sample, spec, signer, trust) -> bytes:
    return sign(sample("image/svg+xml"), spec, signer, trust=trust).asset.data


def state_of(data: bytes, mime: str, trust) -> str:
    try:
        return read_manifest(Asset.of(data, mime), trust).state.value
    except InputError as error:
        return error.code


@pytest.mark.parametrize("mime", [mime for mime in MIMES if mime not in BESIDE])
def test_an_independent_reader_agrees(sample, spec, signer, trust, mime):
    """encypher-c2pa shares no code with the library that signed."""
    data = sign(sample(mime), spec, signer, trust=trust).asset.data
    report = encypher_c2pa.verify(data, mime_type=mime, telemetry=False, online=False)
    assert (report["integrity"], report["signature"], report["hard_binding"]) == ("valid", "valid", "match")


def test_a_drawing_that_unfolds_without_end_is_refused(trust):
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 12}">' for n in range(12))
    bomb = (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "boom">{entities}]>'.encode()
        + HEAD
        + b"&e12;</svg>"
    )
    assert state_of(bomb, "image/svg+xml", trust) == "media.damaged"
    assert (
        state_of(HEAD + b"<g>" * 5000 + b"</g>" * 5000 + b"</svg>", "image/svg+xml", trust) == "media.damaged"
    )
    unknown = b'<?xml version="1.0" encoding="x-no-such"?>' + HEAD + b"</svg>"
    assert state_of(unknown, "image/svg+xml", trust) == "media.damaged"


def test_drawings_refer_to_nothing_that_is_read(trust, tmp_path):
    (tmp_path / "secret").write_text("secret")
    outside = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'.encode() + HEAD + b"&x;</svg>"
    assert state_of(outside, "image/svg+xml", trust) in {"absent", "media.damaged"}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:400] + b"\n" + text[400:],
        lambda text: b" " + text,
        lambda text: b"<![CDATA[" + text + b"]]>",
        lambda text: b"<!-- -->" + text,
        lambda text: text + b"AAAA",
        lambda text: base64.b64encode(base64.b64decode(text)[:-1]),
        lambda text: b"",
    ],
)
def test_a_manifest_in_a_drawing_is_written_in_one_way(drawing, trust, change):
    text = re.search(rb"<c2pa:manifest>(.*?)</c2pa:manifest>", drawing)[1]
    assert state_of(drawing.replace(text, change(text)), "image/svg+xml", trust) in {"malformed", "tampered"}


def test_a_manifest_in_another_element_counts_as_damage(drawing, trust):
    moved = drawing.replace(b"metadata>", b"defs>")
    assert state_of(moved, "image/svg+xml", trust) in {"malformed", "tampered"}
    renamed = drawing.replace(b"c2pa:manifest>", b"c2pa:manifesto>")
    assert has_trace(renamed)
    assert state_of(renamed, "image/svg+xml", trust) == "malformed"


def tag(frames: bytes, *, version: int, flags: int = 0) -> bytes:
    size = bytes(len(frames) >> 7 * n & 0x7F for n in (3, 2, 1, 0))
    return b"ID3" + bytes([version, 0, flags]) + size + frames


@pytest.mark.parametrize(
    "head",
    [
        tag(b"TT2\0\0\5\0name", version=2),
        tag(b"TIT2\0\0\0\5\0\0\0name" + bytes(40), version=3),
        tag(b"TIT2\0\0\0\5\0\0\0name", version=3, flags=0x80),
        tag(b"\0\0\0\6\0\0\0\0\0\0TIT2\0\0\0\5\0\0\0name", version=3, flags=0x40),
        tag(b"TIT2" + struct.pack(">I", 0xC8) + b"\0\0" + bytes(0xC8), version=4),
        tag(b"GEOB\0\0\0\x10\0\0\0text/plain\0\0\0ab", version=4),
        tag(b"GEOB\0\0\0\0\0\0", version=4),
        tag(b"odd things that taggers leave", version=4),
    ],
)
def test_songs_with_any_tag_are_unsigned_where_they_are(sample, trust, head):
    sound = sample("audio/mpeg").data
    song = head + sound[id3.tag_end(sound) :]
    assert mime_of(song) == "audio/mpeg"
    assert state_of(song, "audio/mpeg", trust) == "absent"


def test_a_manifest_behind_a_compressed_frame_is_malformed(sample, spec, signer, trust):
    data = bytearray(sign(sample("audio/mpeg"), spec, signer, trust=trust).asset.data)
    data[data.index(b"GEOB") + 9] = 0x08
    assert state_of(bytes(data), "audio/mpeg", trust) == "malformed"


def test_a_signed_cover_does_not_sign_the_song_nor_damage_it(sample, signed, trust):
    for mime in ("image/jpeg", "image/png"):
        cover = signed(mime).asset.data
        picture = b"\0" + mime.encode() + b"\0\3\0" + cover
        frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
        song = tag(frame, version=3) + sample("audio/mpeg").data
        assert has_trace(song)
        assert not has_own_trace(song)
        assert state_of(song, "audio/mpeg", trust) == "absent"


def test_the_same_of_a_song_on_the_disk_wherever_its_pieces_end(sample, signed, trust, tmp_path):
    cover = signed("image/jpeg").asset.data
    for before in (2**20 - 9000, 2**20 - 40, 2**20 - 2**16):
        path = tmp_path / "song.wav"
        sound = sample("audio/wav").data
        body = sound[12:] + b"odd " + struct.pack("<I", before + len(cover)) + bytes(before) + cover
        body += b"\0" * (len(body) & 1)
        path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
        asset = read_asset(path)
        assert has_trace(asset.content)
        assert not has_own_trace(asset.content)
        assert read_manifest(asset, trust).state is ManifestState.ABSENT


def test_a_signed_picture_in_a_document_does_not_sign_the_document(sample, signed, spec, signer, trust):
    cover = signed("image/jpeg").asset.data
    stream = b"<</Type/XObject/Subtype/Image/Filter/DCTDecode/Length %d>>stream\n" % len(cover)
    inside = b"9 0 obj\n" + stream + cover + b"\nendstream\nendobj\n"
    document = sample("application/pdf").data.replace(b"xref\n0", inside + b"xref\n0", 1)
    assert state_of(document, "application/pdf", trust) in {"absent", "media.unreadable"}
    if state_of(document, "application/pdf", trust) == "absent":
        made = sign(Asset.of(document, "application/pdf"), spec, signer, trust=trust)
        assert not made.reading.ingredients, "the picture is no earlier version of the document"
    own = sign(sample("application/pdf"), spec, signer, trust=trust).asset.data
    assert has_own_trace(own)
    assert state_of(own.replace(b"%PDF-1.7\n", b"%PDF-1.7\n" + inside, 1), "application/pdf", trust) in {
        ManifestState.TAMPERED.value,
        ManifestState.MALFORMED.value,
    }
