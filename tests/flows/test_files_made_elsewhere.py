"""What a file says of itself when it comes in, and what is kept of it when it leaves."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from provenance.codecs import decode, encode
from provenance.errors import InputError
from provenance.manifest.reading import DigitalSourceType, ManifestState
from provenance.media import Asset
from provenance.metadata import png
from provenance.metadata.xmp import describe, packet_for

AI = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
CAMERA = DigitalSourceType.DIGITAL_CAPTURE


@pytest.fixture
def released(tools, tmp_path):
    """Release an asset as ``source``."""

    def run(asset, source=CAMERA, command="release"):
        said = Statement(source_type=source)
        plan = ask(Stage.PLAN, said.origin(), tools, command=command).obligations
        return release_asset(asset, said, tools, plan=plan, command=command, output=tmp_path / "leaves")

    return run


@pytest.fixture
def photo(photograph):
    def save(form="PNG", mode="RGB", **options):
        out = io.BytesIO()
        Image.fromarray(photograph).convert(mode).save(out, form, **options)
        return Asset.of(out.getvalue(), f"image/{form.lower()}")

    return save


def warnings_of(one) -> set[str]:
    return {warned.rule for warned in one.decision.warnings}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_xmp_that_names_a_model_is_not_overwritten_with_a_camera(released, photo, tmp_path, form):
    labelled = describe(photo(form), source_type=AI)
    with pytest.raises(InputError, match="XMP") as caught:
        released(labelled)
    assert caught.value.code == "source.contradicted"
    assert not (tmp_path / "leaves").exists()
    assert released(labelled, AI).path.exists()


def test_one_of_two_contradictory_xmp_packets_is_enough(released, photo):
    labelled = describe(photo(), source_type=CAMERA).data
    packet = packet_for(source_type=AI, model_name=None, creator_tool="x")
    added = png.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    with pytest.raises(InputError, match="XMP"):
        released(Asset.of(labelled[:-12] + added + labelled[-12:], "image/png"))


@pytest.mark.parametrize("keyword", ["parameters", "prompt", "workflow", "Dream"])
@pytest.mark.parametrize("packed", [False, True])
def test_text_of_a_generator_is_a_warning(released, photo, keyword, packed):
    text = PngImagePlugin.PngInfo()
    text.add_text(keyword, "a cat, Steps: 20", zip=packed)
    assert "base.no-generator-traces" in warnings_of(released(photo(pnginfo=text)))


def test_other_text_is_none_and_unreadable_xmp_counts_as_unread(released, photo, tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "prompt")
    clean = released(photo(pnginfo=text))
    assert "base.no-generator-traces" not in warnings_of(clean)
    clean.path.unlink()
    broken = png.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x")
    data = photo().data
    unread = released(Asset.of(data[:-12] + broken + data[-12:], "image/png"))
    assert "base.metadata-readable" in warnings_of(unread)


@pytest.mark.parametrize("store", [b"", b"\0\0\0\x10jumb\0\0\0\x30jumd", b"not a box at all"])
def test_a_broken_manifest_store_is_never_dropped_in_silence(released, photo, tools, store):
    from provenance.manifest.read import read_manifest

    data = photo().data
    broken = Asset.of(data[:33] + png.chunk(b"caBX", store) + data[33:], "image/png")
    assert read_manifest(broken, tools.trust).state is ManifestState.MALFORMED
    with pytest.raises(InputError) as caught:
        released(broken)
    assert caught.value.code == "source.tampered"


@pytest.mark.parametrize("source", [CAMERA, DigitalSourceType.HUMAN_EDITS])
def test_a_model_is_not_named_where_none_was_at_work(source):
    with pytest.raises(InputError) as caught:
        Statement(source_type=source, model_name="Nikon AI")
    assert caught.value.code == "source.contradicted"
    assert Statement(source_type=AI, model_name="Nikon AI").model_name == "Nikon AI"


def test_lossless_webp_leaves_lossless(released, photo):
    one = released(photo("WEBP", lossless=True), AI)
    assert b"VP8L" in one.signed.asset.data
    assert decode(one.signed.asset).shows(one.signed.marked.frames)
    assert b"VP8L" not in encode(one.signed.marked.frames, "image/webp", quality=90).data


def test_lossy_webp_stays_lossy(released, photo):
    assert b"VP8L" not in released(photo("WEBP", quality=80), AI).signed.asset.data


def test_jpeg_is_not_asked_to_lose_nothing(photo):
    with pytest.raises(InputError) as caught:
        encode(decode(photo()), "image/jpeg", quality=None)
    assert caught.value.code == "output.quality"


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_without_a_profile_are_said_to_be_a_guess(released, photo, form):
    one = released(photo(form, "CMYK"))
    assert "default.colours-guessed" in warnings_of(one)
    assert decode(one.signed.asset).icc is None


def test_inks_with_a_profile_leave_as_srgb_that_says_so(released, photo, cmyk_profile):
    one = released(photo("TIFF", "CMYK", icc_profile=cmyk_profile))
    assert "default.colours-converted" in warnings_of(one)
    assert re.search(b"sRGB|s\0R\0G\0B", decode(one.signed.asset).icc or b"")


def test_colours_of_rgb_are_kept(released, photo):
    assert not {"default.colours-guessed", "default.colours-converted"} & warnings_of(released(photo()))


@pytest.mark.parametrize(("form", "lossy"), [("JPEG", True), ("PNG", False)])
def test_the_decibels_shown_say_where_they_were_measured(released, photo, form, lossy):
    from guard.cli._report import stages

    told = dict(stages([released(photo(form), AI)]))["watermark"]
    assert told.endswith("dB before compression, decoded back" if lossy else " dB, decoded back")


def test_the_readme_says_it_too():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert "at 42 dB (never below 40, both before the container's own compression)" in readme
    assert "the resolution in DPI are not kept" in readme
