"""Memory that verifying a large file takes: ``python benchmarks/verify_memory.py``.

``guard verify`` on signed files of 100 MB and on small ones of the same kind, each in a process of its own:
how much the largest of its processes held at most, as the system tells. Target for MP4: 100 MB more at most.

The files are made in another process: what measures has to be small, since the system counts what a process
held before it became ``guard``.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from _results import write

MEGABYTES = 100
KINDS = {"MP4": "video/mp4", "WAV": "audio/wav", "MP3": "audio/mpeg"}
RUNS = 3


def longer(mime: str, data: bytes, count: int) -> bytes:
    """The same file with ``count`` more bytes that belong to its sound or pictures."""
    from provenance.metadata import bmff

    more = os.urandom(count)
    if mime == "audio/wav":
        whole, sound = struct.pack("<I", len(data) - 8 + count), struct.pack("<I", len(data) - 44 + count)
        return data[:4] + whole + data[8:40] + sound + data[44:] + more
    if mime == "audio/mpeg":
        return data + more
    box = next(box for box in bmff.boxes(data) if box.kind == b"mdat")
    # Everything that the sample tables point to stays where it is: the index lies behind.
    return (
        data[: box.start]
        + struct.pack(">I", box.end - box.start + count)
        + data[box.start + 4 : box.end]
        + more
        + data[box.end :]
    )


def prepare(folder: Path) -> None:
    """Signed files of every kind, small and large, and the installation that signed them."""
    from _every_format import one_of

    from guard.home import Home
    from guard.tools import assemble
    from provenance.codecs import read_asset
    from provenance.manifest.sign import sign
    from provenance.manifest.spec import ManifestSpec
    from provenance.stored import chunks_of

    tools = assemble(Home(folder=folder / "home"))
    for name, mime in KINDS.items():
        for size in (0, MEGABYTES):
            plain = folder / "plain"
            plain.write_bytes(longer(mime, one_of(mime).data, size * 2**20))
            spec = ManifestSpec(title="large", claim_generator_version="1")
            made = sign(read_asset(plain), spec, tools.signer, trust=tools.trust)
            with (folder / f"{name}-{size}").open("wb") as out:
                for chunk in chunks_of(made.asset.content):
                    out.write(chunk)


def verified(home: Path, path: Path) -> tuple[int, float]:
    """Exit code and peak resident megabytes of one ``guard verify``."""
    environment = {**os.environ, "GUARD_HOME": str(home), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "guard", "verify", str(path)]
    process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_maxrss / 1024


def main() -> None:
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        environment = {**os.environ, "GUARD_HOME": str(home)}
        for line in (["-m", "guard", "init"], [__file__, "--prepare", folder]):
            subprocess.run([sys.executable, *line], env=environment, check=True, capture_output=True)
        for name in KINDS:
            peaks: dict[int, list[float]] = {0: [], MEGABYTES: []}
            for _ in range(RUNS):
                for size, seen in peaks.items():
                    code, peak = verified(home, Path(folder) / f"{name}-{size}")
                    assert code == 0, f"{name} of {size} MB does not verify"
                    seen.append(peak)
            rows[name] = {
                "small_peak_mb": round(min(peaks[0]), 1),
                "large_peak_mb": round(max(peaks[MEGABYTES]), 1),
                "more_mb": round(max(peaks[MEGABYTES]) - min(peaks[0]), 1),
            }
    write("verify_memory", megabytes=MEGABYTES, n=RUNS, target_more_mb=100, kinds=rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]))
    else:
        main()
