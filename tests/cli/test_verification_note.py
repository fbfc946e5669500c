"""The note of ``verify --report``: it can be checked again, does nothing, tells nothing it should not."""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import shlex
import shutil
import socket
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from simulators.command_line import in_this_process

from guard import __version__
from guard.note import LIMITS, STEPS

NAME = "<img src=x onerror=alert(1)>\u202e.png"


class Reader(HTMLParser):
    """Collects tags, attributes that could fetch or run something, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.risky: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.risky += [
            name for name, _ in attrs if name in ("src", "href", "action") or name.startswith("on")
        ]

    def handle_data(self, data):
        self.text += data


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


@pytest.fixture(scope="module")
def note(released_once, tmp_path_factory):
    """One note on an intact file, a changed one with a hostile name, and a file that is no media."""
    folder = tmp_path_factory.mktemp("note")
    shutil.copytree(released_once, folder, dirs_exist_ok=True)
    changed = bytearray((folder / "out" / "picture.jpg").read_bytes())
    changed[-1000] ^= 1
    (folder / NAME).write_bytes(changed)
    (folder / "text.png").write_text("no media")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GUARD_HOME", str(folder / "home"))
        words = ("verify", folder / "out" / "picture.png", NAME, "text.png", "--report", "note.html")
        ran = in_this_process(folder, *words)
    assert ran.code == 2
    return folder / "note.html"


def test_a_note_holds_what_it_takes_to_check_it_again(note, home, signed):
    text = read(note).text
    for path in (signed[".png"], note.parent / NAME):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text
        assert f"{path.stat().st_size:,} bytes" in text
    (list_,) = home.trust().lists
    for expected in (list_.sha256, str(list_.date), f"mediaguard{__version__}", "DEVELOPMENT", "TAMPERED"):
        assert expected in text
    assert "input.not-media" in text
    assert all(" ".join(part.split()) in " ".join(text.split()) for part in (*STEPS, *LIMITS))


def test_the_command_in_the_note_gives_the_same_verdicts(guard_cli, note, signed, monkeypatch):
    line = next(part for part in re.findall(r"guard verify [^\n]*?Z", read(note).text))
    words = shlex.split(line)[2:]
    moment = words[words.index("--validation-time") + 1]
    ran = guard_cli("verify", signed[".png"], note.parent / NAME, "--validation-time", moment, "--json")
    assert [one["state"] for one in json.loads(ran.out)["verdicts"]] == ["development", "tampered"]


def test_a_note_runs_nothing_fetches_nothing_and_escapes_names(note):
    reader = read(note)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(reader.tags)
    assert reader.risky == []
    raw = note.read_text(encoding="utf-8")
    assert "default-src 'none'" in raw
    assert "\u202e" not in raw
    assert "<img" not in raw


def test_a_note_names_neither_the_user_nor_the_machine_nor_folders(note, signed):
    text = note.read_text(encoding="utf-8")
    assert str(note.parent) not in text
    for word in (str(Path.home()), socket.gethostname(), getpass.getuser()):
        assert len(word) < 6 or word not in text  # a digest holds any shorter word by chance


def test_a_note_is_not_written_over_another_file(guard_cli, signed, tmp_path):
    (tmp_path / "note.html").write_text("mine")
    ran = guard_cli("verify", signed[".png"], "--report", "note.html", "--json")
    assert (ran.code, json.loads(ran.out)["errors"][0]["code"]) == (2, "output.exists")
    assert (tmp_path / "note.html").read_text() == "mine"
    assert guard_cli("verify", signed[".png"], "--report", "note.html", "--force").code == 0
    assert "Verification note" in (tmp_path / "note.html").read_text()


@pytest.mark.parametrize(
    ("name", "code"), [("note.pdf", "report.format"), ("missing/note.html", "output.folder"), ("-", "usage")]
)
def test_a_note_that_cannot_be_written_is_refused_before_the_work(guard_cli, signed, name, code):
    ran = guard_cli("verify", signed[".png"], "--report", name, "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["errors"][0]["code"], told["verdicts"]) == (2, code, [])


def test_a_file_without_credentials_has_a_note_too(guard_cli, tmp_path):
    Image.new("RGB", (300, 300), "gray").save(tmp_path / "plain.png")
    assert guard_cli("verify", "plain.png", "--report", "note.html").code == 3
    text = read(tmp_path / "note.html").text
    assert "NO_CREDENTIALS" in text
    assert "every signer is unknown here" in text


def test_exhibits_of_one_name_are_told_apart(guard_cli, signed, tmp_path):
    """Else the command in the note would name one file twice, and the other not at all."""
    for folder in ("one", "two"):
        (tmp_path / "case" / folder).mkdir(parents=True)
        Image.new("RGB", (64, 64), "red").save(tmp_path / "case" / folder / "p.png")
    (tmp_path / "case" / "two" / "p.png").write_bytes(signed[".png"].read_bytes())
    guard_cli("verify", "case/one/p.png", "case/two/p.png", "--report", "note.html")
    text = read(tmp_path / "note.html").text
    assert "sha256sum one/p.png two/p.png" in text
    assert "Exhibit 2: two/p.png" in text
    assert tmp_path.name not in text
