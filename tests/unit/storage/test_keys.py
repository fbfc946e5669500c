import json
import os
import stat
import subprocess
import sys

import pytest

from provenance.errors import ConfigurationError, Error, InputError, IntegrityError
from provenance.key_handing import export_locator, import_locator
from provenance.keys import (
    create_locator_key,
    create_log_key,
    create_private_mark_key,
    create_records_key,
    key_id_of,
    load_locator_key,
    load_log_key,
    load_private_mark_key,
    load_records_key,
)
from provenance.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint

KINDS = {
    "locator": (create_locator_key, load_locator_key),
    "log": (create_log_key, load_log_key),
    "private-mark": (create_private_mark_key, load_private_mark_key),
    "records": (create_records_key, load_records_key),
}


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


@pytest.fixture(params=list(KINDS))
def kind(request):
    return request.param


def test_keys_are_private_and_come_back(tmp_path, kind):
    create, load = KINDS[kind]
    made = create(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    again = load(tmp_path / "key")
    if kind == "log":
        assert again.verifier == made.verifier
    else:
        assert again == made


def test_keys_are_never_overwritten(tmp_path, kind):
    create, load = KINDS[kind]
    create(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(InputError) as caught:
        create(tmp_path / "key")
    assert caught.value.code == "output.exists"
    assert (tmp_path / "key").read_bytes() == before
    assert load(tmp_path / "key")


def test_each_key_is_drawn_on_its_own(tmp_path):
    drawn = []

    def random(count):
        drawn.append(os.urandom(count))
        return drawn[-1]

    for kind, (create, _) in KINDS.items():
        create(tmp_path / kind, random=random)
    assert len(drawn) == len(set(drawn)) == 4
    assert all(len(secret) == 32 for secret in drawn)
    for kind, secret in zip(KINDS, drawn, strict=True):
        stored = json.loads((tmp_path / kind).read_text())
        assert stored["key_id"] == key_id_of(kind, secret)
    assert len({key_id_of(kind, bytes(32)) for kind in KINDS}) == 4


def test_randomness_that_falls_short_is_refused(tmp_path, kind):
    with pytest.raises(ValueError, match="32 random bytes"):
        KINDS[kind][0](tmp_path / "key", random=lambda _: b"short")
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o777])
def test_a_key_that_others_may_use_is_refused(tmp_path, kind, mode):
    create, load = KINDS[kind]
    create(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "key")
    assert caught.value.code == "key.permissions"
    assert caught.value.hint == f"chmod 600 {tmp_path / 'key'}"
    (tmp_path / "key").chmod(0o400)
    assert load(tmp_path / "key")


def test_missing_and_unreadable_keys(tmp_path, kind):
    load = KINDS[kind][1]
    assert code_of(load, tmp_path / "absent") == "key.missing"
    assert code_of(load, tmp_path) in ("key.unreadable", "key.permissions")


def test_a_key_of_another_kind_is_refused(tmp_path, kind):
    KINDS[kind][0](tmp_path / "key")
    for other, (_, load) in KINDS.items():
        if other != kind:
            assert code_of(load, tmp_path / "key") == "key.kind"


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored | {"secret": stored["secret"][:-4]},
        lambda stored: stored | {"secret": "!" * 44},
        lambda stored: stored | {"secret": "A" * 43 + "="},
        lambda stored: stored | {"key_id": "0" * 16},
        lambda stored: {key: value for key, value in stored.items() if key != "secret"},
        lambda stored: [stored],
        lambda stored: None,
    ],
)
def test_damaged_keys_are_noticed(tmp_path, kind, change):
    create, load = KINDS[kind]
    create(tmp_path / "key")
    stored = json.loads((tmp_path / "key").read_text())
    (tmp_path / "key").write_text(json.dumps(change(stored)))
    with pytest.raises(IntegrityError) as caught:
        load(tmp_path / "key")
    assert caught.value.code == "key.damaged"
    for text in (b"", b"\xff\xfe", b"{", b"[" * 4096):
        (tmp_path / "key").write_bytes(text)
        assert code_of(load, tmp_path / "key") == "key.damaged"


def test_later_versions_and_bad_fields(tmp_path):
    create_locator_key(tmp_path / "locator", epoch=3)
    stored = json.loads((tmp_path / "locator").read_text())
    (tmp_path / "locator").write_text(json.dumps(stored | {"schema_version": 2}))
    assert code_of(load_locator_key, tmp_path / "locator") == "key.version"
    for epoch in (-1, "3", True, None, 1.5):
        (tmp_path / "locator").write_text(json.dumps(stored | {"epoch": epoch}))
        assert code_of(load_locator_key, tmp_path / "locator") == "key.damaged"
    create_log_key(tmp_path / "log", origin="example.com/log")
    stored = json.loads((tmp_path / "log").read_text())
    (tmp_path / "log").write_text(json.dumps(stored | {"origin": "two words"}))
    assert code_of(load_log_key, tmp_path / "log") == "key.damaged"


def test_no_secret_is_shown(tmp_path, kind):
    made = KINDS[kind][0](tmp_path / "key", random=lambda count: b"\xab" * count)
    secret = json.loads((tmp_path / "key").read_text())["secret"]
    assert secret not in repr(made)
    assert repr(b"\xab" * 32) not in repr(made)
    assert "ab" * 16 not in repr(made)


def test_a_log_signs_under_a_name_that_tells_nothing(tmp_path):
    signer = create_log_key(tmp_path / "log")
    assert signer.name.startswith("mediaguard.local/")
    for word in (os.uname().nodename, os.environ.get("USER", "\0")):
        assert word not in signer.name
    head = Checkpoint(origin=signer.name, size=0, root=bytes(32))
    assert open_checkpoint(sign_checkpoint(head, signer), signer.verifier) == head


def test_a_locator_key_travels(tmp_path):
    key = create_locator_key(tmp_path / "key", epoch=5)
    export_locator(key, tmp_path / "handed-out")
    (tmp_path / "handed-out").chmod(0o644)  # as after a download
    assert import_locator(tmp_path / "handed-out", tmp_path / "imported") == key
    assert load_locator_key(tmp_path / "imported") == key
    assert code_of(export_locator, key, tmp_path / "handed-out") == "output.exists"
    assert code_of(import_locator, tmp_path / "absent", tmp_path / "x") == "input.missing"
    create_records_key(tmp_path / "records")
    assert code_of(import_locator, tmp_path / "records", tmp_path / "x") == "key.kind"
    assert not (tmp_path / "x").exists()


def test_importing_keys_and_registry_loads_nothing_heavy():
    script = (
        "import sys\n"
        "from provenance import codecs, files, keys, locks, registry, sniff\n"
        "print(sorted({'numpy', 'PIL', 'cv2', 'torch', 'scipy', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
