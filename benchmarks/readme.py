"""The README's table of figures, from the committed results: ``python benchmarks/readme.py`` rewrites it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->"
COPIES = {
    "none": "otherwise unchanged",
    "jpeg50": "JPEG quality 50",
    "half": "half size",
    "crop10": "10 % cropped",
    "crop10+half+jpeg50": "all three together",
}


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))
    return found


def share(rate: dict[str, Any]) -> str:
    return f"{rate['successes']:,} of {rate['n']:,} (95 % interval {rate['low']:.1%} to {rate['high']:.1%})"


def figures() -> list[tuple[str, str, int, str]]:
    """(what, measured, n, script)."""
    relink, unrelated, copied = map(result, ("relink", "unrelated_pictures", "copied_marks"))
    speed, cold, path = map(result, ("watermark_speed", "cold_start", "guard_path"))
    reading, signing = result("verifying"), result("signing")
    found = [
        (
            f"a stripped copy leads back to its credential: {COPIES[name]}",
            share(copy["recovered"]),
            relink["n"],
        )
        for name, copy in relink["copies"].items()
    ]
    return [
        *((*row, "relink.py") for row in found),
        *_attacked(),
        *_beside(),
        (
            "visibility of the mark on the bundled model's pictures",
            f"median {relink['median_psnr_db']:.1f} dB, lowest {relink['lowest_psnr_db']:.1f} dB",
            relink["n"],
            "relink.py",
        ),
        (
            "marks found in pictures that carry none",
            share(unrelated["accepted"]),
            unrelated["accepted"]["n"],
            "unrelated_pictures.py",
        ),
        (
            "marks copied to another picture with a denoiser: credential wrongly recovered",
            f"{share(copied['recovered'])}, though {share(copied['decoded'])} decode",
            copied["recovered"]["n"],
            "copied_marks.py",
        ),
        (
            "processor time to mark 512 × 512, copies simulated and read back; to read it; to find nothing",
            "{embed:.0f} ms; {read_marked:.0f} ms; {read_unmarked:.0f} ms".format(**speed["median_ms"]),
            speed["n"],
            "watermark_speed.py",
        ),
        (
            "release of a picture, all steps: 512 × 512; 1000 × 1000",
            f"{path['release_512']['clock']:.2f} s; {path['release_1000']['clock']:.2f} s",
            path["n"],
            "guard_path.py",
        ),
        (
            "first signed picture after the imports; four 512 px pictures generated and released",
            "{first_signed_picture_after_import:.1f} s; {four_pictures_generated_and_released:.1f} s".format(
                **path["generate_seconds"]
            ),
            1,
            "guard_path.py --generate",
        ),
        (
            "`guard verify signed.jpg`, whole process",
            f"{cold['ratio_to_import_c2pa']['guard verify signed.jpg']} × `python -c 'import c2pa'`",
            cold["n"],
            "cold_start.py",
        ),
        _public_files(result("public_files")),
        (
            "verify, from the bytes of a file to its verdict, beside the library's reader and one SHA-256",
            _ratios(reading),
            reading["n"],
            "verifying.py",
        ),
        (
            "signing with read-back, beside the library's signer and reader; beside its signer alone",
            f"{_ratios(signing)}; {_ratios(signing, 'ratio_to_signer_alone')}",
            signing["n"],
            "signing.py",
        ),
        _clips(result("clip_memory")),
        _damage(result("damage")),
        _large(result("verify_memory")),
        *_log(result("log")),
        *_registry(result("registry")),
    ]


def _damage(found: dict[str, Any]) -> tuple[str, str, int, str]:
    what = (
        f"damaged signed files of {len(found['formats'])} formats: crashes; read as unsigned; read as intact"
    )
    told = f"{found['crashes']}; {found['no_credentials']}; {found['intact_outside_listed']}"
    return f"{what} outside the bytes the verdict lists", told, found["n"], "damage.py"


def _large(found: dict[str, Any]) -> tuple[str, str, int, str]:
    peaks = "; ".join(f"{name} {row['more_mb']} MB" for name, row in found["kinds"].items())
    what = f"memory that verifying {found['megabytes']} MB takes beyond a small file"
    return what, peaks, found["n"], "verify_memory.py"


def _registry(found: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    looked, alike, ids = found["look_up"], found["near_duplicates"], found["unrelated_pairs_matched_by_id"]
    clash = found["clashing_ids_matched_by_digest"]
    both = [share(alike[name]) for name in ("by_fingerprint", "by_signed_digest")]
    return [
        (
            "processor time to look up what looks alike among a million fingerprints: median; worst",
            f"{looked['median_ms']:.1f} ms; {looked['worst_ms']:.1f} ms",
            looked["look_ups"],
            "registry.py",
        ),
        (
            "drawings that differ in skin tone only: taken for each other by fingerprint; by signed digest",
            "; ".join(both),
            alike["by_fingerprint"]["n"],
            "registry.py",
        ),
        (
            "unrelated pairs of marked pictures taken for each other: by id; by signed digest, if ids clash",
            f"{share(ids)}; {share(clash)}",
            ids["n"],
            "registry.py",
        ),
    ]


def _log(found: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    ways = [found["appending"][name] for name in ("one_writer", "threads_in_groups", "batches_of_256")]
    clock = "; ".join(f"{way['median']:,}" for way in ways)
    processor = "; ".join(f"{way['per_second_of_processor']:,}" for way in ways)
    writers = found["appending"]["threads"]
    what = f"log entries written and synced: one writer; {writers} writers in groups; 256 at once"
    load = (
        f"on the clock {clock}, at a load of {found['load_average_at_start']} on {found['cpus']} processors"
    )
    large = found["large"]
    opened, checked = large["open_and_check_root"], large["read_and_check_proof_with_signature"]
    told = f"{opened['median_ms']:.1f} ms; {checked['median_ms']:.2f} ms"
    asked = large["withdrawals"]
    recalls = (
        f"{asked['with_index']['cpu_ms']:.1f} ms; {asked['255_behind']['cpu_ms']:.1f} ms of processor time"
    )
    return [
        (what, f"{processor} a second of processor time ({load})", found["appending"]["rounds"], "log.py"),
        (f"a log of {large['size']:,} entries: opened, its root checked; a proof read and checked", told,
         checked["n"], "log.py"),
        ("what verify asks of such a log, what of it was withdrawn: by its index; 255 entries behind it",
         recalls, asked["with_index"]["n"], "log.py"),
    ]  # fmt: skip


def _public_files(found: dict[str, Any]) -> tuple[str, str, int, str]:
    told = (
        f"{found['as_announced']} of {found['n']}; encypher-c2pa {found['encypher_c2pa_version']}: "
        f"{found['encypher_c2pa_as_announced']}, and the others have their error in the history"
    )
    what = "public C2PA test files of 2022 that get the verdict their name announces"
    return what, told, found["n"], "public_files.py"


def _clips(memory: dict[str, Any]) -> tuple[str, str, int, str]:
    peaks = "; ".join(f"{row['peak_resident_mb']:.0f} MB" for row in memory["lengths"].values())
    longest = list(memory["lengths"].values())[-1]
    spent = f"{longest['mark_and_encode_cpu_ms_per_frame']:.0f} ms"
    what = f"marking a clip of {memory['size']} into AV1: peak memory at {'; '.join(memory['lengths'])}"
    return f"{what}; processor time a frame", f"{peaks}; {spent}", longest["frames"], "clip_memory.py"


def _attacked() -> list[tuple[str, str, int, str]]:
    (tile,) = (alone := result("core35"))["methods"]
    hardest = sorted(tile["rows"], key=lambda row: row["exact"]["rate"])[:3]
    told = "; ".join(f"{row['attack']} {row['exact']['successes']} of {row['exact']['n']}" for row in hardest)
    what = (
        f"every bit of {tile['payload_bits']} back after 35 attacks, at {tile['psnr']:.1f} dB, on photographs"
    )
    sources = f"{what} that nothing was tuned on (from {tile['sources']} sources)"
    return [
        (sources, share(tile["overall"]["exact"]), alone["pictures"], "robustness.py core35"),
        ("the hardest of the 35", told, alone["pictures"], "robustness.py core35"),
    ]


def _beside() -> list[tuple[str, str, int, str]]:
    """Of a run that takes a quarter of an hour; left out where its result is not there."""
    if not (ROOT / "benchmarks" / "results" / "core35-peers.json").exists():
        return []
    beside = result("core35-peers")
    told = "; ".join(
        f"{method['method']} {method['overall']['exact']['rate']:.1%} ({method['payload_bits']} bits, "
        f"{method['psnr']:.1f} dB)"
        for method in beside["methods"]
    )
    what = "every bit back over the same attacks, method beside method"
    return [(what, told, beside["pictures"], "robustness.py peers")]


def _ratios(measured: dict[str, Any], name: str = "ratio") -> str:
    return "; ".join(f"{row[name]['median']:.2f} × ({row['picture']})" for row in measured["pictures"])


def table() -> str:
    lines = [f"| {what} | {measured} | {n:,} | `{script}` |" for what, measured, n, script in figures()]
    return "\n".join(["| what | measured | n | script |", "|---|---|---|---|", *lines]) + "\n"


def main() -> None:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    readme.write_text(before + BEGIN + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
