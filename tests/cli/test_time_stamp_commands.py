"""Time-stamps at the command line: asked for while signing, believed by lists, and never while verifying."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from simulators.tsa import NEEDED, Server

from guard.api import verify_file
from guard.doctor import examine
from guard.verdict import State

pytestmark = NEEDED
PACK = """\
apiVersion: guard.policy/v1
kind: PolicyPack
metadata:
  name: clocks
  version: 2026.1.0
  description: No signature without a proven time
  sources:
    - {id: house, title: "An example", confidence: high}
spec:
  default: {prompt: allow, plan: allow, pixels: allow}
  rules:
    - id: clocks.proven
      stage: publish
      source: house
      require: marks.c2pa.time == 'proven'
      on_fail: deny
      message:
        en: The time of signing has to be proven
        zh: 签名时间须有证明
"""
DEAD = "http://127.0.0.1:9/"
SIGN = ("sign", "picture.png", "--source", "generated", "-o")


@pytest.fixture
def picture(tmp_path, photograph):
    Image.fromarray(photograph[:128, :128]).save(tmp_path / "picture.png")


def configure(home, policy: str, *authorities: str) -> None:
    before = home.config_path.read_text().split("\n[timestamp]\n")[0]
    listed = ", ".join(f'"{one}"' for one in authorities)
    home.config_path.write_text(f'{before}\n[timestamp]\nauthorities = [{listed}]\npolicy = "{policy}"\n')


def line(home, what: str) -> str:
    found = examine(home, now=datetime.now(UTC))
    return next(f"{one.state} {one.detail}" for one in found if one.what == what)


def test_required_from_nobody_to_a_proven_time_that_outlives_the_certificate(
    home, guard_cli, picture, clock, tmp_path
):
    configure(home, "required", DEAD)
    ran = guard_cli(*SIGN, "a.png")
    assert ran.code == 2
    assert (
        "error[timestamp.unavailable]: no time-stamp was given: 127.0.0.1:9: it cannot be reached" in ran.err
    )
    assert not (tmp_path / "a.png").exists()
    assert line(home, "time-stamps").startswith("broken time-stamps are required")
    with Server(clock.reply) as server:
        configure(home, "required", DEAD, server.url)
        ran = guard_cli(*SIGN, "a.png")
        assert "error[timestamp.unlisted]" in ran.err
        assert not (tmp_path / "a.png").exists()
        (tmp_path / "clock.pem").write_bytes(clock.root_pem)
        ran = guard_cli("trust", "add", "clock", "clock.pem", "--kind", "tsa", "--tier", "own")
        assert ran.code == 0, ran.err
        assert line(home, "time-stamps").startswith("ok required, of 127.0.0.1:9, 127.0.0.1:")
        ran = guard_cli(*SIGN, "a.png")
        assert ran.code == 0, ran.err
        asked = len(server.asked)
    assert "proven by a time stamp" in guard_cli("verify", "a.png").out
    assert asked == 2
    later = verify_file(tmp_path / "a.png", home=home, at=datetime.now(UTC) + timedelta(days=400))
    assert later.state is State.DEVELOPMENT


def test_preferred_and_nobody_there_signs_with_a_warning(home, guard_cli, picture, tmp_path):
    configure(home, "preferred", DEAD)
    ran = guard_cli(*SIGN, "a.png")
    assert ran.code == 0, ran.err
    assert "warning: signed without a time-stamp" in ran.err
    assert "127.0.0.1:9: it cannot be reached" in ran.err
    ran = guard_cli("verify", "a.png")
    assert "as it claims, not proven" in ran.out


def test_a_pack_may_ask_how_the_time_is_known(home, guard_cli, picture, tmp_path):
    (tmp_path / "pack.yaml").write_text(PACK)
    ran = guard_cli(*SIGN, "a.png", "--policy", "default,pack.yaml")
    assert ran.code == 1, ran.err
    assert "The time of signing has to be proven" in ran.out + ran.err
    assert not (tmp_path / "a.png").exists()
