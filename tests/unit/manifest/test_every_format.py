"""Every kind of file that is signed: sign, verify, sign again, and what damage of any sort comes to."""

from __future__ import annotations

import importlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance.codecs import read_asset
from provenance.errors import Error
from provenance.manifest.containers import find_store, has_trace
from provenance.manifest.formats import FORMATS, MIMES
from provenance.manifest.read import read_manifest
from provenance.manifest.reading import ManifestState
from provenance.manifest.sidecar import BESIDE
from provenance.manifest.sign import sign
from provenance.media import Asset
from provenance.sniff import EXTENSIONS, mime_of
from provenance.stored import FileBytes

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
EMBEDDING = tuple(mime for mime in MIMES if mime not in BESIDE)
every = pytest.mark.parametrize("mime", MIMES)
every_embedding = pytest.mark.parametrize("mime", EMBEDDING)


@pytest.fixture(scope="module")
def samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield importlib.import_module("_every_format").every_format()


@pytest.fixture(scope="module")
def all_signed(samples, spec, signer, trust):
    return {mime: sign(asset, spec, signer, trust=trust) for mime, asset in samples.items()}


def test_the_table_is_what_is_made(samples):
    assert set(samples) == set(MIMES)
    assert len({item.mime for item in FORMATS}) == len(FORMATS)


@every
def test_signed_and_read(samples, all_signed, trust, mime):
    made = all_signed[mime]
    assert made.reading.state is ManifestState.TRUSTED
    assert made.reading.model_name == "emoji"
    assert made.reading.sidecar is (mime in BESIDE)
    assert read_manifest(samples[mime], trust).state is ManifestState.ABSENT
    assert mime_of(made.asset.data) == mime, "the signed file is still known by its content"


@every_embedding
def test_signed_again_the_first_manifest_is_history(all_signed, spec, signer, trust, mime):
    again = sign(all_signed[mime].asset, spec, signer, trust=trust)
    assert again.reading.state is ManifestState.TRUSTED
    assert [node.problem for node in again.reading.ingredients] == [False]


@every
def test_the_same_from_a_file_on_the_disk_under_any_name(tmp_path, all_signed, trust, mime):
    made, path = all_signed[mime], tmp_path / "misnamed.txt"
    path.write_bytes(made.asset.data)
    asset = read_asset(path)
    beside = made.manifest if mime in BESIDE else None
    assert asset.mime == mime
    assert isinstance(asset.content, FileBytes) is mime.startswith(("video/", "audio/"))
    assert read_manifest(asset, trust, sidecar=beside).state is ManifestState.TRUSTED


@every
def test_a_manifest_beside_any_of_them(samples, spec, signer, trust, mime):
    made = sign(samples[mime], spec, signer, trust=trust, embed=False)
    assert made.asset == samples[mime], "the file itself is left alone"
    assert made.reading.state is ManifestState.TRUSTED
    other = Asset.of(samples[mime].data[:-1] + b"\1", mime)
    assert read_manifest(other, trust, sidecar=made.manifest).state is ManifestState.TAMPERED


@every_embedding
def test_found_as_it_was_made(all_signed, mime):
    data = all_signed[mime].asset.data
    assert find_store(data).store == all_signed[mime].manifest
    assert has_trace(data)


def _twice(data: bytes, store: bytes, mime: str) -> bytes:
    """The file with a second copy of its manifest, in a place that is one."""
    if mime == "application/pdf":
        return data + b"\n90 0 obj\n<</Length %d>>stream\n%s\nendstream\nendobj\n" % (len(store), store)
    low, high = find_store(data).spans[0]
    if mime == "image/svg+xml":
        element = b"<c2pa:manifest>%s</c2pa:manifest>" % data[low:high]
        return data.replace(b"</metadata>", element + b"</metadata>")
    if mime in ("image/webp", "audio/wav"):
        high += (high - low) & 1  # the pad byte
    longer = data[:high] + data[low:high] + data[high:]
    if mime in ("image/webp", "audio/wav"):
        return longer[:4] + (len(longer) - 8).to_bytes(4, "little") + longer[8:]
    if mime in ("audio/mpeg", "audio/flac"):
        size = int.from_bytes(data[6:10], "big")  # of seven bits a byte, and so is what is added
        bits = sum((size >> 8 * n & 0x7F) << 7 * n for n in range(4)) + high - low
        return longer[:6] + bytes(bits >> 7 * n & 0x7F for n in (3, 2, 1, 0)) + longer[10:]
    return longer


@pytest.mark.parametrize("mime", [mime for mime in EMBEDDING if mime != "image/tiff"])
def test_two_manifests_are_none(all_signed, trust, mime):
    made = all_signed[mime]
    reading = read_manifest(Asset.of(_twice(made.asset.data, made.manifest, mime), mime), trust)
    assert reading.state is ManifestState.MALFORMED
    assert "more than one" in reading.reason or "do not follow each other" in reading.reason


def said_of(asset: Asset, trust, sidecar: bytes | None = None) -> str:
    """A state, or the code of the refusal."""
    try:
        return read_manifest(asset, trust, sidecar=sidecar).state.value
    except Error as error:
        return error.code


@every
def test_content_behind_the_end_is_noticed(all_signed, trust, mime):
    made = all_signed[mime]
    longer = Asset.of(made.asset.data + b"PK\3\4 and more", mime)
    beside = made.manifest if mime in BESIDE else None
    assert said_of(longer, trust, sidecar=beside) in {"tampered", "malformed", "media.damaged"}


@every
def test_damage_is_never_intact_absent_or_a_crash(samples, mime):
    """Short form of ``benchmarks/damage.py``, whose results are committed."""
    del samples  # leaves the path to the benchmarks in place for this module
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        damage = importlib.import_module("damage")
    wrong = [outcome for _, outcome in damage.of_kind(mime, 60, seed=3) if outcome.wrong]
    assert not wrong


@pytest.mark.enable_socket
@pytest.mark.skipif(shutil.which("openssl") is None, reason="the time-stamp authority is openssl ts")
@pytest.mark.parametrize("mime", ["image/jpeg", "image/svg+xml", "video/mp4", "video/webm"])
def test_nor_is_damage_of_a_time_stamped_file(samples, mime):
    del samples
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        damage, stamping = importlib.import_module("damage"), importlib.import_module("_stamping").stamping
    with stamping() as authority:
        done = list(damage.of_kind(mime, 90, 5, authority))
    assert sum(item.stamped for item, _ in done) == 30
    assert not [outcome for _, outcome in done if outcome.wrong]


@every_embedding
def test_cut_off_anywhere_it_is_not_unsigned(all_signed, trust, mime):
    data = all_signed[mime].asset.data
    ends = {*range(1, 200), *range(200, len(data), 509), *range(len(data) - 40, len(data))}
    for end in ends:
        cut = data[:end]
        if mime_of(cut) is None:
            continue
        try:
            reading = read_manifest(Asset.of(cut, mime), trust, at=datetime.now(UTC))
        except Error:
            continue
        assert reading.state is not ManifestState.ABSENT, end
        assert not reading.intact, end


def test_every_format_has_an_ending():
    assert set(MIMES) <= set(EXTENSIONS)
