"""``guard replay`` as people and programs meet it; the guide's commands, in the guide's order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
from simulators.tiny_emoji_model import build_tiny

from guard.cli.main import run
from guard.config import read_config

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/guide/replay.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/reference/replay.schema.json").read_text(encoding="utf-8"))
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
    for line in block.splitlines()
    if line.startswith("guard ")
]


@pytest.fixture
def there(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capfd, line: str) -> tuple[int, str, str]:
    words = [
        name
        for word in shlex.split(line)[1:]
        for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    capfd.readouterr()
    code = run(words)
    return (code, *capfd.readouterr())


def test_every_command_of_the_guide_runs_and_means_what_it_says(there, capfd):
    few = {LINES[0]: f"{LINES[0]} --steps 2"}  # of the twenty that the model takes by default
    generated, replayed, strict = (said(capfd, few.get(line, line)) for line in LINES)
    assert generated[0] == 0, generated
    (energy,) = (line for line in generated[2].splitlines() if line.startswith("energy"))
    assert re.search(r"\d J, 0\.0\d+ g CO2e a picture \((estimated|measured)\)$", energy)
    bodies = [json.loads(path.read_text()) for path in (there / "home" / "records").glob("*.json")]
    assert all("480 g CO2e a kWh" in body["drawing"] for body in bodies), "and what it rests on, on record"
    assert replayed[0] == 0, replayed
    assert replayed[1].count("EXACT  out/") == 2
    assert "picture 2 of a batch of 2" in replayed[1]
    assert "nothing that is on record: files of the model, versions" in replayed[1]
    assert strict[0] == 0, strict
    document = json.loads(strict[1])
    jsonschema.validate(document, SCHEMA)
    assert [one["likeness"] for one in document["replays"]] == ["exact", "exact"]
    assert "judge" not in strict[1]

    # Without the digest on record it is perceptual: met, but not strictly.
    record = next(iter(Path(there / "home" / "records").glob("*.json")))
    body = json.loads(record.read_text())
    body["drawing"] = None
    record.write_text(json.dumps(body))
    name = body["content_id"]
    code, out, _ = said(capfd, f"guard replay {name}")
    assert (code, out.splitlines()[0]) == (0, f"PERCEPTUAL  {name}")
    code, out, _ = said(capfd, f"guard replay --strict --format jsonl {name}")
    assert code == 1
    jsonschema.validate(json.loads(out), {**SCHEMA["$defs"]["replay"], "$defs": SCHEMA["$defs"]})


def test_a_changed_configuration_is_named(there, capfd):
    model = build_tiny(there / "model")
    assert said(capfd, "guard generate judge --model dir:model --steps 2 --seed 1 -o out")[0] == 0
    (picture,) = (there / "out").glob("*.png")
    config = model / "vae" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "scaling_factor": 0.05}))
    code, out, _ = said(capfd, f"guard replay {picture}")
    assert (code, out.split()[0]) == (1, "DIFFERS")
    assert "changed    model.settings.vae/config.json:" in out


@pytest.mark.slow
def test_the_commands_of_the_guide_to_fast_profiles_run(there, capfd):
    guide = (ROOT / "docs/guide/fast-profiles.md").read_text(encoding="utf-8")
    lines = re.findall(r"^(guard .*)$", guide, flags=re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        code, out, err = said(capfd, line + (" --steps 2" if "--fast" in line else ""))
        assert code == 0, err
    assert out.count("EXACT  out/") == 2


def test_a_batch_goes_on_after_what_cannot_be_replayed(there, capfd):
    code, out, err = said(capfd, "guard replay nothing.png --json")
    assert code == 2
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    assert document["errors"][0]["code"] == "record.unknown"
    assert "error[record.unknown]" in err


def test_the_settings_of_the_guide_are_settings(tmp_path):
    (block,) = re.findall(r"```toml\n(\[energy\].*?)```", GUIDE, flags=re.DOTALL)
    (tmp_path / "config.toml").write_text(block)
    rates = read_config(tmp_path / "config.toml").energy.rates()
    assert (rates.grams_per_kwh, rates.source) == (380.0, "our supplier, 2025")
