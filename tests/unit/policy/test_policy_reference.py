"""The reference page, the JSON schemas and the code say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

from guard.policy.expr import BUDGET, expression
from guard.policy.facts import schema
from guard.policy.obligations import MarkDuty
from guard.policy.pack import find_pack, load_pack, pack_names, policies
from guard.policy.reading import NAME, RULE_ID, vocabulary
from guard.policy.rule import Action, Effect, Stage
from guard.policy.source import Source
from guard.policy.syntax import MAX_DEPTH, MAX_LENGTH
from guard.policy.yaml12 import load
from guard.prompt.lexicon import RISKS

PAGE = (policies().parent / "docs" / "reference" / "policy-language.md").read_text(encoding="utf-8")
PACK = json.loads((policies() / "schema" / "pack.schema.json").read_text(encoding="utf-8"))
TERMS = json.loads((policies() / "schema" / "terms.schema.json").read_text(encoding="utf-8"))


def test_the_page_lists_every_fact() -> None:
    rows = [
        f"| `{name}` | {kind} | {kind.note}{' *(optional)*' if kind.optional else ''} |"
        for name, kind in schema().items()
    ]
    assert PAGE.rstrip().endswith("\n".join(rows))


def test_the_page_states_the_limits() -> None:
    assert f"{MAX_LENGTH:,} characters and {MAX_DEPTH} levels" in PAGE
    assert f"{BUDGET:,} steps" in PAGE


def test_the_page_shows_a_rule_that_exists_and_a_pack_that_loads(tmp_path: Path) -> None:
    first, _grammar, whole = re.findall(r"```(?:yaml)?\n(.*?)```", PAGE, re.DOTALL)
    rule = find_pack("default").rule("default.large-enough")
    assert rule is not None
    require = load(Source(name="page", text=first)).items()[0].value["require"].value
    assert (
        expression(Source(name="page", text=require), vocabulary(), params={"min_side": 256}).text
        == rule.require.text
    )
    path = tmp_path / "mypack.yaml"
    path.write_text(whole.replace(": …", ": log.recorded"), encoding="utf-8")
    assert load_pack(path).rules[0].id == "mypack.topic"


def test_the_schema_knows_the_same_words() -> None:
    rule, spec = PACK["$defs"]["rule"]["properties"], PACK["properties"]["spec"]["properties"]
    assert PACK["$defs"]["stage"]["enum"] == [stage.value for stage in Stage]
    assert rule["on_fail"]["enum"] == [effect.value for effect in Effect]
    assert spec["default"]["additionalProperties"]["enum"] == [action.value for action in Action]
    assert rule["oblige"]["properties"]["watermark"]["enum"] == [duty.value for duty in MarkDuty]
    assert rule["id"]["pattern"].replace("(?:", "(") == f"^{RULE_ID.pattern}$".replace("(?:", "(")
    assert PACK["properties"]["metadata"]["properties"]["name"]["pattern"] == f"^{NAME.pattern}$"
    assert TERMS["$defs"]["class"]["properties"]["risk"]["enum"] == list(RISKS)


def test_the_schema_allows_the_keys_that_the_packs_use() -> None:
    for name in pack_names():
        path = policies() / "packs" / f"{name}.yaml"
        spec = load(Source(name=name, text=path.read_text(encoding="utf-8"))).value["spec"].value
        assert spec.keys() <= PACK["properties"]["spec"]["properties"].keys()
        for rule in spec["rules"].items():
            assert rule.value.keys() <= PACK["$defs"]["rule"]["properties"].keys()
            assert rule.value.keys() >= set(PACK["$defs"]["rule"]["required"])
