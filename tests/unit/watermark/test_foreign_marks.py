"""TrustMark, VideoSeal and PixelSeal adapters on small networks that take and return what theirs do.

Their weights are not part of any package. These networks carry one bit in each cell of a grid, as the
difference between the cell's halves: enough to see every step of an adapter work, and nothing about quality.
"""

from __future__ import annotations

import hashlib
import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from provenance.errors import ConfigurationError, InputError
from provenance.watermark import trustmark_code
from provenance.watermark.methods import method

RANDOM = np.random.default_rng(8)
BITS61, BITS256 = RANDOM.integers(0, 2, 61).astype(bool), RANDOM.integers(0, 2, 256).astype(bool)
SIDE = 256


def halves(cells: int, side: int, amplitude: float) -> np.ndarray:
    """(1, 3, side, side): + in the left half of each cell, - in the right."""
    phase = np.arange(side) * cells / side % 1
    return np.broadcast_to(np.where(phase < 0.5, amplitude, -amplitude), (1, 3, side, side)).astype(
        np.float32
    )


def save(path, nodes, inputs, output, constants) -> None:
    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "small",
        [value(*each) for each in inputs],
        [value(*output)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    onnx.save(made, path)


def writer(path, *, picture, message, output, cells, bits, adds_cover) -> None:
    """Bits → ±1 on a grid of cells → halves; with the picture itself added where the method returns it."""
    nodes = [
        helper.make_node("Mul", [message, "two"], ["doubled"]),
        helper.make_node("Sub", ["doubled", "one"], ["signs"]),
        helper.make_node("Reshape", ["signs", "grid"], ["cells"]),
        helper.make_node("Resize", ["cells", "", "", "full"], ["large"], mode="nearest"),
        helper.make_node("Mul", ["large", "halves"], ["mark"]),
        helper.make_node("Mul", [picture, "keep"], ["kept"]),
        helper.make_node("Add", ["mark", "kept"], [output]),
    ]
    constants = {
        "two": np.float32(2),
        "one": np.float32(1),
        "grid": np.array([1, 1, cells, cells], np.int64),
        "full": np.array([1, 1, SIDE, SIDE], np.int64),
        "halves": halves(cells, SIDE, 0.06),
        "keep": np.float32(adds_cover),
    }
    shape = [1, 3, SIDE, SIDE]
    save(path, nodes, [(picture, shape), (message, [1, bits])], (output, shape), constants)


def reader(path, *, picture, output, cells, side, first=()) -> None:
    """Halves against halves, averaged over each cell; ``first`` goes before the bits."""
    pool = side // cells
    nodes = [
        helper.make_node("Mul", [picture, "halves"], ["folded"]),
        helper.make_node("ReduceMean", ["folded"], ["gray"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["gray"], ["means"], kernel_shape=[pool, pool], strides=[pool, pool]),
        helper.make_node("Reshape", ["means", "flat"], ["bits"]),
        helper.make_node("Concat", ["first", "bits"], [output], axis=1),
    ]
    constants = {
        "halves": halves(cells, side, 1.0),
        "flat": np.array([1, cells * cells], np.int64),
        "first": np.array([list(first)], np.float32).reshape(1, len(first)),
    }
    save(
        path,
        nodes,
        [(picture, [1, 3, side, side])],
        (output, [1, cells * cells + len(first)]),
        constants,
    )


def listed(folder, name="weights.sha256"):
    """What ``sha256sum *.onnx`` writes."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(folder.glob("*.onnx"))
    ]
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def trustmark(folder, variant="Q"):
    side = 224 if variant == "P" else 256
    writer(
        folder / f"encoder_{variant}.onnx",
        picture="onnx::Concat_0",
        message="onnx::Gemm_1",
        output="image",
        cells=10,
        bits=100,
        adds_cover=1,
    )
    reader(folder / f"decoder_{variant}.onnx", picture="image", output="output", cells=10, side=side)
    return listed(folder)


def seal(folder):
    writer(
        folder / "embedder.onnx",
        picture="imgs",
        message="msgs",
        output="residual",
        cells=16,
        bits=256,
        adds_cover=0,
    )
    reader(folder / "detector.onnx", picture="imgs", output="preds", cells=16, side=SIDE, first=[9.0])
    return listed(folder)


def picture(height, width) -> np.ndarray:
    """Smooth colours, so that halves of a cell differ by the mark only."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    smooth = np.stack([rows, columns, 1 - rows], axis=2) * 120 + 60
    return np.rint(smooth).astype(np.uint8)


@pytest.mark.parametrize("variant", ["Q", "P"])
@pytest.mark.parametrize("shape", [(256, 256), (700, 1100), (333, 200), (400, 1200)])
def test_trustmark_carries_its_bits_at_any_size(tmp_path, variant, shape) -> None:
    mark = method(f"trustmark:{trustmark(tmp_path, variant)}")
    pixels = picture(*shape)
    before = pixels.copy()
    marked = mark.embed(pixels, BITS61)
    read = mark.decode(marked)
    assert (pixels == before).all()
    assert marked.shape == pixels.shape
    assert read.present
    assert (read.bits == BITS61).all()
    assert mark.payload_bits == 61
    assert tuple(mark.raw(marked)[-4:].astype(int)) == (0, 0, 0, 1)
    assert mark.decode(pixels).bits is None


def test_trustmark_marks_the_middle_of_an_elongated_picture(tmp_path) -> None:
    mark = method(f"trustmark:{trustmark(tmp_path)}")
    pixels = picture(300, 900)
    changed = (mark.embed(pixels, BITS61) != pixels).any(axis=(0, 2))
    assert changed[300:600].any()
    assert not changed[:300].any()
    assert not changed[600:].any()


def test_trustmark_corrects_what_it_can_and_does_not_guess(tmp_path, monkeypatch) -> None:
    mark = method(f"trustmark:{trustmark(tmp_path)}")
    word = np.array(trustmark_code.encode(tuple(BITS61.astype(int)), trustmark_code.BCH_5), bool)
    for wrong, right in ((5, True), (12, False)):
        seen = word.copy()
        seen[:wrong] ^= True
        monkeypatch.setattr(type(mark), "raw", lambda self, pixels, seen=seen: seen)
        read = mark.decode(picture(256, 256))
        assert (read.bits is not None and bool((read.bits == BITS61).all())) is right
    other = trustmark_code.encode((1,) * 40, trustmark_code.SCHEMAS[0])
    monkeypatch.setattr(type(mark), "raw", lambda self, pixels: np.array(other, bool))
    read = mark.decode(picture(256, 256))
    assert read.bits is None
    assert read.present is None


@pytest.mark.parametrize("name", ["videoseal", "pixelseal"])
@pytest.mark.parametrize("shape", [(256, 256), (700, 1100)])
def test_seals_carry_256_bits(tmp_path, name, shape) -> None:
    mark = method(f"{name}:{seal(tmp_path)}")
    marked = mark.embed(picture(*shape), BITS256)
    read = mark.decode(marked)
    assert (mark.name, mark.payload_bits) == (name, 256)
    assert read.present is None
    assert (read.bits == BITS256).mean() > 0.99
    assert marked.dtype == np.uint8


def test_a_decoder_alone_reads_and_says_why_it_does_not_write(tmp_path) -> None:
    trustmark(tmp_path)
    (tmp_path / "encoder_Q.onnx").unlink()
    mark = method(f"trustmark:{listed(tmp_path)}")
    assert mark.decode(picture(256, 256)).bits is None
    with pytest.raises(ConfigurationError) as raised:
        mark.embed(picture(256, 256), BITS61)
    assert raised.value.code == "weights.missing"


def code_of(reference: str) -> tuple[str, str]:
    with pytest.raises((ConfigurationError, InputError)) as raised:
        method(reference)
    return raised.value.code, f"{raised.value.what} {raised.value.hint}"


@pytest.mark.parametrize("name", ["trustmark", "videoseal", "pixelseal"])
def test_what_is_missing_is_said_with_what_helps(tmp_path, name) -> None:
    code, told = code_of(name)
    assert code == "watermark.method"
    assert "sha256sum" in told
    assert code_of(f"{name}:{tmp_path / 'none'}")[0] == "weights.missing"
    (tmp_path / "empty").write_text("")
    assert code_of(f"{name}:{tmp_path / 'empty'}")[0] == "weights.missing"
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    assert code_of(f"{name}:{tmp_path / 'binary'}")[0] == "weights.missing"


@pytest.mark.parametrize("line", ["abc  decoder_Q.onnx", f"{'0' * 64}  ../decoder_Q.onnx", "decoder_Q.onnx"])
def test_lists_with_other_lines_are_refused(tmp_path, line) -> None:
    (tmp_path / "list").write_text(line + "\n")
    assert code_of(f"trustmark:{tmp_path / 'list'}")[0] == "weights.contract"


def test_another_digest_is_refused_before_anything_runs(tmp_path) -> None:
    path = trustmark(tmp_path)
    data = bytearray((tmp_path / "decoder_Q.onnx").read_bytes())
    data[-1] ^= 1
    (tmp_path / "decoder_Q.onnx").write_bytes(data)
    code, told = code_of(f"trustmark:{path}")
    assert code == "weights.digest"
    assert hashlib.sha256(data).hexdigest() in told
    (tmp_path / "decoder_Q.onnx").unlink()
    assert code_of(f"trustmark:{path}")[0] == "weights.missing"
    os.mkfifo(tmp_path / "decoder_Q.onnx")  # nobody ever writes into it
    assert code_of(f"trustmark:{path}")[0] == "weights.missing"


def test_networks_of_another_shape_are_refused(tmp_path) -> None:
    trustmark(tmp_path)
    reader(tmp_path / "decoder_Q.onnx", picture="image", output="output", cells=8, side=256)
    code, told = code_of(f"trustmark:{listed(tmp_path)}")
    assert code == "weights.contract"
    assert "output 1x64" in told
    reader(tmp_path / "decoder_Q.onnx", picture="picture", output="output", cells=10, side=256)
    assert "'image'" in code_of(f"trustmark:{listed(tmp_path)}")[1]
    (tmp_path / "decoder_Q.onnx").write_bytes(b"no network")
    assert code_of(f"trustmark:{listed(tmp_path)}")[0] == "weights.contract"


def test_networks_that_read_further_files_are_refused(tmp_path, monkeypatch) -> None:
    """Their values would be covered by no digest."""
    trustmark(tmp_path)
    made = onnx.load(tmp_path / "decoder_Q.onnx")
    monkeypatch.chdir(tmp_path)  # where onnxruntime would look by itself
    onnx.save(made, "decoder_Q.onnx", save_as_external_data=True, location="values.bin", size_threshold=0)
    assert (tmp_path / "values.bin").exists()
    assert code_of(f"trustmark:{listed(tmp_path)}")[0] == "weights.contract"


def test_a_name_without_a_known_variant_is_refused(tmp_path) -> None:
    trustmark(tmp_path, "Q")
    (tmp_path / "decoder_Q.onnx").rename(tmp_path / "decoder_Z.onnx")
    assert code_of(f"trustmark:{listed(tmp_path)}")[0] == "weights.contract"


def test_gray_and_transparent_pictures_are_refused(tmp_path) -> None:
    mark = method(f"videoseal:{seal(tmp_path)}")
    for pixels in (
        np.zeros((300, 300), np.uint8),
        np.zeros((300, 300, 4), np.uint8),
        np.zeros((0, 9, 3), np.uint8),
    ):
        with pytest.raises(InputError):
            mark.decode(pixels)
