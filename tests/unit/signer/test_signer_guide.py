"""The guide to the signer process: its commands exist, and its numbers are those of the code."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from simulators.command_line import parses

from guard.cli.signer import run
from guard.config import SignerConfig
from guard.signer.office import Office
from guard.signer.wire import WireLimits
from provenance.manifest.sign import MOST_BYTES
from provenance.spool import IN_MEMORY

GUIDE = (Path(__file__).resolve().parents[3] / "docs/guide/signer-process.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(guard .*)$", GUIDE, flags=re.MULTILINE)
COMMANDS += [f"guard {line}" for line in re.findall(r"^ExecStart=/usr/bin/guard (.*)$", GUIDE, re.MULTILINE)]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_guide_parses(line):
    assert parses(line)


def test_the_settings_of_the_guide_are_settings():
    (table,) = re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL)
    assert SignerConfig(**tomllib.loads(table)["signer"]).kind == "socket"


def test_the_bounds_of_the_guide_are_those_of_the_code():
    limits, clients = WireLimits(), next(one for one in run.params if one.name == "clients")
    waits = next(one.default for one in fields(Office) if one.name == "wait_s")
    said = {
        f"`--clients`, {clients.default}; more get `signer.busy`",
        "up to a minute, then `signer.busy`",
        f"{limits.part_bytes >> 20} MiB; {limits.all_bytes >> 30} GiB",
        f"{limits.header_bytes >> 20} MiB |",
        f"{limits.idle_s / 60:.0f} minutes |",
        f"{limits.header_s:.0f} s, and 1 s for each MiB",
        f"above {IN_MEMORY >> 20} MiB they lie encrypted",
    }
    assert {sentence for sentence in said if sentence not in GUIDE} == set()
    assert waits == 60
    assert limits.part_bytes == MOST_BYTES
    assert limits.slowest_bytes_per_s == 2**20
