"""``guard keys csr`` and ``guard keys import``: an identity that an authority vouches for."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guard.cli._options import FORCE, NewPath, about
from guard.cli._passphrase import PASSPHRASE_FROM, existing_passphrase, new_passphrase
from guard.text import plain

if TYPE_CHECKING:
    from guard.home import Home
    from provenance.manifest.request import Subject

ALGORITHM = click.option(
    "--algorithm",
    type=click.Choice(["es256", "es384", "es512", "ps256", "ed25519"]),
    default="es256",
    show_default=True,
    help="Of a key made now.",
)
PROTECT = click.option(
    "--passphrase/--plain",
    default=None,
    help="Protect a key made now, or not. As the one in force if left out.",
)


@click.command("csr")
@click.option(
    "--organisation", metavar="NAME", help="Its legal name; that of the identity in force if left out."
)
@click.option(
    "--name", metavar="NAME", help="Common name, which verifiers show; the organisation if left out."
)
@click.option("--unit", metavar="NAME", help="A department.")
@click.option("--country", metavar="XX", help="Two capital letters.")
@ALGORITHM
@PROTECT
@PASSPHRASE_FROM
@click.option("--current", is_flag=True, help="Certify the key in force once more, instead of another key.")
@click.option(
    "--pkcs11",
    metavar="URI",
    help="Certify a key on a token, pkcs11:token=LABEL;object=LABEL?module-path=FILE (RFC 7512).",
)
@click.option(
    "--public-key",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="Certify the key, of which this is the public part in PEM, that the program of the settings signs "
    "with ([signer] in config.toml).",
)
@click.option(
    "-o",
    "--output",
    type=NewPath(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where the request goes; it holds no secret.",
)
@FORCE
def csr(
    organisation: str | None,
    name: str | None,
    unit: str | None,
    country: str | None,
    algorithm: str,
    passphrase: bool | None,
    current: bool,
    pkcs11: str | None,
    public_key: Path | None,
    output: Path,
    force: bool,
) -> None:
    """Write a certificate request (PKCS 10), for an authority to issue a signing certificate.

    A key is made where none waits, and stays in this installation; the identity in force goes on signing
    until guard keys import installs what the authority returns. A key on a token or in a key service
    signs the request where it is.
    """
    from guard.home import Home  # noqa: PLC0415
    from provenance.files import check_writable_folder, replace_atomically, write_temporary  # noqa: PLC0415

    home = Home.locate().require()
    home.require_own_keys()
    subject = _subject(home, organisation=organisation, name=name, unit=unit, country=country)
    check_writable_folder(output.parent)
    if sum((current, pkcs11 is not None, public_key is not None)) > 1:
        raise click.UsageError("one key at a time: --current, --pkcs11 or --public-key")
    if pkcs11 is None and public_key is None and home.config().signer.kind == "file":
        request = _over_own_key(home, subject, algorithm=algorithm, protect=passphrase, current=current)
    else:
        request = _over_key_elsewhere(home, subject, pkcs11, public_key)
    replace_atomically(write_temporary(output, request), output, overwrite=force)
    click.echo(f"wrote {plain(str(output))} for {plain(subject.organisation)}")
    click.echo("send it to the authority; then guard keys import CHAIN with what it returns", err=True)


def _over_own_key(
    home: Home, subject: Subject, *, algorithm: str, protect: bool | None, current: bool
) -> bytes:
    from guard.enrolment import request_certificate  # noqa: PLC0415

    wanted = home.is_protected() if protect is None else protect
    return request_certificate(
        home,
        subject,
        algorithm=algorithm,
        new=new_passphrase if wanted else None,
        existing=existing_passphrase,
        current=current,
    )


def _over_key_elsewhere(home: Home, subject: Subject, uri: str | None, public_key: Path | None) -> bytes:
    """Over the key that was named, else over the one that the settings name."""
    from guard.enrolment import configured_key, request_elsewhere  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.manifest.pkcs11 import TokenKey  # noqa: PLC0415
    from provenance.manifest.request import read_public_key  # noqa: PLC0415

    if uri is not None:
        return request_elsewhere(home, subject, TokenKey.of(uri), pin=existing_passphrase)
    if public_key is None:
        return request_elsewhere(home, subject, configured_key(home), pin=existing_passphrase)
    with about(public_key):
        key = read_public_key(read_bounded(public_key, most=2**16))
    return request_elsewhere(home, subject, key, pin=existing_passphrase)


@click.command("import")
@click.argument("chain", metavar="CHAIN", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--key",
    metavar="FILE",
    type=click.Path(path_type=Path, readable=False),
    help="The private key, where it was not made here; it is copied as it is, protected or not.",
)
@PASSPHRASE_FROM
def import_(chain: Path, key: Path | None) -> None:
    """Install the certificate chain that an authority returned, and sign with it from now on.

    Checked first: every rule of the profile (guard keys lint), that nothing in it was revoked, and that
    the key is the one it was issued for. The identity before is kept beside it. A key on a token or in a
    key service is named in the settings first ([signer] in config.toml).
    """
    from guard.cli._keys_lint import MAX_CHAIN  # noqa: PLC0415
    from guard.clock import utc_now  # noqa: PLC0415
    from guard.enrolment import import_chain  # noqa: PLC0415
    from guard.home import Home  # noqa: PLC0415
    from provenance.files import read_bounded  # noqa: PLC0415
    from provenance.manifest.reading import TrustTier  # noqa: PLC0415

    home = Home.locate().require()
    home.require_own_keys()  # before the file: no chain could be put in force here
    with about(chain):
        made = import_chain(
            home,
            read_bounded(chain, most=MAX_CHAIN),
            now=utc_now(),
            random=secrets.token_bytes,
            passphrase=existing_passphrase,
            key_path=key,
        )
    click.echo(
        f"signing as {plain(str(made))}, issued by {plain(made.issuer)}, until {made.not_after:%Y-%m-%d}"
    )
    if made.tier is TrustTier.UNKNOWN:
        click.echo(
            "no list here has its root: guard trust add NAME PEM, else its files are UNKNOWN_SIGNER", err=True
        )


def _subject(home: Home, **said: str | None) -> Subject:
    """What was said; what was not, from the identity in force, unless that is one for development."""
    from provenance.manifest.identity import is_development  # noqa: PLC0415
    from provenance.manifest.key_files import read_pem  # noqa: PLC0415
    from provenance.manifest.request import Subject  # noqa: PLC0415
    from provenance.manifest.signers import leaf_of  # noqa: PLC0415

    organisation, name = said["organisation"], said["name"]
    if organisation is not None:
        return Subject(
            organisation=organisation, name=name or organisation, unit=said["unit"], country=said["country"]
        )
    path = home.signing_folder / "chain.pem"
    leaf = leaf_of(read_pem(path, "signer.chain-missing", "the certificate chain"))
    if is_development(leaf):
        raise click.UsageError("whom is the certificate to name? Say --organisation NAME")
    before = Subject.of(leaf)
    return Subject(
        organisation=before.organisation,
        name=name or before.name,
        unit=said["unit"] or before.unit,
        country=said["country"] or before.country,
    )
