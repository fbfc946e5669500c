"""The tables of docs/reference/mark-security.md, from the results: ``python benchmarks/mark_tables.py``."""

from __future__ import annotations

from typing import Any

from readme import ROOT, result

from audits.statistics import wilson

DOCUMENT = ROOT / "docs" / "reference" / "mark-security.md"
_COPIES = {
    "none": "as released",
    "jpeg60": "JPEG-60",
    "half": "half size",
    "half, jpeg60": "half size, JPEG-60",
    "jpeg30": "JPEG-30",
}
_NAMES = {"size": "size implied", "full": "whole search"}


def calibration() -> str:
    """Nominal against observed."""
    lines = [
        "| search | p-value | trials at or below | trials | observed / nominal (95 %) |",
        "|---|---|---|---|---|",
    ]
    for name, search in result("mark_calibration")["searches"].items():
        for row in search["levels"]:
            ratio = f"{row['ratio']:.2f} ({row['ratio_low']:.2f}–{row['ratio_high']:.2f})"
            lines.append(
                f"| {_NAMES[name]} | {row['nominal']:g} | {row['observed']:,} | {row['n']:,} | {ratio} |"
            )
    return "\n".join(lines) + "\n"


def private_calibration() -> str:
    """The same for the private layer."""
    lines = [
        "| where the layer is not | p-value | trials at or below | trials | observed / nominal (95 %) |",
        "|---|---|---|---|---|",
    ]
    found = result("private_calibration")
    cases = {"all": found["levels"], **{name: case["levels"] for name, case in found["cases"].items()}}
    for name, levels in cases.items():
        for row in levels if name == "all" else levels[:5:2]:
            ratio = f"{row['ratio']:.2f} ({row['ratio_low']:.2f}–{row['ratio_high']:.2f})"
            lines.append(f"| {name} | {row['nominal']:g} | {row['observed']:,} | {row['n']:,} | {ratio} |")
    return "\n".join(lines) + "\n"


def private_trials() -> str:
    """How many of these trials, and what else was counted."""
    found = result("private_calibration")
    alike = ", ".join(
        f"{row['successes']} of {row['n']:,} ({kind})" for kind, row in found["pairs_alike"].items()
    )
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found["sources"].items()))
    return (
        f"- {found['trials']:,} trials on {found['copies']:,} copies from {sum(found['sources'].values())}"
        f" sources ({kinds})\n"
        f"- pairs of pieces of different pictures that show the same to the layer: {alike}\n"
    )


def numbers() -> str:
    """How often a number is read where a layer without one is found."""
    lines = [
        "| copy | n | mark read | layer without a number found | number read, of these | wrong number |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in result("private_layer")["numbers"]["copies"].items():
        of_these = _share(row["number_where_layer_is_found"])
        cells = f"{row['mark_read']} | {row['layer_without_number']} | {of_these} | {row['wrong_number']}"
        lines.append(f"| {_COPIES.get(name, name)} | {row['n']} | {cells} |")
    return "\n".join(lines) + "\n"


def beside() -> str:
    """What the layer costs the locator mark."""
    found = result("private_layer")["locator"]
    lines = ["| copy | mark | read, of 60 keys | mean statistic |", "|---|---|---|---|"]
    for name, row in found.items():
        mark, copy = name.split(", ", 1)
        lines.append(f"| {copy} | {mark} | {_share(row['read'])} | {row['mean_statistic']:.1f} |")
    return "\n".join(lines) + "\n"


def trials() -> str:
    """How many trials, from what, and what was wrongly accepted."""
    said = []
    for name, search in result("mark_calibration")["searches"].items():
        wrong = wilson(search["wrong_payloads_accepted"]["successes"], search["trials"])
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(search["sources"].items()))
        said.append(
            f"- {_NAMES[name]}: {search['trials']:,} trials on {search['copies']:,} copies from"
            f" {sum(search['sources'].values())} sources ({kinds}); payloads accepted: {wrong.successes}"
            f" (95 % interval up to {wrong.high:.1e})"
        )
    return "\n".join(said) + "\n"


def attacks() -> str:
    """What every attack came to."""
    found = result("mark_security")
    rows = [("none", found["marked"])]
    for part in ("moved", "removed"):
        rows += list(found[part].items())
    rows += [(f"marked again: {name}", row) for name, row in found["marked_again"].items()]
    for pool in found["averaging"]:
        n = pool["pictures"]
        rows.append((f"average of {n}: subtracted", pool["removal"]))
        rows.append((f"average of {n}: added to unmarked pictures", pool["forgery_on_unmarked_pictures"]))
    lines = [
        "| attack | n | dB | id read | RECOVERED | private layer | a trace is told | another id accepted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows:
        cells = " | ".join(_share(row[one]) for one in ("read", "recovered", "private", "trace", "wrong"))
        quality = "–" if not row["median_psnr_db"] else f"{row['median_psnr_db']:.1f}"
        lines.append(f"| {name} | {row['n']} | {quality} | {cells} |")
    return "\n".join(lines) + "\n"


def likeness() -> str:
    """How well averaging knows the tile."""
    return "".join(
        f"- {pool['pictures']} pictures: "
        + ", ".join(
            f"{value:.2f} at spread {name}"
            for name, value in pool["likeness_of_the_estimate_by_spread"].items()
        )
        + "\n"
        for pool in result("mark_security")["averaging"]
    )


def _share(rate: dict[str, Any]) -> str:
    return f"{rate['successes']} ({100 * rate['low']:.0f}–{100 * rate['high']:.0f} %)"


TABLES = {
    "calibration": calibration,
    "trials": trials,
    "private calibration": private_calibration,
    "private trials": private_trials,
    "numbers": numbers,
    "beside": beside,
    "attacks": attacks,
    "likeness": likeness,
}


def filled(text: str) -> str:
    """The document with its tables as the results have them."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, rest = text.split(begin)
        text = before + begin + table() + end + rest.split(end)[1]
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text("utf-8")), encoding="utf-8")
