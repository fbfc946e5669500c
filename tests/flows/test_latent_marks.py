"""From ``guard generate --latent-mark`` to the mark read in a compressed copy, by the bundled model."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from generators import finishes
from guard.cli._report import stages, summary
from guard.generate import approve, generate
from guard.latent import Shading, inverter_for, look, on_record
from provenance.evidence import Outcome
from provenance.media import Frames


def _copy(path, quality: int) -> Frames:
    buffer = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as picture:
        return Frames(pixels=np.asarray(picture.convert("RGB")).copy()[None])


@pytest.mark.parametrize("finish", [finishes.LEARNED, finishes.PLAIN])
def test_a_released_picture_is_traced_to_its_record_by_its_noise(home, tools, tmp_path, finish):
    """Either way; the payload, which needs more of the noise than the learnt finish leaves, by the other."""
    from generators.request import GenerationRequest

    out = tmp_path / "out"
    out.mkdir()
    inverter = inverter_for("bundled:emoji")
    request = GenerationRequest(prompt="a portrait of a judge", seeds=(5, 6), options={"finish": finish})
    shading = Shading(key=tools.marker.key, random=tools.random)
    approved = approve(request, tools)
    released = list(generate(approved, inverter.generator, tools, folder=out, latents=shading))
    assert all(summary(one)["latent_mark"] for one in released)
    assert ("latent mark", "in the noise of 2 of 2; not read back") in list(stages(released))
    known = list(on_record(home.records()))
    assert len({mark.nonce for _, mark in known}) == 2
    found, record = look(
        _copy(released[1].path, 60), inverter=inverter, keys=home.locators(), records=home.records()
    )
    assert found.outcome is Outcome.SUPPORTS
    assert record.content_id == released[1].signed.content_id.hex()
    assert found.detail.payload_matches or finish == finishes.LEARNED
    for nonce in (mark.nonce for _, mark in known):
        for file in (*out.iterdir(), *(home.folder / "log").rglob("*")):
            if file.is_file():
                assert nonce not in file.read_bytes()
                assert nonce.hex().encode() not in file.read_bytes()


def test_without_a_latent_mark_on_record_nothing_is_looked_for(home, photograph):
    class Never:
        size = (512, 512)

        def invert(self, frames):
            raise AssertionError("no reason to load a model's weight")

    seen = Frames(pixels=photograph.copy()[None])
    found, record = look(seen, inverter=Never(), keys=home.locators(), records=home.records())
    assert found.outcome is Outcome.NOT_CHECKED
    assert "--latent-mark" in found.reason
    assert record is None


@pytest.mark.parametrize("arguments", [("--model", "bundled:emoji")])
def test_a_model_without_latent_is_wrong_usage(guard_cli, home, arguments):
    ran = guard_cli("watermark", "detect", "a.png", *arguments)
    assert ran.code == 2
    assert "--latent" in ran.err


@pytest.mark.slow
def test_from_the_command_line(guard_cli, home):
    made = guard_cli("generate", "a portrait of a cook", "--seed", 3, "--latent-mark", "-o", "out")
    assert made.code == 0, made.err
    file = made.out.strip().splitlines()[-1]
    found = guard_cli("watermark", "detect", file, "--latent")
    assert found.code == 0, found.err
    assert found.out.startswith("LATENT MARK READ")
    told = guard_cli("watermark", "detect", file, "--latent", "--format", "json")
    assert '"nonce"' not in told.out
