"""The weighted mean of two trainings of one model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from generators.registry import bundled_folder, load, parse
from generators.request import GenerationRequest
from generators.training.emoji import main
from generators.training.weight_ensemble import ensemble
from generators.weights import examine
from provenance.errors import InputError

EMOJI = bundled_folder(parse("bundled:emoji"))
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The bundled model, every weight of its U-Net moved by half a thousandth."""
    found = Path(shutil.copytree(EMOJI, tmp_path / "earlier"))
    tensors = {name: value.float() + 2**-11 for name, value in load_file(found / UNET).items()}
    save_file({name: value.half() for name, value in tensors.items()}, found / UNET)
    return found


def test_weights_are_weighed_and_the_rest_is_of_the_later(earlier: Path, tmp_path: Path) -> None:
    out = tmp_path / "mean"
    main(["ensemble", "--later", str(EMOJI), "--start", str(earlier), "--share", "0.75", "--out", str(out)])
    ours, theirs, mean = (load_file(place / UNET) for place in (EMOJI, earlier, out))
    for name, value in mean.items():
        assert value.dtype == torch.float16
        wanted = 0.75 * ours[name].float() + 0.25 * theirs[name].float()
        torch.testing.assert_close(value.float(), wanted, rtol=2**-10, atol=1e-7)
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o644}
    card = json.loads((out / "card.json").read_text())
    assert card["weights"] == {file.path: file.sha256 for file in examine(out).files}
    same = json.loads((EMOJI / "card.json").read_text())
    assert {k: v for k, v in card.items() if k != "weights"} == {
        k: v for k, v in same.items() if k != "weights"
    }
    (drawn,) = load(f"dir:{out}").generate(
        GenerationRequest(prompt="a fox", seeds=(1,), num_inference_steps=2, width=128, height=128)
    )
    assert drawn.frames.pixels.shape == (1, 128, 128, 3)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_of_one_is_that_one(earlier: Path, tmp_path: Path, share: float) -> None:
    ensemble(EMOJI, earlier, share, tmp_path / "out")
    wanted = load_file((EMOJI if share else earlier) / UNET)
    for name, value in load_file(tmp_path / "out" / UNET).items():
        assert torch.equal(value, wanted[name])


def test_places_and_counts_are_no_weights(tmp_path: Path) -> None:
    """0.1 of 3 and 0.9 of 3 are a little less than 3, and 2 as a whole number."""
    for name in ("earlier", "later"):
        folder = Path(shutil.copytree(EMOJI, tmp_path / name))
        save_file({**load_file(folder / UNET), "position_ids": torch.arange(77)}, folder / UNET)
    ensemble(tmp_path / "later", tmp_path / "earlier", 0.1, tmp_path / "out")
    assert torch.equal(load_file(tmp_path / "out" / UNET)["position_ids"], torch.arange(77))


def test_a_model_without_a_card_leaves_nothing_behind(earlier: Path, tmp_path: Path) -> None:
    (earlier / "card.json").unlink()
    with pytest.raises(FileNotFoundError):
        ensemble(earlier, EMOJI, 0.5, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_of_one_network_is_refused(earlier: Path, tmp_path: Path) -> None:
    """And nothing is written then."""
    out = tmp_path / "out"
    for share in (-0.1, 1.5):
        with pytest.raises(ValueError, match="share"):
            ensemble(EMOJI, earlier, share, out)
    tensors = load_file(earlier / UNET)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, earlier / UNET)
    with pytest.raises(ValueError, match="not of one network"):
        ensemble(EMOJI, earlier, 0.5, out)
    (earlier / UNET).unlink()
    with pytest.raises(InputError, match="safetensors"):
        ensemble(EMOJI, earlier, 0.5, out)
    assert not out.exists()
