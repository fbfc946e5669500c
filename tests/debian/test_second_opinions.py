"""Independent programs and photographs from Debian look at what we release."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from guard.recover import recover
from guard.verdict import State
from provenance.codecs import decode, read_asset
from provenance.manifest.reading import DigitalSourceType
from provenance.media import Asset

NATURE = Path("/usr/share/backgrounds/mate/nature")
SAID = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Some API 2")

pytestmark = pytest.mark.debian
exiftool = pytest.mark.skipif(not shutil.which("exiftool"), reason="needs libimage-exiftool-perl")
photographs = pytest.mark.skipif(not NATURE.is_dir(), reason="needs mate-backgrounds")


def released(source: Path, target: Path, tools) -> Path:
    owed = ask(Stage.PLAN, SAID.origin(), tools, command="release").obligations
    release_asset(read_asset(source), SAID, tools, plan=owed, command="release", output=target)
    return target


def tags(path: Path) -> dict[str, object]:
    done = subprocess.run(["exiftool", "-json", "-G1", "-n", str(path)], capture_output=True, check=True)
    (found,) = json.loads(done.stdout)
    return found


@exiftool
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_exiftool_reads_our_statement_and_no_camera_data(suffix, tools, photograph, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Some camera maker"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    source = tmp_path / f"camera{suffix}"
    Image.fromarray(photograph).save(source, exif=exif)
    found = tags(released(source, tmp_path / f"out{suffix}", tools))
    source_types = [value for name, value in found.items() if name.endswith("DigitalSourceType")]
    assert any("trainedAlgorithmicMedia" in str(value) for value in source_types)
    assert not [name for name in found if name.startswith("GPS:") or name.endswith(":Make")]
    assert not [value for name, value in found.items() if name.endswith(":Warning")]


@photographs
def test_photographs_are_found_again_after_what_the_web_does(home, tools, tmp_path):
    """Every photograph of the set, shrunk to 768 px: JPEG-50 at half size, stripped."""
    lost = []
    paths = sorted(NATURE.glob("*.jpg"))[:6]
    assert len(paths) == 6
    for path in paths:
        source = tmp_path / f"{path.stem}.png"
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((768, 768))
        picture.save(source)
        frames = decode(read_asset(released(source, tmp_path / f"out-{path.stem}.png", tools)))
        copy = Image.fromarray(np.asarray(frames.pixels[0]))
        memory = io.BytesIO()
        copy.resize((copy.width // 2, copy.height // 2), Image.Resampling.LANCZOS).save(
            memory, "JPEG", quality=50
        )
        found = recover(
            decode(Asset.of(memory.getvalue(), "image/jpeg")),
            keys=[home.locator()],
            registry=tools.registry,
            trust=home.trust(),
            at=tools.clock(),
        )
        if found.state is not State.RECOVERED:
            lost.append((path.stem, found.reason))
    assert lost == []
