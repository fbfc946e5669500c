"""What is told of many releases at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from generators.energy import Energy
from generators.training.effort import from_json, to_json
from guard.cli._report import amount, energy, stages, warned
from provenance.watermark.interface import Marked


def released(name: str, *warnings: str):
    return SimpleNamespace(path=Path("out") / name, warnings=warnings)


def test_a_warning_of_some_files_names_them_and_one_of_all_is_said_once() -> None:
    files = [released("a.png", "nobody looked", "too small"), released("b.png", "nobody looked")]
    assert list(warned(files)) == ["nobody looked", "too small (a.png)"]


def test_many_names_are_counted_and_not_listed() -> None:
    files = [released(f"{n}.png", "too small") for n in range(9)] + [released("large.png")]
    assert list(warned(files)) == ["too small (0.png, 1.png, 2.png, 3.png, 4.png and 4 more)"]


def test_a_private_layer_that_was_not_written_was_not_decoded_either() -> None:
    manifest = SimpleNamespace(signer=None, state=SimpleNamespace(value="development"))
    checked = SimpleNamespace(
        plan=SimpleNamespace(xmp=False),
        draft=SimpleNamespace(quality=None, origin=SimpleNamespace(recipe=None)),
    )
    for written, told in ((True, "1 of 1, decoded back"), (False, "none")):
        mark = Marked(
            frames=None,
            payload=b"",
            psnr=42.0,
            strength=1.0,
            attempts=1,
            evidence=None,
            private_layer=written,
        )
        marked = SimpleNamespace(
            enlarged_from=None,
            clip=None,
            mark=mark,
            checked=checked,
            unmarked_reason=None,
            asset=SimpleNamespace(mime=""),
        )
        one = SimpleNamespace(
            signed=SimpleNamespace(marked=marked),
            sidecar=None,
            leaves=[1],
            proof=SimpleNamespace(manifest=manifest),
        )
        assert dict(stages([one]))["private layer"] == told


@pytest.mark.parametrize(
    ("joules", "kept", "method", "told"),
    [
        (165.0, 4, "estimated", "about 41 J, 0.0055 g CO2e a picture (estimated)"),
        (0.0, 1, "measured", "0 J, 0 g CO2e a picture (measured)"),
        (9.96, 1, "measured", "10 J, 0.0013 g CO2e a picture (measured)"),
        (123_456.0, 1, "measured", "120,000 J, 16 g CO2e a picture (measured)"),
        (166.0, 0, "estimated", "about 170 J, 0.022 g CO2e in all, no picture kept (estimated)"),
    ],
)
def test_energy_is_one_short_line_of_two_digits(joules, kept, method, told) -> None:
    spent = Energy(
        joules=joules, grams=joules / 3.6e6 * 480, method=method, assumptions=("said elsewhere " * 9,)
    )
    assert energy(spent, kept) == told
    assert len(told) <= 64, "16 characters stand before it"


def test_the_energy_of_a_short_run_keeps_its_digits_in_a_record() -> None:
    spent = Energy(joules=6.3123456, grams=0.000841646)
    assert amount(from_json(to_json(spent))) == "6.3 J, 0.00084 g CO2e (measured)"
