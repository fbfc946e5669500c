"""A log or registry that was lost, cut, replaced or put back from an older copy is noticed."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import replace

import pytest
from PIL import Image

from guard.agreement import Comparison, compare, require_agreement, require_latest
from guard.clock import utc_now
from guard.codes import CODES
from guard.doctor import examine
from guard.intake import Statement, release_asset
from guard.plan import ask
from guard.policy.rule import Stage
from guard.recovery import OwnBooks, settle
from guard.setup import initialise
from guard.tools import assemble
from provenance.codecs import read_asset
from provenance.errors import Error
from provenance.keys import create_locator_key, load_log_key
from provenance.log.leaves import DecisionLeaf
from provenance.log.store import Log
from provenance.manifest.reading import DigitalSourceType
from provenance.registry import Registry

SAID = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)


def release_again(home, picture, target):
    tools = assemble(home)
    owed = ask(Stage.PLAN, SAID.origin(), tools, command="release").obligations
    return release_asset(read_asset(picture), SAID, tools, plan=owed, command="release", output=target)


def code_of(action, *arguments, **options) -> str:
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    assert caught.value.hint
    assert caught.value.code in CODES
    return caught.value.code


def init(home):
    return initialise(home, now=utc_now(), random=secrets.token_bytes)


def findings(home) -> dict[str, str]:
    return {found.what: f"{found.state} {found.detail}" for found in examine(home, now=utc_now())}


def another_log(home, entries: int = 0) -> None:
    """The log replaced by one that the same key signed."""
    shutil.rmtree(home.log_folder)
    log = Log.create(home.log_folder, load_log_key(home.log_key_path))
    deny = DecisionLeaf(
        action="deny", decision_commitment="0" * 64, subject_sha256="1" * 64, manifest_sha256=None, time=0
    )
    for _ in range(entries):
        log.append([deny.to_bytes()])


def test_after_releases_they_agree(home, signed, guard_cli):
    with home.registry_as_found() as registry:
        assert compare(registry, home.log_as_found()) == Comparison(releases=2, unlogged=0, unregistered=0)
    assert findings(home)["log and registry"] == "ok agree on 2 releases"
    assert guard_cli("log", "verify").code == 0
    assert not any(part.new for part in init(home))


@pytest.mark.parametrize("entries", [0, 9])
def test_a_replaced_log_is_noticed_by_everyone(home, signed, guard_cli, tmp_path, entries):
    another_log(home, entries)
    assert findings(home)["log and registry"].startswith("broken the log does not hold 2 of 2 releases")
    ran = guard_cli("log", "verify")
    assert ran.code == 1
    assert "log.behind-registry" in ran.out
    target = tmp_path / "more.png"
    assert code_of(release_again, home, tmp_path / "picture.png", target) == "log.behind-registry"
    assert not target.exists()


def test_a_log_put_back_from_an_older_copy_is_noticed(home, signed, tmp_path):
    older = tmp_path / "older"
    shutil.copytree(home.log_folder, older)
    release_again(home, tmp_path / "picture.png", tmp_path / "more.png")
    shutil.rmtree(home.log_folder)
    older.rename(home.log_folder)
    with home.registry_as_found() as registry:
        assert compare(registry, home.log()).unlogged == 1
        assert code_of(require_latest, registry, home.log()) == "log.behind-registry"
        assert code_of(require_agreement, registry, home.log()) == "log.behind-registry"


def test_no_empty_log_is_begun_beside_a_filled_registry(home, signed, guard_cli):
    shutil.rmtree(home.log_folder)
    assert code_of(init, home) == "log.behind-registry"
    assert not home.log_folder.exists()
    assert findings(home)["log and registry"].startswith("broken the log does not hold 2 of 2 releases")
    for arguments in (
        ["init"],
        ["log", "verify"],
        ["release", "picture.png", "--source", "generated", "-o", "."],
    ):
        ran = guard_cli(*arguments)
        assert ran.code == 2
        assert "error[log.behind-registry]" in ran.err
        assert "restore log/ and keys/log.pem" in ran.err


def test_no_new_key_is_made_for_a_log_that_is_there(home, signed):
    home.log_key_path.unlink()
    assert code_of(init, home) == "key.missing"
    assert not home.log_key_path.exists()


@pytest.mark.parametrize("emptied", [False, True])
def test_no_empty_registry_is_begun_beside_a_filled_log(home, signed, guard_cli, emptied):
    home.registry_path.unlink()
    if emptied:
        home.registry_path.touch()
    assert code_of(init, home) == "registry.behind-log"
    assert code_of(assemble, home) == "registry.behind-log"
    assert findings(home)["registry"].startswith(
        "broken there is no registry here" if not emptied else "broken"
    )
    assert findings(home)["log and registry"].startswith("broken the log holds 2 releases")
    assert home.has_registry() is False
    ran = guard_cli("log", "verify")
    assert ran.code == 0
    assert "not checked  agreement with the registry" in ran.out


def test_a_registry_behind_the_log_is_reported_and_does_not_stop_releases(home, signed, tmp_path):
    home.registry_path.unlink()
    Registry.open(home.registry_path).close()
    assert "the log holds 2 releases that the registry does not know" in findings(home)["log and registry"]
    release_again(home, tmp_path / "picture.png", tmp_path / "more.png")
    with home.registry_as_found() as registry:
        assert code_of(require_agreement, registry, home.log()) == "registry.behind-log"


def test_no_other_locator_key_is_taken_beside_a_filled_registry(home, signed, guard_cli, tmp_path):
    kept = home.locator_path.read_bytes()
    home.locator_path.unlink()
    assert code_of(init, home) == "key.not-of-registry"
    assert not home.locator_path.exists()
    create_locator_key(home.locator_path)  # put there by hand
    assert code_of(init, home) == "key.not-of-registry"
    assert findings(home)["locator key"].startswith("broken the registry's releases are marked under key")
    assert guard_cli("doctor").code == 1
    ran = guard_cli("release", "picture.png", "--source", "digital-capture", "-o", "again")
    assert ran.code == 2
    assert "error[key.not-of-registry]" in ran.err
    assert "restore it from a backup" in ran.err
    assert not (tmp_path / "again").exists()
    Image.open(signed[".png"]).save(tmp_path / "stripped.png")
    ran = guard_cli("verify", "stripped.png")
    assert ran.code == 3
    assert "not checked  mark" in ran.out
    assert "marked under key" in ran.out
    assert guard_cli("recover", "stripped.png").code == 2
    home.locator_path.write_bytes(kept)
    assert findings(home)["locator key"].startswith("ok")
    assert not any(part.new for part in init(home))


def test_a_locator_key_is_made_where_nothing_was_released(home):
    home.locator_path.unlink()
    assert {part.path.name for part in init(home) if part.new} == {"locator.json"}


def test_starting_anew_on_purpose(home, signed, guard_cli, tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    for path in (home.log_folder, home.log_key_path, home.registry_path):
        path.rename(away / path.name)
    assert {part.path.name for part in init(home) if part.new} == {"log.pem", "log", "registry.sqlite"}
    assert guard_cli("verify", signed[".png"]).code == 0
    release_again(home, tmp_path / "picture.png", tmp_path / "more.png")
    assert findings(home)["log and registry"] == "ok agree on 1 release"


def test_an_interrupted_first_init_goes_on(home):
    (home.log_folder / "checkpoint").unlink()
    home.registry_path.write_bytes(b"")
    assert {part.path.name for part in init(home) if part.new} == {"log", "registry.sqlite"}
    assert findings(home)["log and registry"] == "ok agree on 0 releases"


def test_a_lost_log_undoes_no_interrupted_release(home, signed, tmp_path):
    """Without its log an allowed release looks like one that was never allowed."""
    tools = assemble(home)
    record = next(iter(tools.records.read(path.stem) for path in tools.records.folder.glob("*.json")))
    partial = tmp_path / "out" / ".partial"
    partial.write_bytes(b"allowed")
    tools.records.write(replace(record, progress="written", partial_path=str(partial)))
    tools.records.lock_path(record.record_id).touch()
    another_log(home)
    assert code_of(release_again, home, tmp_path / "picture.png", tmp_path / "more.png")
    assert partial.read_bytes() == b"allowed"


def test_what_was_allowed_stays_registered_though_its_file_is_gone(home, signed):
    tools = assemble(home)
    record = next(iter(tools.records.read(path.stem) for path in tools.records.folder.glob("*.json")))
    tools.records.write(replace(record, progress="written", final_path=record.final_path + ".gone"))
    settle(record.record_id, tools.records, OwnBooks(log=tools.log, registry=tools.registry))
    assert require_agreement(tools.registry, tools.log).releases == 2


def test_looking_changes_nothing(home, signed, guard_cli, tmp_path):
    Image.open(signed[".png"]).save(tmp_path / "stripped.png")
    before = home.registry_path.read_bytes()
    for arguments in (["verify"], ["recover"], ["inspect"]):
        guard_cli(*arguments, "stripped.png")
    guard_cli("doctor")
    guard_cli("log", "verify")
    assert home.registry_path.read_bytes() == before
    home.registry_path.unlink()
    ran = guard_cli("verify", "stripped.png")
    assert ran.code == 3
    assert "there is no registry here (restore it from a copy; guard init" in ran.out
    ran = guard_cli("recover", "stripped.png")
    assert ran.code == 2
    assert "error[registry.missing]" in ran.err
    guard_cli("doctor")
    assert not home.registry_path.exists()
