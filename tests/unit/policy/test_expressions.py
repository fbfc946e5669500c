"""The policy language: what it accepts, what it says about the rest, and how it treats missing facts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from guard.policy.expr import BUDGET, ERROR, UNKNOWN, OverBudget, evaluate, expression
from guard.policy.source import PackError, Source
from guard.policy.types import BOOL, LIST, NUM, STR, Type

NAMES = {
    "a": BOOL, "b": BOOL, "m.psnr": NUM, "m.id": STR, "m.flags": LIST,
    "m.level": Type(kind="enum", path="m.level", values=("low", "high")),
    "m.other": Type(kind="enum", path="m.other", values=("low", "high")),
    "m.note": replace(STR, path="m.note", optional=True),
}  # fmt: skip


def run(text: str, **values: object) -> object:
    return evaluate(
        expression(Source(name="x", text=text), NAMES), {k.replace("_", "."): v for k, v in values.items()}
    )


def refuse(text: str, *, has_allowed: bool = True) -> PackError:
    with pytest.raises(PackError) as caught:
        expression(Source(name="x", text=text), NAMES, has_allowed=has_allowed)
    return caught.value


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("a", {"a": True}, True),
        ("!a", {"a": True}, False),
        ("a && b || !a", {"a": False, "b": True}, True),
        ("a || b && !b", {"a": False, "b": True}, False),
        ("m.psnr >= 40.0", {"m_psnr": 40}, True),
        ("m.psnr < -1.5e-3", {"m_psnr": -2.0}, True),
        ("m.psnr == 40", {"m_psnr": 40.0}, True),
        ("m.id == 'x y'", {"m_id": "x y"}, True),
        ('m.id != "x"', {"m_id": "y"}, True),
        ("m.level == 'high'", {"m_level": "high"}, True),
        ("m.level in ['low', 'high']", {"m_level": "high"}, True),
        ("m.level == m.other", {"m_level": "low", "m_other": "low"}, True),
        ("'x' in m.flags", {"m_flags": ("x", "y")}, True),
        ("m.id in m.flags", {"m_id": "z", "m_flags": ("x", "y")}, False),
        ("size(m.flags) == 0", {"m_flags": ()}, True),
        ("m.flags.all(f, f != 'x')", {"m_flags": ("y", "x")}, False),
        ("m.flags.all(f, f != 'x')", {"m_flags": ()}, True),
        ("m.flags.exists(f, m.flags.all(g, g == f))", {"m_flags": ("x", "x")}, True),
        ("has(m.note) && m.note == 'x'", {"m_note": "x"}, True),
        ("has(m.note)", {}, False),
        ("(a) == (m.psnr > 3)", {"a": True, "m_psnr": 4}, True),
        ("(m.psnr > 3) == a", {"a": True, "m_psnr": 4}, True),
        ("  a\n  &&\n  b  ", {"a": True, "b": True}, True),
    ],
)
def test_means_what_it_says(text: str, values: dict[str, object], result: object) -> None:
    assert run(text, **values) is result


THREE = (True, False, UNKNOWN, ERROR)


@pytest.mark.parametrize(("left", "right"), list(itertools.product(THREE, THREE)))
def test_truth_tables(left: object, right: object) -> None:
    """A side that decides, decides; otherwise a gap stays a gap, an error before an unknown."""
    gap = ERROR if ERROR in (left, right) else UNKNOWN
    both = False if False in (left, right) else True if (left, right) == (True, True) else gap
    either = True if True in (left, right) else False if (left, right) == (False, False) else gap
    assert run("a && b", a=left, b=right) is both
    assert run("a || b", a=left, b=right) is either
    assert run("!(a && b)", a=left, b=right) is run("!a || !b", a=left, b=right)


@pytest.mark.parametrize("gap", [UNKNOWN, ERROR])
@pytest.mark.parametrize(
    "text",
    ["!a", "m.psnr > 3",
     "m.psnr == m.psnr", "m.psnr != m.psnr", "m.id == 'x'", "m.id != 'x'", "m.level in ['low']",
     "'x' in m.flags", "size(m.flags) == 0", "m.flags.all(f, f == f)", "m.flags.exists(f, f == 'x')"],
)  # fmt: skip
def test_a_gap_is_equal_to_nothing_and_different_from_nothing(text: str, gap: object) -> None:
    values = dict.fromkeys(("a", "m_psnr", "m_id", "m_level", "m_flags"), gap)
    assert run(text, **values) is gap


@pytest.mark.parametrize(
    ("text", "code", "position", "words"),
    [
        ("m.psrn > 3", "policy.unknown-name", (1, 1), "unknown fact 'm.psrn'"),
        ("a &&\n  q", "policy.unknown-name", (2, 3), "unknown fact 'q'"),
        ("params.limit > 3", "policy.unknown-name", (1, 1), "unknown parameter 'limit'"),
        ("m.psnr", "policy.type", (1, 1), "needs bool, not num"),
        ("a > b", "policy.type", (1, 3), "cannot order bool > bool"),
        ("m.id == 3", "policy.type", (1, 6), "cannot compare str == num"),
        ("m.level == 'hihg'", "policy.type", (1, 12), "m.level is never 'hihg'"),
        ("m.level in ['low', 'hihg']", "policy.type", (1, 12), "m.level is never 'hihg'"),
        ("m.level == m.id", "policy.type", (1, 12), "cannot compare enum with str"),
        ("a in m.flags", "policy.type", (1, 1), "bool is never in a list"),
        ("m.id in m.id", "policy.type", (1, 9), "needs a list on the right"),
        ("size(a) == 1", "policy.type", (1, 6), "size() needs"),
        ("m.id.all(x, a)", "policy.type", (1, 1), "all() needs a list"),
        ("m.flags.all(a, a == 'x')", "policy.type", (1, 12), "hides a fact"),
        ("m.flags.all(x, x)", "policy.type", (1, 16), "needs bool, not str"),
        ("m.flags.any(x, a)", "policy.syntax", (1, 1), "unknown function 'any'"),
        ("a && (", "policy.syntax", (1, 7), "unexpected 'the end of"),
        ("a && b)", "policy.syntax", (1, 7), "unexpected ')'"),
        ("a = b", "policy.syntax", (1, 3), "unexpected character '='"),
        ("a == b == a", "policy.syntax", (1, 8), "comparisons do not chain"),
        ("m.id == 'x", "policy.syntax", (1, 9), "unexpected character"),
        ("m.id == 'x\\'", "policy.syntax", (1, 9), "unexpected character"),
        ("m. == 3", "policy.syntax", (1, 4), "expected a name after '.'"),
        ("m.level in ['low', 3]", "policy.syntax", (1, 20), "texts in quotes"),
        ("has('x')", "policy.syntax", (1, 5), "expected the name of a fact"),
        ("", "policy.syntax", (1, 1), "unexpected 'the end of"),
        ("has(a)", "policy.type", (1, 1), "has() is for optional facts"),
        ("!has(m.note)", "policy.type", (1, 2), "not allowed"),
        ("has(m.note) == false", "policy.type", (1, 1), "not allowed"),
        ("!(a || has(m.note))", "policy.type", (1, 8), "not allowed"),
    ],
)
def test_says_what_is_wrong_and_where(text: str, code: str, position: tuple[int, int], words: str) -> None:
    error = refuse(text)
    assert (error.code, (error.line, error.column)) == (code, position)
    assert words in error.what
    assert error.excerpt.split("\n")[1].index("^") - len("  | ") + 1 == position[1]


def test_suggests_the_nearest_name() -> None:
    assert refuse("m.psrn > 3").hint == "did you mean 'm.psnr'?"
    assert refuse("m.level == 'hihg'").hint == "did you mean 'high'?"


def test_has_is_no_part_of_applicability() -> None:
    assert refuse("has(m.note)", has_allowed=False).code == "policy.type"


@pytest.mark.parametrize(
    "text", ["(" * 5_000, "!" * 3_000 + "a", "(" * 40 + "a" + ")" * 40, "a && " * 2_000 + "a"]
)
def test_hostile_nesting_and_length_are_refused(text: str) -> None:
    assert refuse(text).code == "policy.syntax"


def test_a_quantifier_over_budget_stops() -> None:
    nested = expression(
        Source(name="x", text="m.flags.all(f, m.flags.all(g, m.flags.all(h, h == h)))"), NAMES
    )
    assert evaluate(nested, {"m.flags": ("x",) * 10}) is True
    with pytest.raises(OverBudget):
        evaluate(nested, {"m.flags": ("x",) * 64}, budget=BUDGET)


def test_parameters_are_filled_in() -> None:
    wanted = expression(Source(name="x", text="m.psnr >= params.floor"), NAMES, params={"floor": 40.0})
    assert wanted.reads == ("m.psnr",)
    assert evaluate(wanted, {"m.psnr": 41}) is True
