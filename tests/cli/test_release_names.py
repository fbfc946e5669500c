"""The name of a downloaded file is often its prompt: it can be left behind."""

from __future__ import annotations

import json

import pytest
from PIL import Image

PROMPT = "zebra lighthouse keeper"


@pytest.fixture
def downloads(tmp_path):
    names = [f"1/{PROMPT}.png", f"2/{PROMPT}.png", f"3/{PROMPT}.jpg"]
    for name in names:
        (tmp_path / name).parent.mkdir()
        Image.effect_noise((300, 280), 60).convert("RGB").save(tmp_path / name)
    return names


def test_named_by_id_nothing_that_leaves_holds_the_name(guard_cli, home, downloads, tmp_path):
    asked = ("--source", "generated", "-o", "out.png", "--names", "id", "--format", "json")
    ran = guard_cli("release", *downloads, *asked)
    assert ran.code == 0, ran.err
    made = json.loads(ran.out)["released"]
    assert [one["file"] for one in made] == downloads
    suffixes = (".png", ".png", ".jpg")
    assert [one["path"] for one in made] == [
        f"out.png/{one['content_id']}{suffix}" for one, suffix in zip(made, suffixes, strict=True)
    ]
    log = [path for path in home.log_folder.rglob("*") if path.is_file()]
    for path in (*log, home.registry_path, *(tmp_path / one["path"] for one in made)):
        assert b"zebra" not in path.read_bytes(), path


def test_by_default_the_name_stays(guard_cli, home, downloads):
    ran = guard_cli("release", downloads[0], "--source", "generated", "-o", "out")
    assert ran.out == f"out/{PROMPT}.png\n"


def test_a_folder_that_is_a_file_is_refused(guard_cli, home, downloads, tmp_path):
    (tmp_path / "out").write_text("a file")
    ran = guard_cli("release", downloads[0], "--source", "generated", "-o", "out", "--names", "id")
    assert ran.code == 2
    assert (tmp_path / "out").read_text() == "a file"
