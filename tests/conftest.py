"""What every test may rely on: offline, one thread, a home of its own, real pictures."""

from __future__ import annotations

import io
import itertools
import os
import secrets
import shutil
import struct
import subprocess
import tempfile
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings
from simulators.command_line import Run, in_a_process, in_this_process

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    # The same examples on every run, so that a red run is about the change; people and nightly runs explore.
    settings.load_profile("ci")

_OUTSIDE = ["unit/manifest/test_public_files.py", "unit/manifest/test_official_rubrics.py"]
collect_ignore = [] if os.environ.get("MEDIAGUARD_PUBLIC_C2PA") else _OUTSIDE
"""Outside test files: collected only where a folder of them is named."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Where everything is installed a skipped test is a hole: `.ci/run` forbids them."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("MEDIAGUARD_FORBID_SKIPS") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where skips are forbidden: {report.longrepr}"


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test touches the real installation."""
    monkeypatch.setenv("GUARD_HOME", str(tmp_path / "no-home"))
    monkeypatch.delenv("GUARD_PASSPHRASE", raising=False)


@pytest.fixture(scope="session")
def photograph():
    """A real photograph, 512 × 512 RGB."""
    from skimage import data

    return data.astronaut()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fresh installation, made by the code that ``guard init`` runs."""
    from guard.home import Home
    from guard.setup import initialise

    made = Home(folder=tmp_path / "home")
    initialise(made, now=datetime.now(UTC), random=secrets.token_bytes)
    monkeypatch.setenv("GUARD_HOME", str(made.folder))
    return made


@pytest.fixture
def tools(home):
    """What a release in ``home`` works with."""
    from guard.tools import assemble

    return assemble(home)


@pytest.fixture(scope="session")
def postgresql():
    """A real server on a Unix socket, in a folder of its own; makes databases and gives their URLs."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("needs Debian's postgresql")
    # The server refuses to run as root, and a folder under root's would be closed to another user.
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    quiet = {"capture_output": True, "cwd": "/", **who}
    with tempfile.TemporaryDirectory(prefix="mg-pg-", dir="/tmp") as name:
        if who:
            shutil.chown(name, "postgres", "postgres")
        bin_, data = programs[-1].parent, f"{name}/data"
        subprocess.run([bin_ / "initdb", "-D", data, "-U", "guard", "-A", "trust", "-N"], check=True, **quiet)
        options = f"-c listen_addresses= -c unix_socket_directories={name} -c fsync=off"
        control = [bin_ / "pg_ctl", "-D", data, "-w", "-s", "-l", f"{name}/server.log"]
        subprocess.run([*control, "-o", options, "start"], check=True, **quiet)
        try:

            def database(named: str) -> str:
                subprocess.run([bin_ / "createdb", "-h", name, "-U", "guard", named], check=True, **quiet)
                return f"postgresql+psycopg://guard@/{named}?host={name}"

            yield database
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **quiet)


@pytest.fixture(scope="session")
def photographs(photograph):
    """Real photographs of different sizes, RGB."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    others = [data.coffee(), data.chelsea(), load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    return [photograph, *others]


@pytest.fixture
def guard_cli(tmp_path) -> Run:
    """Run ``guard ARGUMENTS…`` in ``tmp_path`` with the environment of the test, in this process."""
    return partial(in_this_process, tmp_path)


@pytest.fixture
def guard_process(tmp_path) -> Run:
    """The same in a process of its own: cold imports, nothing kept from other tests."""
    return partial(in_a_process, tmp_path)


class PhotographGenerator:
    """See ``simulator``."""

    def __init__(self, photographs) -> None:
        from generators.interface import GeneratorInfo

        self.photographs = photographs
        self.info = GeneratorInfo(
            id="simulated:1",
            name="Photograph simulator",
            kind="image",
            width=288,
            height=288,
            licence="Apache-2.0",
            data_licence="CC0-1.0",
            weights_sha256="0" * 64,
            capabilities=("text",),
        )

    def generate(self, request, hooks=(), *, latents=None):
        from generators.interface import Generation
        from provenance.media import Frames

        for index, seed in enumerate(request.seeds):
            whole = self.photographs[seed % len(self.photographs)]
            pixels = whole[:288, :288].copy()[None]
            yield Generation(
                frames=Frames(pixels=pixels),
                recipe=self.recipe(seed, index, request),
                prompt_used=request.prompt,
            )

    def recipe(self, seed, index, request):
        from generators.recipe import Environment, ModelRecord, Recipe, SchedulerRecord

        return Recipe(
            model=ModelRecord(ref=self.info.id, revision=None, pipeline="Photographs", weights=()),
            seed=seed,
            scheduler=SchedulerRecord(name="none", config={}),
            steps=1,
            guidance_scale=1.0,
            width=288,
            height=288,
            hooks=(),
            finish=(),
            options={},
            environment=Environment(python="3", libraries={}, device="cpu", dtype="float32", threads=1),
            batch_size=len(request.seeds),
            batch_index=index,
        )


@pytest.fixture(scope="session")
def simulator(photographs):
    """A generator that "draws" crops of real photographs, one a seed: everything but the model is real."""
    return PhotographGenerator(photographs)


@pytest.fixture
def generated(home, tools, simulator, tmp_path: Path):
    """Pictures released by the whole generate flow, with a prompt to look for afterwards."""
    from generators.request import GenerationRequest
    from guard.generate import approve, generate

    (tmp_path / "out").mkdir(exist_ok=True)
    request = GenerationRequest(prompt="a zebra-striped lighthouse keeper", seeds=(7, 8), model="simulated:1")
    return list(generate(approve(request, tools), simulator, tools, folder=tmp_path / "out"))


@pytest.fixture
def signed(home, tools, photograph, tmp_path: Path) -> dict[str, Path]:
    """One released picture for each container, by suffix."""
    from PIL import Image

    from guard.intake import Statement, release_asset
    from guard.plan import ask
    from guard.policy.rule import Stage
    from provenance.codecs import read_asset
    from provenance.manifest.reading import DigitalSourceType

    statement = Statement(source_type=DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA, model_name="Test model")
    owed = ask(Stage.PLAN, statement.origin(), tools, command="release").obligations
    released = {}
    (tmp_path / "out").mkdir()
    for suffix in (".png", ".jpg"):
        source = tmp_path / f"picture{suffix}"
        Image.fromarray(photograph).save(source)
        target = tmp_path / "out" / source.name
        release_asset(read_asset(source), statement, tools, plan=owed, command="release", output=target)
        released[suffix] = target
    return released


@pytest.fixture
def to_be_killed(photograph, tmp_path: Path) -> tuple[Path, Path]:
    """A small picture, and the folder that it is released into by a process that dies on the way."""
    from PIL import Image

    source, folder = tmp_path / "source.png", tmp_path / "out"
    Image.fromarray(photograph[:256, :256]).save(source)
    folder.mkdir()
    return source, folder


@pytest.fixture(scope="session")
def cmyk_profile():
    """The smallest ICC profile from CMYK (ICC.1 §10.10, lut8Type): two points a channel, cyan shown as red.

    Its colours are wrong on purpose: only a decoder that uses it gets them.
    """
    cube = b""
    for cyan, magenta, yellow, black in itertools.product((0, 1), repeat=4):
        red, green, blue = (1 - magenta) * (1 - black), (1 - cyan) * (1 - black), (1 - yellow) * (1 - black)
        light = 0.3 * red + 0.6 * green + 0.1 * blue
        lab = 255 * light, 128 + 60 * (red - green), 128 + 30 * (red + green - 2 * blue)
        cube += bytes(round(value) for value in lab)
    straight, unity = bytes(range(256)), struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    white = struct.pack(">3i", 63190, 65536, 54061)  # D50
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + white,
        b"A2B0": b"mft1\0\0\0\0\4\3\2\0" + unity + straight * 4 + cube + straight * 3,
    }
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    size = 128 + len(table) + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + table + data


@pytest.fixture(scope="session")
def make_clip(photograph):
    """Makes small clips: a camera that pans over a photograph while a red square moves, with a tone."""
    return partial(_clip, photograph)


def _clip(
    photograph,
    *,
    container="mp4",
    codec="libx264",
    times=None,
    frames=12,
    rate=12,
    sound="aac",
    metadata=(),
    step=2,
    **picture,
) -> bytes:
    """``times`` are those of the frames, in seconds; without ``codec`` there is sound alone."""
    import av

    os.environ["SVT_LOG"] = "1"
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        out.metadata.update(metadata)
        track = _track(out, codec, rate, **picture) if codec else None
        voice = out.add_stream(sound, rate=48000, layout="mono") if sound else None
        for number in range(frames if track else 0):
            frame = _frame(photograph, track, number, step)
            frame.time_base = track.codec_context.time_base
            frame.pts = round((times[number] if times else Fraction(number, rate)) / frame.time_base)
            out.mux(track.encode(frame))
        if track and frames:
            out.mux(track.encode(None))
        if voice:
            _speak(out, voice, 48000 * frames // rate)
    return file.getvalue()


def _track(
    out,
    codec,
    rate,
    *,
    size=(192, 144),
    pixels="yuv420p",
    matrix=None,
    colour=None,
    aspect=None,
    base=Fraction(1, 12800),
    options=None,
):
    """``colour`` holds matrix, range, primaries and transfer, as numbers of H.273."""
    track = out.add_stream(codec, rate=rate, options=options or {"crf": "20"})
    (track.width, track.height), track.pix_fmt = size, pixels
    context = track.codec_context
    context.time_base = track.time_base = base
    if colour:
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = colour
    if aspect:
        context.sample_aspect_ratio = aspect
    track.set_display_matrix(matrix)
    return track


def _frame(photograph, track, number, step):
    import av
    import numpy as np

    context = track.codec_context
    left = step * number
    picture = photograph[20 : 20 + context.height, left : left + context.width].copy()
    at = 5 * number % (context.width - 24)
    picture[30:54, at : at + 24] = (200, 30, 40)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24").reformat(
        format=context.pix_fmt,
        dst_colorspace={9: 9, 1: 1}.get(context.colorspace, 5),
        dst_color_range=context.color_range or 1,
    )


def _speak(out, voice, samples: int) -> None:
    import av
    import numpy as np

    for at in range(0, samples, 1024):
        wave = (8000 * np.sin(np.arange(at, at + 1024) * 0.05)).astype(np.int16)[None]
        piece = av.AudioFrame.from_ndarray(wave, "s16", "mono")
        piece.sample_rate, piece.pts = 48000, at
        out.mux(voice.encode(piece))
    out.mux(voice.encode(None))
