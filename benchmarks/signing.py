"""Signing with read-back beside the C2PA library, in one run: ``python benchmarks/signing.py``.

The library signs with its defaults, except for thumbnails, which cost ten times the signature. By default it
looks at the signature that it made and not at the file again (its setting ``verify_after_sign_hash``), so
there are two comparisons: with its signer alone, and with its signer and its reader, which does what our
read-back begins with. Target: at most 1.5 times the latter. CPU time of one thread.
"""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import c2pa
from verifying import PICTURES, alternating, machine, medians, parties, picture, ratio

from provenance.manifest.build import manifest_definition
from provenance.manifest.read import raw_agrees
from provenance.manifest.sign import sign

if TYPE_CHECKING:
    from provenance.media import Asset

RESULT = Path(__file__).parent / "results" / "signing.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    times = parser.parse_args().times
    signer, trust, spec = parties()
    now, rows = datetime.now(UTC), []
    context = c2pa.Context.from_dict(
        {"builder": {"thumbnail": {"enabled": False}}, "trust": {"trust_config": "\n".join(trust.ekus)}}
    )
    native = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", signer.chain, signer.private_pem(), None))
    for form, width, height in PICTURES:
        asset = picture(form, width, height)

        def library(asset: Asset = asset) -> bytes:
            out = io.BytesIO()
            builder = c2pa.Builder(manifest_definition(spec), context=context)
            builder.sign(native, asset.mime, io.BytesIO(asset.data), out)
            return out.getvalue()

        def library_and_reader(asset: Asset = asset) -> str:
            with c2pa.Reader(asset.mime, io.BytesIO(library(asset)), context=context) as reader:
                return str(reader.json())

        took = alternating(
            {
                "library_ms": library,
                "library_and_reader_ms": library_and_reader,
                "ours_ms": lambda asset=asset: sign(asset, spec, signer, trust=trust, at=now),
                "ours_and_library_reader_ms": lambda asset=asset: raw_agrees(
                    sign(asset, spec, signer, trust=trust, at=now).asset
                ),
            },
            times,
        )
        signed = sign(asset, spec, signer, trust=trust, at=now)
        rows.append(
            {
                "picture": f"{form} {width}x{height}",
                "bytes": len(asset.data),
                "added_bytes": len(signed.asset.data) - len(asset.data),
                **medians(took),
                "ratio": ratio(took["ours_ms"], took["library_and_reader_ms"]),
                "ratio_to_signer_alone": ratio(took["ours_ms"], took["library_ms"]),
                "ratio_with_second_reading": ratio(
                    took["ours_and_library_reader_ms"], took["library_and_reader_ms"]
                ),
            }
        )
    result = {
        "command": "python benchmarks/signing.py",
        "target_ratio": 1.5,
        "n": times,
        "pictures": rows,
        **machine(),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
