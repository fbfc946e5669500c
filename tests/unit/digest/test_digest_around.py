"""What was put around a picture is told from a plain border, and a credential does not stand for it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from guard.verdict import Requirement, State, exit_code
from provenance.digest_compare import compare_placed, visual_digest
from provenance.digest_grid import Placement
from provenance.media import Frames

BANNER = 110


def with_banner(picture: Image.Image, text: str) -> Image.Image:
    wide = Image.new("RGB", (picture.width, picture.height + BANNER), (250, 20, 20))
    wide.paste(picture)
    font = ImageFont.load_default(size=40)
    ImageDraw.Draw(wide).text((10, picture.height + 30), text, fill="white", font=font)
    return wide


@pytest.mark.parametrize(("text", "added"), [("SHE NEVER FLEW", True), ("", False)])
def test_a_line_of_text_around_it_is_no_plain_border(photograph, text, added):
    wide = np.array(with_banner(Image.fromarray(photograph), text))
    here = Placement(linear=np.eye(2), shift=np.zeros(2))
    digest = visual_digest(Frames(pixels=photograph[None].copy()))
    reading = compare_placed(digest, Frames(pixels=wide[None]), [here]).detail
    assert reading.around_fraction > 0.1
    assert reading.altered_fraction == 0
    assert reading.added is added


def test_a_recovered_picture_with_a_banner_does_not_meet_a_requirement(signed, guard_cli, tmp_path):
    with Image.open(signed[".png"]) as image:
        picture = image.convert("RGB")
    with_banner(picture, "SHE NEVER FLEW").save(tmp_path / "banner.png")
    with_banner(picture, "").save(tmp_path / "border.png")
    ran = guard_cli("verify", "--require", "recovered", "banner.png")
    assert "the same picture, with something around it" in ran.out
    assert ran.code == 1
    border = guard_cli("verify", "--require", "recovered", "border.png")
    assert border.code == 0
    assert "around it" not in border.out


def test_what_lies_around_matters_to_requirements_only():
    assert exit_code(State.RECOVERED, added=True) == exit_code(State.RECOVERED)
    assert exit_code(State.RECOVERED, Requirement.RECOVERED, added=True) == 1
