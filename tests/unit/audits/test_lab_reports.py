"""From trials to figures, tables, plots and the comparison with an earlier result."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.robustness import plots, svg, tables
from audits.robustness.lab import Measured, Setup
from audits.robustness.regress import read_baseline, regressions
from audits.robustness.report import as_json, as_text
from audits.robustness.samples import Refused
from audits.robustness.sets import attack_set
from audits.robustness.summary import area, summarise, threshold
from audits.robustness.trial import Null, Survival, Trial
from audits.statistics import wilson
from provenance.errors import InputError

SCORES = st.lists(st.floats(-5, 50), min_size=1, max_size=300)


@given(SCORES, st.floats(0, 1, exclude_max=True))
def test_a_threshold_lets_no_more_pass_than_asked(scores, rate) -> None:
    found = threshold(scores, rate)
    if found is None:
        assert 0 < rate < 1 / len(scores)
        return
    assert found.n == len(scores)
    assert found.passed == sum(score > found.score for score in scores)
    assert found.passed <= rate * len(scores)
    if rate == 0:
        assert found.score == max(scores)


def test_no_looks_give_no_threshold() -> None:
    assert threshold([], 0) is None


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 1)), min_size=1, max_size=9))
def test_an_area_lies_between_its_lowest_and_highest_point(points) -> None:
    rates = [rate for _, rate in points]
    assert min(rates) - 1e-9 <= area(points) <= max(rates) + 1e-9


def test_areas_are_those_of_the_drawing() -> None:
    assert area([(0, 1), (1, 1)]) == pytest.approx(1)
    assert area([(0, 1), (1, 0)]) == pytest.approx(0.5)
    assert area([(0, 1), (0.5, 1), (0.5, 0), (1, 0)]) in (pytest.approx(0.5), pytest.approx(0.75), 0.5)


def survival(name: str, *, exact: bool, wrong: bool | None = False, score: float = 5.0) -> Survival:
    return Survival(
        attack=name,
        exact=exact,
        wrong=wrong,
        accuracy=1.0 if exact else 0.5,
        score=score if exact else 0.0,
        present=exact,
        milliseconds=40.0,
        psnr=30.0,
        ssim=0.9,
    )


def trials(method: str, attacks: str, *, pictures: int = 10, lost: int = 0, refused: int = 0, wrong: int = 0):
    """So many pictures under one method; ``lost`` are lost, ``wrong`` of these vouched for."""
    for number in range(pictures):
        left_out = number < refused
        survivals = (
            ()
            if left_out
            else tuple(
                survival(attack.name, exact=number >= refused + lost, wrong=number < refused + wrong)
                for attack in attack_set(attacks)
            )
        )
        yield Trial(
            method=method,
            identity=f"{method} 1",
            payload_bits=64,
            picture=str(number),
            name=f"{number}.png",
            source=str(number // 2),
            width=512,
            height=512,
            refused="watermark.capacity-exceeded" if left_out else None,
            psnr=None if left_out else 42.0,
            ssim=None if left_out else 0.98,
            milliseconds=25.0,
            survivals=survivals,
            null=Null(scores=tuple(number / 100 for number in range(20)), looks=20, marks=0),
        )


def report(*methods, attacks: str = "ci12"):
    setup = Setup(
        methods=tuple(dict.fromkeys(t.method for listed in methods for t in listed)), attacks=attacks
    )
    measured = Measured(
        setup=setup,
        about={"attacks": attacks, "seed": 1},
        samples=(),
        trials=tuple(trial for listed in methods for trial in listed),
        refused=(Refused(name="\x1b[2Jx", code="input.damaged", what="x"),),
    )
    return summarise(measured, command="guard bench watermark --images DIR")


def test_rates_count_pictures_and_name_sources() -> None:
    (method,) = report(list(trials("tile", "ci12", lost=2, refused=1, wrong=1))).methods
    assert (method.pictures, method.sources, method.refused) == (10, 5, 1)
    assert method.overall.exact == wilson(7 * 12, 10 * 12)
    assert method.overall.wrong == 12
    for row in method.rows:
        assert row.exact == wilson(7, 10)  # a refused picture is a lost one
        assert row.accuracy == pytest.approx((7 * 1 + 3 * 0.5) / 10)
        assert row.detected == row.present == wilson(7, 10)
        assert row.wrong == 1
    assert method.psnr == 42
    assert method.null_looks == method.strict.n == 200
    assert (method.strict.score, method.strict.passed) == (0.19, 0)
    assert method.common.passed <= 2


def test_areas_need_a_whole_sweep() -> None:
    assert report(list(trials("tile", "core35"))).methods[0].areas == {}
    swept = report(list(trials("tile", "sweep-jpeg", lost=5)), attacks="sweep-jpeg").methods[0].areas
    assert swept == {"jpeg": pytest.approx(0.5)}


def many(count: int, attacks: str = "core35"):
    return report(*(list(trials(f"method-{n}", attacks, lost=n)) for n in range(count)), attacks=attacks)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_text_fits_a_terminal_and_names_every_attack(count) -> None:
    shown = tables.text(many(count))
    assert max(map(len, shown.splitlines())) <= tables.WIDTH
    for attack in attack_set("core35"):
        assert shown.count(f"\n{attack.name} ") == (count + 4) // 5
    assert "1 file or trial could not be used" in shown
    assert "\x1b" not in shown


def test_markdown_has_the_same_cells() -> None:
    shown = tables.markdown(many(2))
    assert "| crop75% | 10/10 100 % | 9/10 90 % |" in shown
    for line in shown.splitlines():
        assert not line.startswith("|") or line.endswith("|")


@pytest.mark.parametrize(("count", "attacks"), [(1, "core35"), (4, "core35"), (2, "sweeps"), (9, "ci12")])
def test_plots_are_well_formed_and_repeatable(count, attacks) -> None:
    drawn = plots.drawn(many(count, attacks))
    assert set(drawn) == {"exact.svg", "quality.svg"} | ({"sweeps.svg"} if attacks == "sweeps" else set())
    assert drawn == plots.drawn(many(count, attacks))
    for body in drawn.values():
        root = ET.fromstring(body)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
            assert 0 <= float(circle.attrib["cx"]) <= width
            assert 0 <= float(circle.attrib["cy"]) <= height


def words(drawn: str) -> list[str]:
    return [text.text for text in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("attacks", ["core35", "sweeps", "sweep-jpeg"])
def test_titles_fit_their_plots_and_axes_have_names(attacks) -> None:
    for name, body in plots.drawn(many(2, attacks)).items():
        width = float(ET.fromstring(body).attrib["width"])
        bold = [
            t for t in ET.fromstring(body).iter("{http://www.w3.org/2000/svg}text") if "font-size" in t.attrib
        ]
        for text in bold:
            letter = 9 if text.attrib["font-size"] == "15" else 6.5
            if "text-anchor" not in text.attrib:
                assert float(text.attrib["x"]) + letter * len(text.text) <= width, (name, text.text)
        assert name != "sweeps.svg" or {"exact payload", "severity, 1 is jpeg:10"} <= set(words(body))


def test_the_quality_plot_claims_no_rate_that_was_not_measured_and_names_what_it_leaves_out() -> None:
    few = [replace(t, null=Null(scores=(0.1,), looks=1, marks=0)) for t in trials("tile", "ci12")]
    moved = [
        replace(t, survivals=tuple(replace(s, ssim=None) if s.attack == "gray" else s for s in t.survivals))
        for t in few
    ]
    told = " ".join(words(plots.quality(report(moved))))
    assert "1 %" not in told
    assert "above every unmarked score (10 or more a method)" in told
    assert "Not shown, as they move pixels or lose every picture: gray" in told
    assert "at 1 % false positives" in " ".join(words(plots.quality(many(2))))


def test_only_pictures_with_a_trial_are_counted() -> None:
    made = report(list(trials("tile", "ci12", pictures=1)))
    assert "1 picture from 1 source, seed 1." in tables.text(made)


def test_hostile_names_cannot_leave_their_text() -> None:
    drawn = svg.document("<t>", 10, 10, [svg.label('"><script>', 1, 1), svg.dot(1, 1, "red", "</title><b>")])
    root = ET.fromstring(drawn)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        "svg",
        "title",
        "rect",
        "text",
        "circle",
    }


def test_json_is_plain_and_whole() -> None:
    made = report(list(trials("tile", "ci12", lost=1)))
    assert json.loads(as_text(made)) == json.loads(json.dumps(as_json(made)))
    row = as_json(made)["methods"][0]["rows"][0]
    assert row["exact"] == wilson(9, 10).to_json()
    json.dumps(as_json(made), allow_nan=False)


def baseline(made, tmp_path):
    (tmp_path / "result.json").write_text(as_text(made))
    return read_baseline(tmp_path / "result.json")


def test_nothing_is_worse_than_itself_or_by_chance(tmp_path) -> None:
    before = baseline(report(list(trials("tile", "ci12", lost=1))), tmp_path)
    for lost in (0, 1, 2):
        assert regressions(report(list(trials("tile", "ci12", lost=lost))), before) == ()


def test_what_got_worse_is_named(tmp_path) -> None:
    before = baseline(report(list(trials("tile", "ci12", pictures=50))), tmp_path)
    found = regressions(report(list(trials("tile", "ci12", lost=5, wrong=1))), before)
    assert {(one.attack, one.figure) for one in found} == {
        (attack, figure)
        for attack in (*(attack.name for attack in attack_set("ci12")), "all")
        for figure in ("exact payload", "wrong payloads")
    }
    assert "tile, gray: exact payload was 50 of 50, now 5 of 10" in map(str, found)


def test_a_weaker_picture_is_worse(tmp_path) -> None:
    before = baseline(report(list(trials("tile", "ci12"))), tmp_path)
    dimmer = [replace(trial, psnr=41.4) for trial in trials("tile", "ci12")]
    (found,) = regressions(report(dimmer), before)
    assert found.figure == "quality of the mark"


def test_only_what_both_have_is_compared(tmp_path) -> None:
    before = baseline(report(list(trials("tile", "core35")), attacks="core35"), tmp_path)
    assert regressions(report(list(trials("other", "ci12", lost=9))), before) == ()
    found = regressions(report(list(trials("tile", "ci12", lost=9))), before)
    assert {one.attack for one in found} == {attack.name for attack in attack_set("ci12")}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"methods": 3}', '{"methods": [{"method": "a"}]}'])
def test_what_is_no_result_is_refused(tmp_path, content) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(InputError):
        read_baseline(tmp_path / "result.json")
