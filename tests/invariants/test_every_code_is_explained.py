"""``guard explain`` knows every code that an error can carry, and no code that none does."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

import guard
from guard.codes import CODES

ROOT = Path(guard.__file__).parent.parent
ERRORS = {"Error", "InputError", "ConfigurationError", "IntegrityError"}
CODE = re.compile(r"[a-z0-9]+\.[a-z0-9]+(-[a-z0-9]+)*")
NOT_CODES = re.compile(r".*\.(c2pa|json|pem|safetensors|sock|sqlite|svg|toml)")
"""File names that look like codes."""
RULES = "provenance/manifest/profile"
"""Rules of the certificate profile are named and explained by ``guard keys lint`` itself."""
STATUSES = {"manifest.inaccessible"}
"""Validation statuses of C2PA that look like codes."""
SHORTEST = 60
"""Characters: less says no more than the error's own line."""


@pytest.fixture(scope="module")
def literals() -> dict[str, set[str]]:
    """Every string in the code that has the form of a code, and the files it stands in."""
    found = defaultdict(set)
    for package in ("guard", "audits", "generators", "provenance"):
        for path in (ROOT / package).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name.startswith("guard/codes/"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    if CODE.fullmatch(node.value):
                        found[node.value].add(name)
                elif isinstance(node, ast.Call):
                    called = getattr(node.func, "id", getattr(node.func, "attr", None))
                    if called in ERRORS and node.args and isinstance(node.args[0], ast.Constant):
                        found[node.args[0].value].add(f"raised in {name}")
    return found


SUBJECTS = {code.partition(".")[0] for code in CODES}


def test_every_code_that_is_raised_has_its_paragraph(literals):
    raised = {code for code, where in literals.items() if any(one.startswith("raised") for one in where)}
    assert len(raised) > 150
    assert raised - CODES.keys() == set()


def test_codes_that_reach_an_error_by_a_name_have_theirs_too(literals):
    """A table or an argument between the code and its error: told by the subject before the dot."""
    looks_like_one = {
        code
        for code, where in literals.items()
        if code.partition(".")[0] in SUBJECTS
        and not NOT_CODES.fullmatch(code)
        and not all(one.startswith(RULES) for one in where)
    }
    assert looks_like_one - CODES.keys() == STATUSES


def test_no_paragraph_is_thin_or_about_nothing(literals):
    assert {code for code, text in CODES.items() if len(text) < SHORTEST or not text.endswith(".")} == set()
    elsewhere = {"policy.denied", "policy.review"}  # made of a decision's action
    assert CODES.keys() - literals.keys() - elsewhere == set()
