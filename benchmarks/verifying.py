"""``verify`` beside the C2PA library alone, in one run: ``python benchmarks/verifying.py``.

Ours is everything between the bytes of a file and its verdict: SHA-256, type, container, manifest, signer,
history, labels, answers. Target: at most 1.15 × (library reader with JSON report + one SHA-256 of the file).
Runs alternate, so that a busy machine slows both. Both keep what does not depend on the file (settings,
trust lists, and ours the path of a certificate chain that it has met) and take five files in a row, as in a
batch of one publisher's files.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import c2pa
import numpy as np
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from PIL import Image

from guard.verify import verify
from provenance.manifest.identity import create_development_identity
from provenance.manifest.reading import SoftBinding, TrustTier
from provenance.manifest.sign import sign
from provenance.manifest.signers import PemSigner
from provenance.manifest.spec import ManifestSpec
from provenance.manifest.trust import TrustList, TrustLists
from provenance.media import Asset
from provenance.sniff import mime_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from guard.verdict import Verdict

RESULT = Path(__file__).parent / "results" / "verifying.json"
TOGETHER = 5
"""Files in a row: somebody who verifies one file waits for the start of the process, not for this."""
PICTURES = (("PNG", 512, 512), ("JPEG", 512, 512), ("PNG", 1000, 1000), ("JPEG", 4000, 3000))


def picture(form: str, width: int, height: int) -> Asset:
    """A smooth gradient with noise, which compresses about like a photograph."""
    rows, columns = np.mgrid[0:height, 0:width]
    smooth = np.stack([rows * 200 / height, columns * 200 / width, (rows + columns) % 200], axis=-1)
    noise = np.random.default_rng(0).normal(0, 6, smooth.shape)
    out = io.BytesIO()
    Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8)).save(out, form, quality=92)
    return Asset.of(out.getvalue(), f"image/{form.lower()}")


def parties() -> tuple[PemSigner, TrustLists, ManifestSpec]:
    """A development identity, the list that knows it, and a manifest of usual size."""
    now = datetime.now(UTC)
    made = create_development_identity(name="benchmark", now=now)
    signer = PemSigner(chain=made.chain_pem, key=load_pem_private_key(made.key_pem, None))
    item = TrustList.of(name="own", tier=TrustTier.DEVELOPMENT, pem=made.root_pem, date=now.date())
    spec = ManifestSpec(
        title="benchmark",
        claim_generator_version="0",
        model_name="benchmark",
        soft_binding=SoftBinding(algorithm="org.mediaguard.tile.1", value="00" * 8),
        watermarked=True,
        content_id="00" * 8,
        digest_assertion={"version": 1, "lab": "A" * 4096},
    )
    return signer, TrustLists(lists=(item,)), spec


def judged(data: bytes, trust: TrustLists, now: datetime) -> Verdict:
    """What ``guard verify`` does with the bytes of a file."""
    mime = mime_of(data)
    assert mime is not None
    return verify(Asset.of(data, mime), trust=trust, at=now)


def alternating(
    actions: dict[str, Callable[[], object]], times: int, *, together: int = 1
) -> dict[str, list[float]]:
    """CPU milliseconds of each action in every round; in a round one runs right after the other.

    All of it runs in one thread, so on an idle machine this is the time on the clock.

    Args:
        together: runs of an action in a row, of which the mean counts, as in a batch of files.
    """
    took: dict[str, list[float]] = {name: [] for name in actions}
    for round_number in range(times + 2):
        for name, action in actions.items():
            start = time.process_time()
            for _ in range(together):
                action()
            if round_number >= 2:  # the first two rounds warm caches
                took[name].append(1e3 * (time.process_time() - start) / together)
    return took


def medians(took: dict[str, list[float]]) -> dict[str, float]:
    """Median milliseconds of each action."""
    return {name: round(statistics.median(values), 3) for name, values in took.items()}


def ratio(above: list[float], *below: list[float]) -> dict[str, float]:
    """Ratio to the sum of ``below`` within each round: quartiles, so that the spread is seen."""
    cuts = statistics.quantiles((a / sum(b) for a, *b in zip(above, *below, strict=True)), n=4)
    return dict(zip(("quarter", "median", "three_quarters"), (round(cut, 3) for cut in cuts), strict=True))


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "c2pa": c2pa.sdk_version(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def cold(code: str, times: int = 9) -> float:
    """Median milliseconds of a fresh interpreter running ``code``."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        took.append(1e3 * (time.perf_counter() - start))
    return round(statistics.median(took), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    times = parser.parse_args().times
    signer, trust, spec = parties()
    now, rows = datetime.now(UTC), []
    lists = [{"trust_anchors": trust.lists[0].pem.decode(), "trust_kind": "manifest", "trust_uri": "own"}]
    context = c2pa.Context.from_dict(
        {
            "trust": {"trust_config": "\n".join(trust.ekus), "anchors": lists},
            "verify": {"remote_manifest_fetch": False},
        }
    )
    for form, width, height in PICTURES:
        asset = sign(picture(form, width, height), spec, signer, trust=trust).asset

        def library(asset: Asset = asset) -> str:
            return str(c2pa.Reader(asset.mime, io.BytesIO(asset.data), context=context).json())

        took = alternating(
            {
                "library_ms": library,
                "sha256_ms": lambda asset=asset: hashlib.sha256(asset.data).hexdigest(),
                "ours_ms": lambda asset=asset: judged(asset.data, trust, now),
            },
            times,
            together=TOGETHER,
        )
        compared = ratio(took["ours_ms"], took["library_ms"], took["sha256_ms"])
        size = len(asset.data)
        rows.append(
            {"picture": f"{form} {width}x{height}", "bytes": size, **medians(took), "ratio": compared}
        )
    result = {
        "command": "python benchmarks/verifying.py",
        "target_ratio": 1.15,
        "n": times,
        "files_in_a_row": TOGETHER,
        "pictures": rows,
        "cold_import_library_ms": cold("import c2pa"),
        "cold_import_ours_ms": cold(
            "import guard.verify, provenance.manifest.read, provenance.manifest.c2pa_adapter"
        ),
        **machine(),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
