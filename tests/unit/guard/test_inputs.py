"""What words of a command line mean: names, patterns, folders, lists; nothing is left out silently."""

from __future__ import annotations

import os
from pathlib import Path

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


def test_a_folder_gives_its_media_by_content_and_counts_the_rest(tree):
    assert taken(["."], recursive=True) == ["a.png", "loose.c2pa", "sub/b.jpg", "sub/deep/c.webp"]
    left = {str(one.path): one.skipped for one in named_files(["."], recursive=True) if one.skipped}
    assert left == {"notes.txt": "no media known here", "empty.png": "no bytes in it"}


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
    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "notes.txt" in taken(["."], recursive=True)


@given(st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_any_word_gives_a_file_or_an_error_and_never_raises(words):
    for one in named_files([word for word in words if word not in ("-", "@-")]):
        assert one.problem is None or isinstance(one.problem, InputError)
