"""Adapters of a request are values with a folder and a scale; anything else is named, not stumbled over."""

from __future__ import annotations

from pathlib import Path

import pytest

import guard
from generators.request import AdapterRef, GenerationRequest
from provenance.errors import InputError

WRONG = [
    ("x",),
    "x",
    None,
    7,
    AdapterRef(ref="x"),
    [{"ref": "x"}],
    (AdapterRef(ref=Path("x")),),
    (AdapterRef(ref="x", scale="1"),),
    (AdapterRef(ref="x", scale=True),),
]


@pytest.mark.parametrize("adapters", WRONG, ids=repr)
def test_what_is_no_adapter_is_refused(adapters):
    with pytest.raises(InputError) as caught:
        GenerationRequest(prompt="a judge", seeds=(1,), adapters=adapters)
    assert (caught.value.code, caught.value.where) == ("request.argument", "adapters")


def test_a_wrapped_model_says_what_to_pass(home, tmp_path):
    with pytest.raises(InputError) as caught:
        guard.wrap(lambda prompt: None).generate("a judge", output=tmp_path / "out", adapters=("x",))
    assert caught.value.code == "request.argument"
    assert "AdapterRef(ref=" in str(caught.value.hint)
    assert not (tmp_path / "out").exists()


def test_adapters_in_a_tuple_or_list_are_taken():
    one = AdapterRef(ref="x", scale=1)
    for adapters in ((one,), [one], ()):
        assert GenerationRequest(prompt="", seeds=(1,), adapters=adapters).adapters == adapters
