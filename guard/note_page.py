"""The page of a verification note: plain HTML that prints, every text from outside escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from guard.note import LIMITS, STEPS, Circumstances, Exhibit, repeat, tools
from guard.text import plain
from guard.verdict import MEANING, NOT_MET, State, exit_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guard.verdict import Verdict
    from provenance.manifest.reading import IngredientReading, ManifestReading

_STYLE = """
body { font: 15px/1.45 system-ui, "Segoe UI", sans-serif; color: #1b1b1f; max-width: 62rem; margin: 2rem auto;
 padding: 0 1.5rem } h1 { font-size: 1.7rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem;
 border-bottom: 1px solid #c8c8d0; padding-bottom: .2rem } h3 { font-size: 1rem; margin: 1.3rem 0 .3rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top;
 padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #ececf1; overflow-wrap: anywhere }
th { font-weight: 600; white-space: nowrap; width: 1% } thead th { width: auto; color: #55555f }
.word { white-space: nowrap; width: 1%; color: #55555f }
code { font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
.verdict { border-left: .5rem solid #9a6b00; background: #faf6ec; padding: .6rem 1rem; margin: .6rem 0 }
.verdict b { font-size: 1.25rem; letter-spacing: .03em } .verdict p { margin: .2rem 0 0 }
.met { border-color: #1e7b34; background: #eef7f0 } .bad { border-color: #b3261e; background: #fcf0ef }
.soft { color: #55555f } .problem { color: #b3261e; font-weight: 600 } ul.tree { list-style: none;
 padding-left: 1.2rem; margin: .2rem 0; border-left: 1px solid #c8c8d0 } ul.tree li { margin: .3rem 0 }
section.exhibit { break-before: auto } .verdict, tr, li { break-inside: avoid }
@media print { body { margin: 0; max-width: none; font-size: 11pt } section.exhibit + section.exhibit {
 break-before: page } .verdict { print-color-adjust: exact } }
"""
_MOST_NODES = 300
_WHERE = "In the folder of the files and of .c2pa files beside them, with the trust lists named above:"
_WORDS = {
    "supports": "holds",
    "contradicts": "does not hold",
    "absent": "nothing there",
    "inconclusive": "undecided",
    "not_checked": "not checked",
    "failed": "could not be read",
}
"""What an outcome is called on the page."""


def page(exhibits: Sequence[Exhibit], circumstances: Circumstances) -> str:
    """The whole note as one HTML document."""
    title = "Verification note"
    judged = f"{circumstances.at:%Y-%m-%d %H:%M:%S} UTC"
    made = f"{circumstances.made:%Y-%m-%d %H:%M:%S} UTC"
    count = "1 exhibit" if len(exhibits) == 1 else f"{len(exhibits)} exhibits"
    body = "".join(
        [
            f"<h1>{title}</h1>",
            f'<p class="soft">{count} · made {made} · certificates judged as of {judged}</p>',
            _overview(exhibits) if len(exhibits) > 1 else "",
            *(_exhibit(number, one) for number, one in enumerate(exhibits, 1)),
            _lists(circumstances),
            _rows("Tools", tools()),
            _listed("Steps taken with every exhibit", STEPS, ordered=True),
            _listed("Limits: what this note does not say", LIMITS),
            f"<h2>How to repeat it</h2><p>{_WHERE}</p>",
            "".join(
                f"<p><code>{_safe(line, limit=2000)}</code></p>" for line in repeat(exhibits, circumstances)
            ),
        ]
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _overview(exhibits: Sequence[Exhibit]) -> str:
    rows = "".join(
        f"<tr><td>{number}</td><td>{_safe(one.name)}</td><td>{_word(one)}</td></tr>"
        for number, one in enumerate(exhibits, 1)
    )
    head = "<thead><tr><th>#</th><th>file</th><th>verdict</th></tr></thead>"
    return f"<h2>Overview</h2><table>{head}{rows}</table>"


def _word(one: Exhibit) -> str:
    return "could not be judged" if one.verdict is None else _safe(one.verdict.state.value.upper())


def _exhibit(number: int, one: Exhibit) -> str:
    facts = [("file name", one.name)]
    if one.size is not None:
        facts += [("size", f"{one.size:,} bytes"), ("type, by content", one.mime or "unknown")]
    if one.verdict is not None:
        facts.append(("SHA-256", one.verdict.asset_sha256))
    if one.beside:
        facts.append(("manifest", "from the .c2pa file beside it, which has to lie there to repeat this"))
    head = f'<section class="exhibit"><h2>Exhibit {number}: {_safe(one.name)}</h2>'
    told = _problem(one) if one.verdict is None else _judged(one.verdict)
    return f"{head}{_table(facts)}{told}</section>"


def _problem(one: Exhibit) -> str:
    why = "not looked at" if one.error is None else f"{one.error.what} ({one.error.code})"
    return f'<div class="verdict"><b>COULD NOT BE JUDGED</b><p>{_safe(why)}</p></div>'


def _judged(verdict: Verdict) -> str:
    colour = " met" if verdict.state is State.TRUSTED else ""
    if exit_code(verdict.state) == NOT_MET:
        colour = " bad"
    said = verdict.reason.replace(";", ",") == MEANING[verdict.state]
    why = "" if said else f"<p>{_safe(verdict.reason)}</p>"
    answers = "".join(
        f"<tr><th>{one.question}</th><td class='word'>{_WORDS[one.outcome.value]}</td>"
        f"<td>{_safe(one.text)}</td></tr>"
        for one in verdict.answers
    )
    return "".join(
        [
            f'<div class="verdict{colour}"><b>{verdict.state.value.upper()}</b>',
            f"<p>{MEANING[verdict.state]}</p>{why}</div>",
            _small("Warnings", verdict.warnings),
            f"<h3>Questions and answers</h3><table>{answers}</table>",
            _small("Statements that contradict each other", verdict.conflicts),
            "" if verdict.manifest is None else _manifest(verdict.manifest),
            _tree(verdict.ingredients, intact=verdict.manifest is not None and verdict.manifest.intact),
            _small("What was not checked, and why", verdict.not_checked),
        ]
    )


def _manifest(manifest: ManifestReading) -> str:
    facts = [("SHA-256 of the manifest store", manifest.manifest_sha256), ("label", manifest.label)]
    facts += [("signed with", manifest.claim_generator), ("title in the claim", manifest.title)]
    if (signer := manifest.signer) is not None:
        facts += [
            ("signer", str(signer)),
            ("certificate, SHA-256", signer.fingerprint_sha256),
            (
                "certificate valid",
                f"{signer.not_before:%Y-%m-%d %H:%M} to {signer.not_after:%Y-%m-%d %H:%M} UTC",
            ),
            (
                "certificate issued by",
                f"{signer.issuer} [named in the certificate, not vouched for by this line]",
            ),
        ]
    facts += [
        ("actions", ", ".join(manifest.actions)),
        ("log checkpoint quoted", _head(manifest.log_checkpoint)),
    ]
    facts += [("failed checks", ", ".join(manifest.failures))]
    given = [(name, value) for name, value in facts if value]
    return f"<h3>Manifest</h3>{_table(given)}" if given else ""


def _head(note: str | None) -> str:
    """Origin, size and root hash of a checkpoint, without its signatures."""
    return " · ".join((note or "").split("\n")[:3])


def _tree(ingredients: Sequence[IngredientReading], *, intact: bool) -> str:
    if not ingredients:
        return ""
    left = [_MOST_NODES]
    count = sum(1 for root in ingredients for _ in root.walk())
    more = f"<p>{count - _MOST_NODES} more are left out here.</p>" if count > _MOST_NODES else ""
    changed = "" if intact else ", by a file or manifest that was changed"
    return f"<h3>Ingredients ({count}){changed}</h3>{_branch(ingredients, left)}{more}"


def _branch(nodes: Sequence[IngredientReading], left: list[int]) -> str:
    items = []
    for node in nodes:
        left[0] -= 1
        if left[0] < 0:
            break
        below = _branch(node.children, left) if node.children else ""
        items.append(f"<li>{_node(node)}{below}</li>")
    return f'<ul class="tree">{"".join(items)}</ul>' if items else ""


def _node(node: IngredientReading) -> str:
    mark = '<span class="problem">PROBLEM</span> ' if node.problem else ""
    head = f"{mark}{_safe(node.title) or '(no title)'} <span class='soft'>({_safe(node.relationship)})</span>"
    if node.label is None:
        return f"{head}: no manifest of its own"
    recorded = ", ".join(node.recorded) or ("sound" if node.validated else "not recorded")
    now = ", ".join(node.revalidated) or ("the same" if node.problem else "holds")
    signer = str(node.signer) if node.signer else "not readable"
    return f"{head}<br>signer {_safe(signer)}<br>when taken in: {_safe(recorded)}; now: {_safe(now)}"


def _lists(circumstances: Circumstances) -> str:
    trust = circumstances.trust
    rows = "".join(
        f"<tr><td>{_safe(one.name)}</td><td>{one.tier.value}</td><td>{one.kind.value}</td><td>{one.date}</td>"
        f"<td>{one.pem.count(b'BEGIN CERTIFICATE')}</td><td><code>{one.sha256}</code></td></tr>"
        for one in trust.lists
    )
    head = "".join(f"<th>{word}</th>" for word in ("name", "tier", "for", "date", "certificates", "SHA-256"))
    none = "<p>None: every signer is unknown here.</p>"
    known = f"<p>Certificates recorded here as revoked: {len(trust.revoked)}.</p>"
    table = f"<table><thead><tr>{head}</tr></thead>{rows}</table>" if rows else none
    return f"<h2>Trust lists</h2>{table}{known}"


def _rows(title: str, rows: Sequence[tuple[str, str]]) -> str:
    return f"<h2>{title}</h2>{_table(rows)}"


def _table(rows: Iterable[tuple[str, str | None]]) -> str:
    cells = "".join(f"<tr><th>{name}</th><td>{_safe(value or '')}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _listed(title: str, items: Sequence[str], *, ordered: bool = False) -> str:
    kind = "ol" if ordered else "ul"
    return (
        f"<h2>{title}</h2><{kind}>{''.join(f'<li>{_safe(item, limit=1000)}</li>' for item in items)}</{kind}>"
    )


def _small(title: str, items: Sequence[str]) -> str:
    entries = "".join(f"<li>{_safe(item)}</li>" for item in items)
    return f"<h3>{title}</h3><ul>{entries}</ul>" if items else ""


def _safe(text: str, *, limit: int = 600) -> str:
    return escape(plain(text, limit=limit), quote=True)
