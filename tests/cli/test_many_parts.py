"""A PNG of very many tiny chunks is refused by the commands that would parse it."""

import io

import pytest
from PIL import Image

from provenance.metadata import png


@pytest.fixture
def crowded(tmp_path):
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (9, 90, 200)).save(out, "PNG")
    plain = out.getvalue()
    path = tmp_path / "crowded.png"
    path.write_bytes(plain[:33] + png.chunk(b"tEXt", b"a\0b") * 100_000 + plain[33:])
    return path


@pytest.mark.parametrize(
    "arguments",
    [("verify",), ("sign", "--source", "digitalCapture", "-o", "signed.png")],
    ids=["verify", "sign"],
)
def test_refused(home, guard_cli, crowded, arguments):
    ran = guard_cli(arguments[0], crowded, *arguments[1:])
    assert ran.code == 2
    assert "input.too-many-parts" in ran.err
    assert not (crowded.parent / "signed.png").exists()
