"""A passphrase comes from a variable, a file or a descriptor; what holds none is an error."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.cli._passphrase import existing_passphrase, new_passphrase, passphrase_set
from provenance.errors import ConfigurationError, InputError


@pytest.fixture
def source(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lambda text: monkeypatch.setenv("GUARD_PASSPHRASE_FROM", text)


@pytest.mark.parametrize("line", ["correct horse", "correct horse\n", "correct horse\r\nmore\n"])
def test_the_first_line_of_a_file(source, tmp_path, line):
    (tmp_path / "secret").write_bytes(line.encode())
    source("file:secret")
    assert existing_passphrase() == new_passphrase() == b"correct horse"


def test_a_descriptor_is_read_once_and_remembered(source):
    read, write = os.pipe()
    os.write(write, b"correct horse\n")
    os.close(write)
    source(f"fd:{read}")
    assert passphrase_set() == b"correct horse"
    os.close(read)
    assert passphrase_set() == b"correct horse"


def test_the_named_source_goes_before_the_usual_variable(source, monkeypatch):
    monkeypatch.setenv("GUARD_PASSPHRASE", "usual horse")
    assert passphrase_set() == b"usual horse"
    monkeypatch.setenv("MINE", "correct horse")
    source("env:MINE")
    assert passphrase_set() == b"correct horse"
    source("prompt")
    assert passphrase_set() is None


def test_a_short_one_makes_no_key(source, monkeypatch):
    monkeypatch.setenv("MINE", "short")
    source("env:MINE")
    with pytest.raises(InputError) as caught:
        new_passphrase()
    assert caught.value.code == "passphrase.short"


@pytest.mark.parametrize(
    "said",
    [
        *("env:NOT_SET_ANYWHERE", "file:nowhere", "file:.", "file:empty", "file:", "env:", "fd:"),
        *("fd:99999", "fd:-1", "fd:999999999999999999999", "fd:x", "pass:word", "word"),
    ],
)
def test_what_holds_no_passphrase_is_an_error(source, tmp_path, said):
    (tmp_path / "empty").write_text("\n")
    source(said)
    with pytest.raises(InputError) as caught:
        passphrase_set()
    assert caught.value.code == "passphrase.source"


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=6))
def test_whatever_is_said_is_not_repeated(said):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GUARD_PASSPHRASE_FROM", f"{said}?no source")
        with pytest.raises((InputError, ConfigurationError)) as caught:
            existing_passphrase()
    assert said not in f"{caught.value.what} {caught.value.where} {caught.value.hint}"
