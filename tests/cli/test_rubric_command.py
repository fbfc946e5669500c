"""``guard inspect --rubric``: every check of the asset rubrics on a file, and which one fails."""

import json

from PIL import Image

from provenance.manifest import build
from provenance.manifest.reading import DigitalSourceType
from provenance.manifest.sign import sign
from provenance.manifest.spec import ManifestSpec
from provenance.media import Asset


def test_a_released_file_passes_and_a_bare_one_cannot_be_judged(home, guard_cli, signed, tmp_path):
    ran = guard_cli("inspect", signed[".png"], "--rubric", "--format", "json")
    (found,) = json.loads(ran.out)["signals"]
    assert ran.code == 0
    assert found["rubric"]["findings"] == []
    assert found["rubric"]["passed"] == found["rubric"]["checks"] > 30
    Image.new("RGB", (40, 40)).save(tmp_path / "bare.png")
    bare = guard_cli("inspect", "bare.png", "--rubric")
    assert bare.code == 3
    assert "not_checked" in bare.out


def test_the_failing_check_is_named(home, guard_cli, tmp_path, monkeypatch):
    """A file that the library signs without a word."""
    actions = [
        {"action": "c2pa.created", "digitalSourceType": DigitalSourceType.DIGITAL_CREATION.value},
        {"action": "c2pa.dreamt\x1b[31m", "digitalSourceType": DigitalSourceType.DIGITAL_CREATION.value},
    ]
    definition = {
        "claim_generator_info": [{"name": "careless", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }
    monkeypatch.setattr("provenance.manifest.sign.manifest_definition", lambda spec, **more: definition)
    monkeypatch.setattr("provenance.manifest.sign.lint", lambda definition: ())
    Image.new("RGB", (40, 40)).save(tmp_path / "plain.png")
    asset = Asset.of((tmp_path / "plain.png").read_bytes(), "image/png")
    spec = ManifestSpec(title="x", claim_generator_version="1")
    made = sign(asset, spec, home.signer(), trust=home.trust())
    (tmp_path / "careless.png").write_bytes(made.asset.data)
    ran = guard_cli("inspect", "careless.png", "--rubric")
    assert ran.code == 1
    for check in ("mandatory_spec_version", "mandatory_all_actions_included", "no_unsupported_actions"):
        assert check in ran.out
    assert "\x1b" not in ran.out
    assert build.SPEC_VERSION in ran.out
