"""The settings file: every mistake in it is named, and none is guessed away."""

from __future__ import annotations

import pytest

from guard.config import Config, SignerConfig, TimestampConfig, read_config
from provenance.errors import ConfigurationError


@pytest.fixture
def read(tmp_path):
    def settings(text: str) -> Config:
        (tmp_path / "config.toml").write_text(text)
        return read_config(tmp_path / "config.toml")

    return settings


def test_what_is_left_out_is_as_usual(read):
    assert read("") == Config()
    assert Config().signer.kind == "file"
    assert Config().timestamp.stamper() is None


def test_a_token_a_program_and_authorities_are_read(read):
    found = read(
        '[signer]\nkind = "pkcs11"\nmodule = "/x.so"\ntoken = "t"\nkey = "id:01"\n'
        '[timestamp]\nauthorities = ["http://a.example/", "https://b.example/"]\npolicy = "required"\n'
    )
    assert found.signer == SignerConfig(kind="pkcs11", module="/x.so", token="t", key="id:01")
    stamper = found.timestamp.stamper()
    assert (stamper.authorities, stamper.policy) == (("http://a.example/", "https://b.example/"), "required")
    found = read('[signer]\nkind = "command"\ncommand = ["a", "b"]\ntimeout_s = 5\n')
    assert (found.signer.command, found.signer.timeout_s) == (("a", "b"), 5)
    assert TimestampConfig(authorities=("http://a.example/",), policy="none").stamper() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("polcy = 'x'", "'polcy' is no setting"),
        ("policy = 3", "policy is a text"),
        ("schema_version = 2", "schema_version 2"),
        ("signer = 'x'", "signer is a table"),
        ("[signer]\nkind = 'usb'", "kind is one of"),
        ("[signer]\nkind = 'pkcs11'\nmodule = '/x'\ntoken = 't'", "needs key"),
        ("[signer]\nkind = 'command'", "needs command"),
        ("[signer]\ncommand = 'program with arguments'", "command is a list of texts"),
        ("[signer]\npin = '123456'", "'pin' is no setting"),
        ("[signer]\nkind = 'command'\ncommand = ['x']\ntimeout_s = 0", "between 0 and 600"),
        ("[timestamp]\npolicy = 'always'", "policy is one of"),
        ("[timestamp]\npolicy = 'required'", "needs authorities"),
        ("[timestamp]\nauthorities = 'http://x/'", "authorities is a list"),
        ("[timestamp]\nauthority = 'http://x/'", "'authority' is no setting"),
        ("[[timestamp]]", "timestamp is a table"),
        ("[energy]\nwatts_per_core = 0", "watts_per_core is between"),
        ("[energy]\ngrams_per_kwh = -1", "grams_per_kwh is between"),
        ("[energy]\ngrams_per_kwh = 20.0", "needs source"),
    ],
)
def test_every_mistake_is_named(read, text, said):
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert caught.value.code == "config.invalid"
    assert said in caught.value.what
    assert "123456" not in caught.value.what


def test_an_address_that_is_none_is_found_out_before_anything_is_signed(read):
    found = read("[timestamp]\nauthorities = ['ftp://x/']")
    with pytest.raises(ConfigurationError) as caught:
        found.timestamp.stamper()
    assert caught.value.code == "timestamp.bad-authority"
