"""Erasing a private record: everything that only it held is gone, everything that others check stays."""

from __future__ import annotations

import hashlib
import json

import pytest

from guard.clock import utc_now
from guard.doctor import examine
from guard.records import Progress
from guard.verdict import State
from guard.verify import verify
from provenance.canonical import canonical_bytes, commitment
from provenance.codecs import read_asset
from provenance.log.leaves import DecisionLeaf, ManifestLeaf, parse_leaf


def by_prompt(home, words: str):
    return [path for path in home.records_folder.glob("*.json") if words in path.read_text()]


def test_erasing_leaves_a_valid_tree_and_no_way_back_to_the_prompt(home, generated, guard_cli):
    released = [one.path for one in generated]
    records = [json.loads(path.read_text()) for path in by_prompt(home, "lighthouse")]
    assert len(records) == 2
    before, entries = home.log_as_found().checkpoint(), dict(home.log_as_found().entries())
    ran = guard_cli("records", "erase", released[0], "--yes")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("erased ")
    (left,) = by_prompt(home, "lighthouse")
    assert json.loads(left.read_text())["final_path"] == str(released[1])
    assert home.log_as_found().checkpoint() == before
    assert dict(home.log_as_found().entries()) == entries
    assert guard_cli("log", "verify").code == 0
    assert verify(read_asset(released[0]), trust=home.trust(), at=utc_now()).state is State.DEVELOPMENT
    assert {found.what: found.state for found in examine(home, now=utc_now())}["private records"] == "ok"
    erased = next(one for one in records if one["final_path"] == str(released[0]))
    for path in home.folder.rglob("*"):
        if path.is_file():
            assert bytes.fromhex(erased["commitment_key"]) not in path.read_bytes()
            assert erased["commitment_key"].encode() not in path.read_bytes()
    assert guard_cli("records", "erase", released[0], "--yes").code == 2
    assert guard_cli("log", "prove", released[0]).code == 0


def test_every_commitment_in_the_log_needs_the_key_of_its_record(home, generated):
    """No leaf holds a digest that somebody who guesses the prompt, the id or the decision could compute."""
    log = home.log_as_found()
    leaves = [parse_leaf(entry) for _, entry in log.entries()]
    public = {one.signed.asset.sha256 for one in generated} | {
        one.signed.manifest_sha256 for one in generated
    }
    for one in home.records_folder.glob("*.json"):
        record = json.loads(one.read_text())
        key, decision = bytes.fromhex(record["commitment_key"]), json.loads(record["decision"])
        assert commitment(key, {"content_id": record["content_id"]}) in {
            leaf.content_commitment for leaf in leaves if isinstance(leaf, ManifestLeaf)
        }
        assert commitment(key, decision) in {
            leaf.decision_commitment for leaf in leaves if isinstance(leaf, DecisionLeaf)
        }
        guessable = (decision, {"content_id": record["content_id"]}, record["prompt"], record["recipe"])
        for value in guessable:
            for data in (canonical_bytes(value), str(value).encode()):
                assert all(
                    hashlib.sha256(data).hexdigest().encode() not in entry for _, entry in log.entries()
                )
    for leaf in leaves:
        for digest in (leaf.manifest_sha256, getattr(leaf, "subject_sha256", None)):
            assert digest is None or digest in public


def test_a_record_in_use_or_unknown_is_left(home, generated, guard_cli):
    (path, *_) = by_prompt(home, "lighthouse")
    lock = home.records().lock_path(path.stem)
    lock.touch()
    ran = guard_cli("records", "erase", path.stem, "--yes")
    assert "error[record.in-use]" in ran.err
    lock.unlink()
    for name in ("0" * 32, generated[0].path.with_name("nothing.png")):
        assert guard_cli("records", "erase", path.stem, name, "--yes").code == 2
    assert path.exists(), "one that cannot be erased stops all"
    for stdin in (None, "y\n"):  # a pipe may hold anything: no answer is taken from it
        ran = guard_cli("records", "erase", path.stem, stdin=stdin)
        assert ran.code == 2
        assert "error[answer.needed]: nobody can be asked: erase 1 private record for good?" in ran.err
        assert "use --yes" in ran.err
        assert path.exists()
    assert guard_cli("records", "erase", path.stem, "--yes").code == 0
    assert not path.exists()


@pytest.mark.parametrize("progress", [Progress.DENIED, Progress.ABANDONED])
def test_records_of_what_was_never_released_are_erased_by_id(home, generated, guard_cli, progress):
    (path, *_) = by_prompt(home, "lighthouse")
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, "progress": progress.value, "asset_sha256": None}))
    assert guard_cli("records", "erase", path.stem, "--yes").code == 0


def test_a_damaged_record_is_not_passed_over_in_silence(home, generated, guard_cli):
    (path, *_) = by_prompt(home, "lighthouse")
    path.write_text("{")
    assert "error[record.damaged]" in guard_cli("records", "erase", generated[0].path, "--yes").err
    assert guard_cli("records", "erase", path.stem, "--yes").code == 0
