"""A model in a folder is named by its weights wherever others read: a folder's name may be a user's."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PIL import Image
from simulators.drawn_people import INFO

from audits.quality.lab import name_of
from generators.request import GenerationRequest
from generators.training.orders import TrainingOrder
from guard.bench import BenchOrder
from guard.errors import Denied
from guard.generate import approve, origin_of
from guard.prompt.review import review
from guard.tools import assemble
from guard.training import approve_lesson

IN_A_FOLDER = replace(INFO, id="dir:somebody", weights_sha256="ab" * 32)
PUBLIC = "dir:sha256:abababababababab"


class Held:
    info = IN_A_FOLDER


def test_manifests_trials_and_command_lines_name_a_folder_alike() -> None:
    assert IN_A_FOLDER.public_id == PUBLIC
    assert origin_of(Held(), review("a cook", "")).model_identifier == PUBLIC
    assert name_of(IN_A_FOLDER) == PUBLIC
    order = BenchOrder(models=("dir:/home/somebody",))
    assert order.command({"dir:/home/somebody": PUBLIC}) == f"guard bench generators {PUBLIC} --seed 1"


@pytest.mark.parametrize("reference", ["bundled:emoji", "hf:a/b@" + "c" * 40, "plugin:drawn"])
def test_other_references_are_their_own(reference) -> None:
    info = replace(IN_A_FOLDER, id=reference)
    assert info.public_id == reference
    assert name_of(info) == f"{reference}@abababababab"
    assert name_of(replace(info, weights_sha256="")) == reference


PACK = """
apiVersion: guard.policy/v1
kind: PolicyPack
metadata:
  name: one-model
  version: 1.0.0
  description: Nothing but the bundled model
  sources: [{id: house, title: a rule of this house, confidence: high}]
spec:
  default: {plan: allow, pixels: allow, publish: allow}
  rules:
    - id: one-model.named
      stage: prompt
      source: house
      require: model.id == 'bundled:emoji'
      on_fail: deny
      message: {en: Only the bundled model is used here, zh: 只可使用内置模型}
"""


def test_a_denial_before_a_model_is_loaded_names_no_folder(home, tmp_path) -> None:
    """What a decision holds is shown, logged and kept by others; a path is this user's own."""
    (tmp_path / "pack.yaml").write_text(PACK)
    (tmp_path / "data").mkdir()
    Image.new("RGB", (64, 64)).save(tmp_path / "data" / "a.png")
    said = {"licence": "CC0-1.0", "consent": "not-needed", "caption": "a cook"}
    (tmp_path / "data" / "data.json").write_text(json.dumps(said))
    tools, model = assemble(home, policy=str(tmp_path / "pack.yaml")), f"dir:{tmp_path}/somebody"
    order = TrainingOrder(method="lora", steps=1)
    for asked in (
        lambda: approve(GenerationRequest(prompt="a cook", seeds=(1,), model=model), tools),
        lambda: approve_lesson(tmp_path / "data", order, tools, model=model),
    ):
        with pytest.raises(Denied) as caught:
            asked()
        told = caught.value.decision.to_json()
        assert told["facts"]["model.id"]["status"] == "unknown"
        assert "somebody" not in json.dumps(told) + str(vars(caught.value))
    approve(GenerationRequest(prompt="a cook", seeds=(1,), model="bundled:emoji"), tools)
