"""Packs: YAML 1.2 with positions, a strict shape, and a base pack that stays what it is."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from guard.policy import pack as packs
from guard.policy.decide import decide
from guard.policy.facts import Facts
from guard.policy.fixtures import SUBJECT
from guard.policy.pack import base_pack, find_pack, find_rule, load_pack, load_packs, pack_names
from guard.policy.rule import Action, Stage
from guard.policy.source import PackError, Source
from guard.policy.yaml12 import load
from provenance.errors import ConfigurationError, InputError, IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = "apiVersion: guard.policy/v1\nkind: PolicyPack\nmetadata: {name: mine, version: 1}\nspec:\n"
RULE = """  rules:
    - id: mine.one
      stage: verify
      require: log.recorded
      on_fail: deny
      message: {en: Must be logged}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refuse(tmp_path: Path, text: str) -> PackError:
    with pytest.raises(PackError) as caught:
        load_pack(write(tmp_path, text))
    return caught.value


def test_reads_a_pack(tmp_path: Path) -> None:
    pack = load_pack(write(tmp_path, HEAD + RULE))
    rule = pack.rules[0]
    assert (pack.name, pack.version, rule.id, rule.stages) == ("mine", "1", "mine.one", (Stage.VERIFY,))
    assert rule.require.text == "log.recorded"
    assert rule.where == "mine.yaml:6:7"
    assert "Must be logged." in rule.explanation()


def test_comments_and_layout_do_not_change_the_digest(tmp_path: Path) -> None:
    first = load_pack(write(tmp_path, HEAD + RULE)).digest
    assert load_pack(write(tmp_path, "# a comment\n" + HEAD + RULE + "\n\n")).digest == first
    assert load_pack(write(tmp_path, (HEAD + RULE).replace("\n", "\r\n"))).digest == first
    assert load_pack(write(tmp_path, (HEAD + RULE).replace("deny", "warn"))).digest != first


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", "no"), ("on", "on"), ("2026-08-02", "2026-08-02"), ("1e-6", 1e-6), ("0x10", "0x10"), ("010", 10),
     ("true", True), ("null", None), ("~", None), (".5", 0.5), ("1_000", "1_000"), ("12:30:00", "12:30:00"),
     ("'3'", "3"), ('"true"', "true"), ("9" * 5_000, "9" * 5_000)],
)  # fmt: skip
def test_scalars_are_those_of_yaml_12(text: str, value: object) -> None:
    assert load(Source(name="x", text=f"key: {text}")).plain() == {"key": value}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 3, "duplicate key 'a'"),
        ("a: &x [1]\nb: *x", 1, "anchors"),
        ("a: &x 1", 1, "anchors"),
        ("a: !!python/object/apply:os.system ['true']", 1, "tags"),
        ("a: !tag 1", 1, "tags"),
        ("a: [1, 2", 1, "not YAML"),
        ("a: {<<: {b: 1}}", 1, "keys are plain words"),
        ("[" * 20 + "]" * 20, 1, "nested too deeply"),
        ("[" * 20_000, 1, "not YAML"),
        ("", 1, "empty"),
        ("a: \x07", 1, "not YAML"),
        ("--- a\n--- b", 2, "not YAML"),
    ],
)
def test_hostile_yaml_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(PackError) as caught:
        load(Source(name="x", text=text)).table("a", "b")
    assert caught.value.code in ("policy.yaml", "policy.schema")
    assert words in caught.value.what
    assert line == 1 or caught.value.line >= line - 1


@pytest.mark.parametrize(
    ("change", "code", "words", "at"),
    [
        (("stage: verify", "stage: publsih"), "policy.schema", "unknown word 'publsih'", (7, 14)),
        (("on_fail: deny", "on_fail: block"), "policy.schema", "unknown word 'block'", (9, 16)),
        (("on_fail:", "onfail:"), "policy.schema", "unknown key 'onfail'", (9, 15)),
        (("log.recorded", "log.recordet"), "policy.unknown-name", "unknown fact", (8, 16)),
        (
            ("log.recorded", ">\n        log.recorded &&\n        log.recordet"),
            "policy.unknown-name",
            "fact",
            (10, 9),
        ),
        (
            ("log.recorded", "|\n        log.recorded ==\n          'x'"),
            "policy.type",
            "cannot compare",
            (9, 22),
        ),
        (("log.recorded", "'log.recordet'"), "policy.unknown-name", "unknown fact", (8, 17)),
        (("log.recorded", '"log.recorded == \\x74rue"'), "policy.schema", "without YAML escapes", (8, 16)),
        (("id: mine.one", "id: Mine"), "policy.schema", "is not a name", (6, 11)),
        (("{en: Must be logged}", "{zh: 必须}"), "policy.schema", "English sentence", (10, 16)),
        (("log.recorded", "[a]"), "policy.schema", "expected an expression", (8, 16)),
        (
            ("stage: verify", "stage: verify\n      source: nowhere"),
            "policy.schema",
            "unknown word 'nowhere'",
            (8, 15),
        ),
        (("stage: verify", "stage: verify\n      hard: yes"), "policy.schema", "true or false", (8, 13)),
        (("on_fail: deny", "on_fail: warn\n      hard: true"), "policy.schema", "a hard rule", (6, 7)),
        (
            ("stage: verify", "stage: verify\n      effective: {from: soon}"),
            "policy.schema",
            "not a day",
            (8, 25),
        ),
        (
            ("stage: verify", "stage: verify\n      oblige: {min_side: true}"),
            "policy.schema",
            "min_side",
            (8, 26),
        ),
    ],
)
def test_says_what_is_wrong_with_a_rule_and_where(
    tmp_path: Path, change: tuple[str, str], code: str, words: str, at: tuple[int, int]
) -> None:
    error = refuse(tmp_path, HEAD + RULE.replace(*change))
    assert (error.code, (error.line, error.column)) == (code, at)
    assert words in error.what
    assert error.where == f"mine.yaml:{at[0]}:{at[1]}"


def test_a_pack_has_rules_of_different_names(tmp_path: Path) -> None:
    assert "duplicate rule" in refuse(tmp_path, HEAD + RULE + RULE.removeprefix("  rules:\n")).what
    assert "at least one rule" in refuse(tmp_path, HEAD + "  rules: []\n").what
    assert "missing key 'rules'" in refuse(tmp_path, HEAD + "  params: {}\n").what


def test_finds_packs_by_name_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "default").write_text("not a pack")
    assert {"base", "default"} <= set(pack_names())
    assert find_pack("default").name == "default"
    assert [pack.name for pack in load_packs("base, default")] == ["base", "default"]
    write(tmp_path, HEAD + RULE)
    assert find_pack("./mine.yaml").name == find_pack("mine.yaml").name == "mine"
    with pytest.raises(InputError) as caught:
        find_pack("defualt")
    assert caught.value.code == "policy.unknown-pack"
    with pytest.raises(InputError) as caught:
        find_pack("missing.yaml")
    assert caught.value.code == "policy.unreadable"
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(InputError) as caught:
        find_pack("latin.yaml")
    assert caught.value.code == "policy.unreadable"


def test_rules_can_be_looked_up_and_read() -> None:
    rule = find_rule("base.no-sexualised-minors")
    assert rule is not None
    text = rule.explanation()
    assert "hard rule" in text
    assert "risk.sexual == 'absent' || risk.minor == 'absent'" in text
    assert "2024/1689" in text
    assert find_rule("base.nothing") is None


@pytest.fixture
def other_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the policies that a test may alter."""
    copy = tmp_path / "policies"
    shutil.copytree(packs.policies(), copy)
    monkeypatch.setattr(packs, "policies", lambda: copy)
    base_pack.cache_clear()
    yield copy
    base_pack.cache_clear()


@pytest.mark.parametrize("rule", sorted(packs.HARD_RULES))
@pytest.mark.parametrize("change", ["hard: true→hard: false", "remove", "on_fail: deny→on_fail: review"])
def test_a_weakened_base_pack_does_not_load(other_policies: Path, rule: str, change: str) -> None:
    path = other_policies / "packs" / "base.yaml"
    before, middle, after = path.read_text(encoding="utf-8").partition(f"    - id: {rule}\n")
    body, separator, rest = after.partition("    - id: ")
    if change == "remove":
        path.write_text(before + separator + rest, encoding="utf-8")
    else:
        path.write_text(
            before + middle + body.replace(*change.split("→")) + separator + rest, encoding="utf-8"
        )
    with pytest.raises(IntegrityError) as caught:
        base_pack()
    assert caught.value.code == "policy.base-altered"


def test_without_a_base_pack_nothing_is_decided(other_policies: Path) -> None:
    (other_policies / "packs" / "base.yaml").unlink()
    with pytest.raises(ConfigurationError) as caught:
        base_pack()
    assert caught.value.code == "policy.no-base"


def verify(*chosen: object, day: date = date(2026, 11, 22)) -> Action:
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return decide(chosen, Stage.VERIFY, Facts(), now=now, subject=SUBJECT).action  # type: ignore[arg-type]


def test_rules_count_between_their_days(tmp_path: Path) -> None:
    dated = RULE.replace(
        "stage: verify", "stage: verify\n      effective: {from: 2026-08-02, until: 2026-12-01}"
    )
    always = RULE.removeprefix("  rules:\n").replace("mine.one", "mine.two").replace("log.recorded", "'true'")
    pack = load_pack(write(tmp_path, HEAD + dated + always))
    days = (date(2026, 8, 1), date(2026, 8, 2), date(2026, 12, 1), date(2026, 12, 2))
    assert [verify(pack, day=day) for day in days] == ["allow", "deny", "deny", "allow"]


def test_silence_is_not_permission(tmp_path: Path) -> None:
    """No pack, no rule at the stage, no rule that applies: denied, unless the pack says otherwise."""
    assert verify() == "deny"
    assert verify(find_pack("default")) == "deny"
    elsewhere = RULE.replace("stage: verify", "stage: plan")
    assert verify(load_pack(write(tmp_path, HEAD + elsewhere))) == "deny"
    true = RULE.replace("log.recorded", "'true'")
    speaking = load_pack(write(tmp_path, HEAD + true))
    assert verify(speaking) == "allow"
    never = true.replace("      require", "      applies: 'false'\n      require")
    assert verify(load_pack(write(tmp_path, HEAD + never))) == "deny"
    silent = load_pack(write(tmp_path, HEAD.replace("mine", "quiet") + elsewhere.replace("mine.", "quiet.")))
    assert verify(speaking, silent) == "deny"
    for said, action in (("allow", "allow"), ("review", "review"), ("deny", "deny")):
        head = HEAD.replace("mine", "quiet") + f"  default: {{verify: {said}}}\n"
        silent = load_pack(write(tmp_path, head + elsewhere.replace("mine.", "quiet.")))
        assert verify(speaking, silent) == action


def test_packs_that_clash_are_refused(tmp_path: Path) -> None:
    mine = load_pack(write(tmp_path, HEAD + RULE))
    other = load_pack(write(tmp_path, HEAD.replace("mine", "other") + RULE))
    false_base = load_pack(write(tmp_path, HEAD.replace("mine", "base") + RULE))
    with pytest.raises(ConfigurationError) as caught:
        verify(mine, other)
    assert caught.value.code == "policy.duplicate-rule"
    with pytest.raises(ConfigurationError) as caught:
        verify(false_base)
    assert caught.value.code == "policy.base-replaced"
