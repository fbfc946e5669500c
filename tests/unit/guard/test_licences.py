"""What a card says of licences, as a fact that rules can ask for."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.interface import GeneratorInfo
from guard.errors import Denied
from guard.generate import origin_of
from guard.licences import expression
from guard.plan import ask
from guard.policy.fact import SPDX
from guard.policy.pack import load_packs
from guard.policy.rule import Stage
from guard.prompt.review import review

INFO = GeneratorInfo(
    id="bundled:test",
    name="test",
    kind="image",
    width=8,
    height=8,
    licence="Apache-2.0",
    data_licence="MIT (Fluent emoji), Apache-2.0 (Noto emoji)",
    weights_sha256="ab" * 32,
    capabilities=(),
)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Apache-2.0", "Apache-2.0"),
        ("MIT (Fluent emoji), Apache-2.0 (Noto emoji)", "MIT AND Apache-2.0"),
        ("MIT; MIT", "MIT"),
        ("(MIT OR Apache-2.0) AND CC0-1.0", "(MIT OR Apache-2.0) AND CC0-1.0"),
        ("MIT OR Apache-2.0, CC0-1.0", "(MIT OR Apache-2.0) AND CC0-1.0"),
        ("unknown", None),
        ("MIT, unknown", None),
        ("MIT,", None),
        ("", None),
        ("ask «the author»", None),
        ("NOASSERTION", None),
    ],
)
def test_a_card_gives_an_expression_or_none(said, found):
    assert expression(said) == found


@given(st.text(max_size=60))
def test_whatever_a_card_says_fits_a_fact_or_is_unknown(said):
    found = expression(said)
    assert found is None or SPDX.fullmatch(found)


def plan(tools, info):
    return ask(Stage.PLAN, origin_of_model(info), tools, command="generate")


def origin_of_model(info):
    held = type("Held", (), {"info": info})()
    return origin_of(held, review("a judge"))


def test_a_pack_can_require_both_licences(tools):
    strict = dataclasses.replace(tools, packs=load_packs("default,licensed"))
    assert plan(strict, INFO).obligations.c2pa
    for field in ("licence", "data_licence"):
        with pytest.raises(Denied) as caught:
            plan(strict, dataclasses.replace(INFO, **{field: "unknown"}))
        assert field in caught.value.decision.reasons[0].facts[0]
        plan(tools, dataclasses.replace(INFO, **{field: "unknown"}))


def test_weights_that_nobody_saw_are_no_ingredient(tools):
    origin = origin_of_model(dataclasses.replace(INFO, weights_sha256=""))
    assert (origin.weights_digest, origin.software, origin.ingredients) == (None, None, ())
