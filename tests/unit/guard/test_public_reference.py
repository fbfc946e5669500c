"""A model in a folder is named by its weights wherever others read: a folder's name may be a user's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulators.drawn_people import INFO

from audits.quality.lab import name_of
from guard.bench import BenchOrder
from guard.generate import origin_of
from guard.prompt.review import review

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
