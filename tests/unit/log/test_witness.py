"""A witness signs no second history and forgets nothing, killed or not; the owner files what it signed."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.errors import Error
from provenance.log.checkpoint import NoteSigner, open_checkpoint
from provenance.log.cosignature import WitnessSigner, cosignatures
from provenance.log.export import export_log
from provenance.log.proof import ConsistencyProof, prove_consistency
from provenance.log.published import Published
from provenance.log.store import Log
from provenance.log.witness import Witness
from provenance.log.witnessed import accept, add_witness, witnessed, witnesses

NOW = 1_700_000_000


def code_of(action, *arguments, **options):
    with pytest.raises(Error) as caught:
        action(*arguments, **options)
    return caught.value.code


@pytest.fixture
def w1(tmp_path):
    key = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    signer = WitnessSigner(name="w1.example", private_key=key)
    return Witness(folder=tmp_path / "memory", signer=signer, clock=lambda: NOW)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "public"


def seen_by(witness, out, log):
    return witness.cosign_copy(Published.open(out, log.verifier), log.verifier)


@pytest.mark.parametrize("sizes", [(0, 1, 2), (3, 3), (255, 256, 700), (5, 300)])
def test_it_follows_a_log_as_it_grows(w1, log, entries, out, sizes):
    size = 0
    for before, new in zip((0, *sizes), sizes, strict=False):
        log.append(entries(new - size, start=size))
        size = new
        export_log(log, out)
        done = seen_by(w1, out, log)
        assert (done.before, done.checkpoint.size) == (before, new)
        assert cosignatures(done.note, [w1.signer.verifier])[0].time == NOW
        assert open_checkpoint(done.note, log.verifier) == log.checkpoint()
        assert w1.last(log.verifier) == log.checkpoint()


def test_it_follows_by_requests_alone(w1, log, entries):
    log.append(entries(3))
    first = prove_consistency(log.tiles, log.note(), 3, 0)
    w1.cosign_request(ConsistencyProof.parse(first.to_bytes()), log.verifier)
    log.append(entries(300, start=3))
    assert code_of(w1.cosign_request, prove_consistency(log.tiles, log.note(), 303, 2), log.verifier) == (
        "log.witness-size"
    )
    done = w1.cosign_request(prove_consistency(log.tiles, log.note(), 303, 3), log.verifier)
    assert done.before == 3


def rewritten(log, signer, new_entries):
    shutil.rmtree(log.folder)
    again = Log.create(log.folder, signer)
    again.append(new_entries)
    return again


@pytest.mark.parametrize(
    ("history", "code"),
    [
        (lambda e: [*e(3), b"edited", *e(8, start=4)], "log.forked"),
        (lambda e: [*e(3), *e(8, start=4)], "log.forked"),  # entry 3 left out
        (lambda e: [*e(3), *e(1, start=4), *e(1, start=3), *e(7, start=5)], "log.forked"),  # two swapped
        (lambda e: [b"put in front", *e(11)], "log.forked"),
        (lambda e: e(9), "log.truncated"),
        (lambda e: [*e(9), b"another tenth"], "log.forked"),
    ],
    ids=["edit", "delete", "reorder", "insert", "truncate", "fork"],
)
def test_it_signs_no_second_history_and_keeps_the_evidence(w1, log, signer, entries, out, history, code):
    log.append(entries(10))
    export_log(log, out)
    first = seen_by(w1, out, log)
    again = rewritten(log, signer, history(entries))
    shutil.rmtree(out)
    export_log(again, out)
    for _ in range(2):
        assert code_of(seen_by, w1, out, again) == code
    assert w1.last(log.verifier) == first.checkpoint
    (kept,) = (w1.folder / next(os.walk(w1.folder))[1][0]).glob("refused-*")
    assert open_checkpoint(kept.read_bytes(), log.verifier) == again.checkpoint()


def test_a_key_that_calls_its_log_otherwise_has_no_second_history(w1, log, signer, entries, out, tmp_path):
    log.append(entries(10))
    export_log(log, out)
    first = seen_by(w1, out, log)
    renamed = NoteSigner(name="log.example/2", private_key=signer.private_key)
    for number, (history, code) in enumerate(
        [
            ([*entries(3), b"edited", *entries(8, start=4)], "log.forked"),
            (entries(9), "log.truncated"),
            ([*entries(9), b"another tenth"], "log.forked"),
        ]
    ):
        other = Log.create(tmp_path / f"other-{number}", renamed)
        other.append(history)
        assert code_of(seen_by, w1, other.folder, other) == code
        assert w1.last(renamed.verifier) == first.checkpoint
    other = Log.create(tmp_path / "same", renamed)
    other.append(entries(12))
    done = seen_by(w1, other.folder, other)
    assert (done.before, done.checkpoint.size) == (10, 12)
    assert code_of(seen_by, w1, out, log) == "log.truncated"


def test_it_signs_nothing_that_the_copy_does_not_show(w1, log, entries, out):
    log.append(entries(300))
    export_log(log, out)
    data = bytearray((out / "tile/0/001.p/44").read_bytes())
    data[3] ^= 1
    (out / "tile/0/001.p/44").write_bytes(data)
    assert code_of(seen_by, w1, out, log) == "log.root-mismatch"
    (out / "tile/0/001.p/44").unlink()
    assert code_of(seen_by, w1, out, log) == "log.tile-missing"
    assert w1.last(log.verifier).size == 0


def test_it_signs_for_no_other_key(w1, log, entries, out):
    log.append(entries(1))
    export_log(log, out)
    other = NoteSigner(name=log.verifier.name, private_key=Ed25519PrivateKey.generate())
    assert code_of(Published.open, out, other.verifier) == "log.checkpoint-signature"
    request = prove_consistency(log.tiles, log.note(), 1, 0)
    assert code_of(w1.cosign_request, request, other.verifier) == "log.checkpoint-signature"


def test_no_log_is_its_own_witness(log, signer, tmp_path):
    own = WitnessSigner(name="w1.example", private_key=signer.private_key)
    witness = Witness(folder=tmp_path / "memory", signer=own, clock=lambda: NOW)
    assert code_of(witness.cosign_request, ConsistencyProof(old_size=0, hashes=(), note=log.note()),
                   log.verifier) == "log.own-witness"  # fmt: skip
    assert code_of(add_witness, log, own.verifier) == "log.own-witness"


def test_a_damaged_memory_is_not_begun_anew(w1, log, entries, out):
    log.append(entries(3))
    export_log(log, out)
    seen_by(w1, out, log)
    (memory,) = w1.folder.glob("*/checkpoint")
    memory.write_bytes(b"torn")
    assert code_of(seen_by, w1, out, log) == "log.witness-memory"


KILLED = """
    import os, pathlib, signal, sys
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from provenance.log.checkpoint import NoteVerifier
    from provenance.log.cosignature import WitnessSigner
    from provenance.log.published import Published
    from provenance.log.witness import Witness

    memory, out, key, last = sys.argv[1:]
    def die(step):
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)
    def clock():
        die("clock")
        return 1700000000
    signer = WitnessSigner(name="w1.example", private_key=Ed25519PrivateKey.from_private_bytes(b"w" * 32))
    witness = Witness(folder=pathlib.Path(memory), signer=signer, clock=clock, step=die)
    log = NoteVerifier.parse(key)
    witness.cosign_copy(Published.open(pathlib.Path(out), log), log)
    die("signed")
"""


@pytest.mark.parametrize("step", ["remembered", "clock", "signed"])
def test_a_killed_witness_has_signed_nothing_that_it_forgot(w1, log, signer, entries, out, step):
    log.append(entries(4))
    export_log(log, out)
    arguments = [w1.folder, out, str(log.verifier), step]
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), *map(str, arguments)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert w1.last(log.verifier).size == 4
    assert seen_by(w1, out, log).before == 4, "the same checkpoint is signed again"
    again = rewritten(log, signer, [b"another", *entries(5)])
    shutil.rmtree(out)
    export_log(again, out)
    assert code_of(seen_by, w1, out, again) == "log.forked"


def test_two_processes_of_one_witness_sign_one_history(w1, log, entries, out, tmp_path):
    """Both of two forks of equal length are offered at the same time; one is signed, the other refused."""
    log.append(entries(2))
    shutil.copytree(log.folder, tmp_path / "fork")
    fork = Log.open(tmp_path / "fork", log.verifier, signer=log.signer)
    log.append([b"left"])
    fork.append([b"right"])
    outcomes = []

    def offer(one):
        try:
            request = prove_consistency(one.tiles, one.note(), 3, 0)
            outcomes.append(w1.cosign_request(request, one.verifier).checkpoint.root)
        except Error as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=offer, args=[one]) for one in (log, fork)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert refused in (["log.forked"], ["log.witness-size"])


def test_the_owner_files_what_witnesses_signed(w1, log, entries, out):
    log.append(entries(3))
    export_log(log, out)
    done = seen_by(w1, out, log)
    assert code_of(accept, log, done.note) == "log.no-cosignature"
    assert witnesses(log.folder) == ()
    assert add_witness(log, w1.signer.verifier)
    assert not add_witness(log, w1.signer.verifier)
    filed = accept(log, done.note)
    assert [(one.witness, one.time) for one in filed.by] == [("w1.example", NOW)]
    assert witnessed(log.folder, log.verifier, witnesses(log.folder)) == (filed,)
    assert code_of(accept, log, log.note()) == "log.no-cosignature"
    second = WitnessSigner(name="w2.example", private_key=Ed25519PrivateKey.generate())
    add_witness(log, second.verifier)
    both = accept(log, second.cosign(log.note(), NOW + 1))
    assert {one.witness for one in both.by} == {"w1.example", "w2.example"}
    third = WitnessSigner(name="w3.example", private_key=Ed25519PrivateKey.generate())
    assert accept(log, third.cosign(done.note, NOW)).note == both.note, "strangers are not filed"
    assert log.verify().ok


def test_a_name_means_one_key(w1, log):
    add_witness(log, w1.signer.verifier)
    namesake = WitnessSigner(name="w1.example", private_key=Ed25519PrivateKey.generate())
    assert code_of(add_witness, log, namesake.verifier) == "log.witness-name"
    as_log = WitnessSigner(name=log.verifier.name, private_key=Ed25519PrivateKey.generate())
    assert code_of(add_witness, log, as_log.verifier) == "log.witness-name"


@pytest.mark.parametrize(("count", "code"), [(2, "log.truncated"), (5, "log.forked")])
def test_a_witness_who_saw_another_history_is_an_alarm(w1, log, signer, entries, out, count, code):
    log.append(entries(3))
    export_log(log, out)
    done = seen_by(w1, out, log)
    again = rewritten(log, signer, [b"anew", *entries(count - 1)])
    add_witness(again, w1.signer.verifier)
    assert code_of(accept, again, done.note) == code
    assert witnessed(again.folder, again.verifier, witnesses(again.folder)) == ()


@pytest.mark.parametrize("content", [b"no key\n", b"\xff\xfe", b"w1.example+00000000+BAAA\n"])
def test_a_damaged_list_of_witnesses_is_said(log, content):
    (log.folder / "witnesses").write_bytes(content)
    assert code_of(witnesses, log.folder) == "log.witness-key"
