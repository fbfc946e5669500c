import json

import pytest

from provenance.errors import IntegrityError
from provenance.log.leaves import (
    ALLOW,
    DENY,
    DecisionLeaf,
    ManifestLeaf,
    WithdrawalLeaf,
    allowed_at,
    decisions_for,
    leaves,
    parse_leaf,
    unreleased,
)

A, B, C, D = (letter * 64 for letter in "abcd")


def manifest(digest=A, commitment=B):
    return ManifestLeaf(manifest_sha256=digest, content_commitment=commitment, time=1_780_000_000)


def decision(action=ALLOW, manifest_sha256=A, subject=C):
    return DecisionLeaf(
        action=action,
        decision_commitment=D,
        subject_sha256=subject,
        manifest_sha256=manifest_sha256,
        time=1_780_000_000,
    )


def withdrawal(digest=A):
    return WithdrawalLeaf(manifest_sha256=digest, reason_commitment=D, time=1_780_000_000)


def test_leaves_are_canonical_json_and_come_back():
    for leaf in (manifest(), decision(), decision(action=DENY, manifest_sha256=None), withdrawal()):
        assert parse_leaf(leaf.to_bytes()) == leaf
    assert manifest().to_bytes() == (
        f'{{"content_commitment":"{B}","manifest_sha256":"{A}","time":1780000000,"type":"manifest","v":1}}'.encode()
    )


def test_leaves_have_no_room_for_words():
    """Digests, one of three actions, a time: nothing a name, prompt or path could be put into."""
    for leaf in (manifest(), decision(), withdrawal()):
        for key, value in json.loads(leaf.to_bytes()).items():
            assert key in ("type", "v", "time", "action") or (len(value) == 64 and int(value, 16))
    for wrong in ("alice", "A" * 64, "a" * 63, "", None, 5):
        with pytest.raises(ValueError, match="not the lower-case hex"):
            manifest(digest=wrong)
    for action in ("maybe", "ALLOW", None):
        with pytest.raises(ValueError, match="no action"):
            decision(action=action)
    for time in (-1, 1.5, True, "now", 10**15):
        with pytest.raises(ValueError, match="not a time"):
            ManifestLeaf(manifest_sha256=A, content_commitment=B, time=time)


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored | {"v": 2},
        lambda stored: stored | {"type": "intent"},
        lambda stored: stored | {"type": ["manifest"]},
        lambda stored: stored | {"prompt": "a doctor"},
        lambda stored: stored | {"manifest_sha256": "alice"},
        lambda stored: {key: value for key, value in stored.items() if key != "time"},
        lambda stored: [stored],
        lambda _: None,
    ],
)
def test_strict_parsing(change):
    entry = json.dumps(
        change(json.loads(manifest().to_bytes())), sort_keys=True, separators=(",", ":")
    ).encode()
    with pytest.raises(IntegrityError) as caught:
        parse_leaf(entry)
    assert caught.value.code == "log.leaf-malformed"


@pytest.mark.parametrize(
    "entry", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"v":1}', manifest().to_bytes() + b" "]
)
def test_other_spellings_and_nonsense(entry):
    with pytest.raises(IntegrityError, match="no leaf known here"):
        parse_leaf(entry)


def test_a_repeated_key_is_another_spelling():
    entry = manifest().to_bytes()
    with pytest.raises(IntegrityError, match="canonical"):
        parse_leaf(entry.replace(b'"time":', b'"time":5,"time":'))


def test_look_ups_for_recovery(log):
    log.append([manifest(A).to_bytes()])
    log.append([decision(DENY, A).to_bytes()])
    log.append([manifest(B, A).to_bytes(), decision(ALLOW, B).to_bytes(), manifest(D).to_bytes()])
    assert [index for index, _ in leaves(log)] == [0, 1, 2, 3, 4]
    assert decisions_for(log, A) == log.decisions_for(A) == ((1, decision(DENY, A)),)
    assert decisions_for(log, C) == ()
    assert unreleased(log) == ((0, manifest(A)), (4, manifest(D)))
    assert allowed_at(log, B, C) == 3
    assert allowed_at(log, B, D) is None  # other bytes
    assert allowed_at(log, A, C) is None  # denied
