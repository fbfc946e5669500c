"""One added registry, in words and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from guard.added_registries import OLD_DAYS, whole
from guard.text import plain
from guard.verdict import MET, NOT_MET

if TYPE_CHECKING:
    from provenance.registry_check import Checked
    from provenance.registry_kept import Fetched, KeptRegistries
    from provenance.registry_state import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What there is to say of an added registry.

    Attributes:
        name: what it is called here.
        source: where it comes from.
        fingerprint: of its key.
        origin: name of its log.
        state: number of the copy.
        published: when its publisher says that this state was made.
        fetched: when it was fetched.
        new: whether that was just now; None where nothing was fetched.
        checked: what the check found; None where nothing was checked.
        known: whether it had been added before.
        mended: whether what was known of it had been damaged.
        not_compared: damaged copies that this state was not held against.
    """

    name: str
    source: str
    fingerprint: str
    origin: str
    state: int
    published: datetime
    fetched: datetime
    new: bool | None = None
    checked: Checked | None = None
    known: bool = True
    mended: bool = False
    not_compared: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: Kept, fetched: Fetched | None = None) -> Row:
        """That of ``kept``."""
        from provenance.log.checkpoint import NoteVerifier  # noqa: PLC0415 - cryptography
        from provenance.registry_head import fingerprint_of  # noqa: PLC0415

        key = NoteVerifier.parse(kept.publisher)
        return cls(
            name=kept.name,
            source=kept.source,
            fingerprint=fingerprint_of(key),
            origin=key.name,
            state=kept.sequence,
            published=datetime.fromtimestamp(kept.published_at, UTC),
            fetched=datetime.fromtimestamp(kept.fetched_at, UTC),
            new=None if fetched is None else fetched.new,
            checked=None if fetched is None else fetched.checked,
            known=fetched is None or fetched.known,
            mended=fetched is not None and fetched.mended,
            not_compared=() if fetched is None else fetched.not_compared,
        )

    @property
    def code(self) -> int:
        """1 where entries do not hold: the copy is kept, and somebody should look."""
        return NOT_MET if self.checked is not None and self.checked.refused else MET

    def print(self, now: datetime | None = None) -> None:
        """In a terminal."""
        fetched = "MENDED" if self.mended else "UPDATED" if self.known else "ADDED"
        head = {None: "KEPT", False: "SAME", True: fetched}[self.new]
        click.echo(f"{head}  {plain(self.name)}")
        click.echo(f"    from       {plain(self.source)}")
        click.echo(f"    key        {self.fingerprint}  ({plain(self.origin)})")
        old = ", which is old" if now is not None and (now - self.fetched).days > OLD_DAYS else ""
        when = f"published {_day(self.published)}, fetched {_day(self.fetched)}{old}"
        click.echo(f"    state      {self.state}, {when}")
        if self.checked is not None:
            self._print_check(self.checked)
        if self.not_compared:
            click.echo(f"    not held against damaged copies: {plain(', '.join(self.not_compared))}")

    def _print_check(self, checked: Checked) -> None:
        more = f", {checked.without_digest} without a content digest" if checked.without_digest else ""
        click.echo(f"    manifests  {checked.manifests}, all in its log{more}")
        click.echo(f"    ids        {checked.ids}")
        if checked.withdrawn:
            click.echo(f"    withdrawn  {checked.withdrawn}")
        if checked.unpublished:
            click.echo(f"    missing    {checked.unpublished} releases of its log are not in it")
        for why in checked.why:
            click.echo(f"    refused    {plain(why)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedRow:
    """An added registry that cannot be looked into.

    Attributes:
        name: what it is called here.
        damaged: why.
        source: where it comes from; None where that is lost.
        fingerprint: of the key that it is pinned to; None where that is lost.
        hint: what helps.
    """

    name: str
    damaged: str
    source: str | None
    fingerprint: str | None
    hint: str

    @property
    def code(self) -> int:
        """1: look-ups do without it."""
        return NOT_MET

    def print(self, now: datetime | None = None) -> None:
        """In a terminal."""
        del now
        click.echo(f"DAMAGED  {plain(self.name)}")
        click.echo(f"    why        {plain(self.damaged)}")
        click.echo(f"    from       {plain(self.source or 'not known any more')}")
        click.echo(f"    key        {self.fingerprint or 'lost, with the pin'}")
        click.echo(f"    help       {plain(self.hint)}")


def row_of(known: KeptRegistries, name: str) -> Row | DamagedRow:
    """That of one; every file of its copy is read, as ``guard doctor`` does."""
    from provenance.errors import Error  # noqa: PLC0415
    from provenance.log.checkpoint import NoteVerifier  # noqa: PLC0415 - cryptography
    from provenance.registry_head import fingerprint_of  # noqa: PLC0415
    from provenance.registry_state import pin_lost  # noqa: PLC0415

    try:
        kept, _ = whole(known, name)
    except Error as error:
        pin = known.pin(name)
        lost = pin_lost(name, error).hint
        return DamagedRow(
            name=name,
            damaged=error.what,
            source=None if pin is None else pin.source,
            fingerprint=None if pin is None else fingerprint_of(NoteVerifier.parse(pin.publisher)),
            hint=(lost or "") if pin is None else f"guard registry update {name}",
        )
    return Row.of(kept)


def _day(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC")
