"""Marks under attack, on photographs that nothing was tuned on: ``python benchmarks/robustness.py [PART…]``.

core35       the tile under 35 attacks, on all held-out pictures
peers        every method that runs offline under the same 35, on eight of them
sweeps       each kind of attack from mild to destructive, on the same eight
adversarial  denoisers, re-marking, removal chains and a model's autoencoder, on the same eight

Pictures: scikit-image's and scikit-learn's photographs beside those used for tuning, and pieces of 768 pixels
(for the eight: 512) of the photographs in Debian's mate-backgrounds. ``--keep DIR`` continues a run that
was stopped; ``--most N`` makes a quick look that is printed, and written only with ``--write``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from _results import RESULTS

from audits.robustness import plots, tables
from audits.robustness.lab import Setup, measure
from audits.robustness.report import as_text
from audits.robustness.samples import Sample, find_samples
from audits.robustness.summary import summarise

NATURE = Path("/usr/share/backgrounds/mate/nature")
SCIKIT_IMAGE = ("coffee.png", "motorcycle_left.png", "hubble_deep_field.jpg", "retina.jpg")
SCIKIT_LEARN = ("china.jpg", "flower.jpg")
TUNED_ON = ("astronaut", "chelsea", "rocket")
"""Never among the pictures here."""
PIECES_OF = ("Aqua.jpg", "Dune.jpg", "FreshFlower.jpg", "Storm.jpg")
"""For the comparison with slow methods: one piece of each."""
OFFLINE = ("tile", "dwtDct", "dwtDctSvd", "rivaGan")
PARTS = {
    "core35": Setup(methods=("tile",), attacks="core35"),
    "peers": Setup(methods=OFFLINE, attacks="core35"),
    "sweeps": Setup(methods=("tile", "dwtDct", "dwtDctSvd"), attacks="sweeps"),
    "adversarial": Setup(methods=OFFLINE, attacks="adversarial,regeneration"),
}
NAMES = {"core35": "core35", "peers": "core35-peers", "sweeps": "sweeps", "adversarial": "adversarial"}
"""Of the files in ``results``."""


def small_photographs() -> list[Path]:
    import skimage
    import sklearn.datasets

    own = [Path(skimage.__file__).parent / "data" / name for name in SCIKIT_IMAGE]
    return own + [Path(sklearn.datasets.__file__).parent / "images" / name for name in SCIKIT_LEARN]


def all_held_out() -> tuple[Sample, ...]:
    return find_samples([*small_photographs(), *sorted(NATURE.glob("*.jpg"))], piece=768)[0]


def eight() -> tuple[Sample, ...]:
    """Small enough for methods that need a second for every quarter of a megapixel."""
    wanted = {"coffee.png", "motorcycle_left.png", *SCIKIT_LEARN}
    whole = find_samples(path for path in small_photographs() if path.name in wanted)[0]
    pieces = (find_samples([NATURE / name], piece=512, most=1)[0] for name in PIECES_OF)
    return (*whole, *(piece for found in pieces for piece in found))


def run(part: str, arguments: argparse.Namespace) -> None:
    setup = PARTS[part]
    samples = (all_held_out() if part == "core35" else eight())[: arguments.most]
    keep = None if arguments.keep is None else arguments.keep / f"{part}.jsonl"
    start = time.process_time()
    measured = measure(samples, setup, jobs=arguments.jobs, checkpoint=keep, progress=tell)
    only = "" if arguments.most is None else f" --most {arguments.most} --write"
    report = summarise(measured, command=f"python benchmarks/robustness.py {part}{only}")
    print(tables.text(report))
    print(
        f"{(time.process_time() - start) / 60:.1f} minutes of processor time in this process", file=sys.stderr
    )
    if arguments.most is None or arguments.write:
        documents = {".json": as_text(report), ".md": tables.markdown(report)}
        documents |= {f"-{name}": plot for name, plot in plots.drawn(report).items()}
        for ending, body in documents.items():
            (RESULTS / f"{NAMES[part]}{ending}").write_text(body, encoding="utf-8")


def tell(done: int, total: int) -> None:
    print(f"\r{done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("parts", nargs="*", choices=list(PARTS), metavar="PART", help="default: core35")
    arguments.add_argument("--jobs", type=int, default=1, help="processes")
    arguments.add_argument("--keep", type=Path, help="folder for finished trials")
    arguments.add_argument("--most", type=int, help="pictures; the result is printed only")
    arguments.add_argument(
        "--write", action="store_true", help="write the result of a quick look all the same"
    )
    parsed = arguments.parse_args()
    if parsed.keep is not None:
        parsed.keep.mkdir(parents=True, exist_ok=True)
    for part in parsed.parts or ["core35"]:
        run(part, parsed)


if __name__ == "__main__":
    main()
