"""What words of a command line mean: names, patterns, folders, lists; nothing is left out silently."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from guard.inputs import STDIN, named_files
from provenance.errors import InputError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """a.png, sub/b.jpg (its name lies), sub/b.c2pa, sub/deep/c.webp, notes.txt, empty.png, loose.c2pa."""
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    picture = Image.new("RGB", (8, 8))
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "sub" / "b.jpg", "PNG")
    picture.save(tmp_path / "sub" / "deep" / "c.webp")
    (tmp_path / "sub" / "b.c2pa").write_bytes(b"manifest")
    (tmp_path / "loose.c2pa").write_bytes(b"manifest")
    (tmp_path / "notes.txt").write_text("no media")
    (tmp_path / "empty.png").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def taken(words, **how) -> list[str]:
    return [str(one.path) for one in named_files(words, **how) if one.problem is None and one.skipped is None]


def problem(words, **how) -> str:
    (one,) = named_files(words, **how)
    assert isinstance(one.problem, InputError)
    return one.problem.code


def test_a_folder_gives_its_media_by_content_or_name_and_counts_the_rest(tree):
    (tree / "sub" / "photo").write_bytes((tree / "a.png").read_bytes())
    (tree / "sub" / "._b.jpg").write_bytes(b"\0\5\x16\7 what macOS keeps")
    (tree / "gone.jpeg").symlink_to("nowhere")
    (tree / "gone.txt").symlink_to("nowhere")
    media = ["a.png", "empty.png", "gone.jpeg", "loose.c2pa", "sub/b.jpg", "sub/photo", "sub/deep/c.webp"]
    assert taken(["."], recursive=True) == media
    left = {str(one.path): one.skipped for one in named_files(["."], recursive=True) if one.skipped}
    other = dict.fromkeys(("notes.txt", "sub/._b.jpg"), "no media known here")
    assert left == other | {"gone.txt": "no regular file"}


@pytest.mark.parametrize("name", ["x.JPG", "x.tif", "x.heif", "x.svgz", "x.mp4", "x.webm", "x.pdf", "x.c2pa"])
def test_what_is_named_as_media_is_looked_at_whatever_became_of_its_bytes(tree, name):
    (tree / "bare").mkdir()
    (tree / "bare" / name).write_bytes(b"none of these")
    assert taken(["bare"], recursive=True) == [f"bare/{name}"]


def test_what_holds_a_manifest_is_never_passed_over(tree):
    (tree / "bare").mkdir()
    box = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
    (tree / "bare" / "notes.bin").write_bytes(b"\0" * 2**20 + box + b"more")
    assert problem(["bare"], recursive=True) == "input.not-media"


def test_a_folder_is_an_error_unless_asked_for(tree):
    assert problem(["sub"]) == "input.folder"


def test_a_folder_without_media_is_an_error(tree):
    (tree / "bare").mkdir()
    assert problem(["bare"], recursive=True) == "input.no-match"


def test_patterns_that_the_shell_left_are_expanded(tree):
    assert taken(["*.png"]) == ["a.png", "empty.png"]
    assert taken(["sub/**/*.webp"]) == ["sub/deep/c.webp"]
    assert problem(["*.tiff"]) == "input.no-match"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tree):
    (tree / "a.png").rename(tree / "a[1].png")
    assert taken(["a[1].png"]) == ["a[1].png"]


@pytest.mark.parametrize("separator", [b"\n", b"\0", b"\r\n"])
def test_lists_name_files_as_they_are(tree, separator):
    odd = os.fsdecode(b"\xffodd *.png")
    (tree / "names").write_bytes(separator.join((b"a.png", b"", os.fsencode(odd), b"@names", b"sub")))
    assert [str(one.path) for one in named_files(["@names"])] == ["a.png", odd, "@names", "sub"]


def test_a_list_that_is_missing_is_one_error(tree):
    assert problem(["@nothing"]) == "input.missing"


def test_dash_is_standard_input_and_a_file_of_that_name_is_not(tree):
    stream, file = named_files(["-", "./-"])
    assert (stream.path, stream.stdin) == (STDIN, True)
    assert (str(file.path), file.stdin) == ("-", False)
    assert taken(["./@names"]) == ["@names"]


def test_a_file_named_twice_is_judged_once(tree):
    assert taken(["a.png", "*.png", "a.png"]) == ["a.png", "empty.png"]


def test_links_to_folders_are_not_followed(tree):
    (tree / "sub" / "loop").symlink_to(tree, target_is_directory=True)
    assert taken(["sub"], recursive=True) == ["sub/b.jpg", "sub/deep/c.webp"]


def test_what_cannot_be_opened_is_neither_skipped_nor_called_media(tree, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("provenance.files.open_file", refuse)
    assert "notes.txt" in taken(["."], recursive=True)


@given(st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_any_word_gives_a_file_or_an_error_and_never_raises(words):
    for one in named_files([word for word in words if word not in ("-", "@-")]):
        assert one.problem is None or isinstance(one.problem, InputError)
