"""Files in, answers out: the public functions, over the installation that ``Home.locate`` finds.

The flows behind them (``guard.release``, ``guard.verify``, ``guard.recover``) take every key, clock
and store as an argument; these take them from one installation. What several of them take:

    home: the installation; None: the usual one. To verify, one that was never made is no hindrance:
        every signer is then unknown.
    at: time for which certificates are judged; None: now.
    sources: registries and keys to look marks up with; None: those of the home.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guard.clock import utc_now
from guard.home import Home

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from guard.lookup import Sources
    from guard.recover import Recovery
    from guard.stages import Released
    from guard.verdict import Verdict
    from provenance.manifest.trust import TrustLists
    from provenance.media import Asset


def verify_file(
    path: Path,
    *,
    home: Home | None = None,
    at: datetime | None = None,
    marks: bool = False,
    trust: TrustLists | None = None,
    isolated: bool = True,
    sources: Sources | None = None,
) -> Verdict:
    """What can be known of a file's origin. Opens no connection.

    Args:
        path: the file.
        marks: also read the mark of a file whose manifest is intact.
        trust: exactly these lists count, in the place of the installation's.
        isolated: read manifests in formats other than PNG, JPEG and WebP in a process of their own.

    Raises:
        InputError: ``input.…`` when the file is missing, empty, too large or no media.
    """
    from provenance.codecs import read_asset  # noqa: PLC0415
    from provenance.manifest.sidecar import read_sidecar  # noqa: PLC0415

    asset = read_asset(path)
    beside = read_sidecar(path, asset.mime)
    how: dict[str, Any] = {"marks": marks, "trust": trust, "isolated": isolated, "sources": sources}
    return verify_asset(asset, sidecar=beside, home=home, at=at, **how)


def verify_asset(
    asset: Asset,
    *,
    sidecar: bytes | None = None,
    home: Home | None = None,
    at: datetime | None = None,
    marks: bool = False,
    trust: TrustLists | None = None,
    isolated: bool = True,
    sources: Sources | None = None,
) -> Verdict:
    """``verify_file`` for bytes that are here already; a manifest beside them comes as ``sidecar``."""
    from guard.lookup import Sources  # noqa: PLC0415
    from guard.verify import verify  # noqa: PLC0415

    found = home or Home.locate()
    means = Sources(home=found) if sources is None else sources
    return verify(
        asset,
        trust=found.trust() if trust is None else trust,
        at=at or utc_now(),
        sidecar=sidecar,
        relinking=means.relinking if means.available else None,
        always_mark=marks,
        isolated=isolated,
        recalls=means.recalls,
    )


def recover_file(
    path: Path, *, home: Home | None = None, at: datetime | None = None, sources: Sources | None = None
) -> Recovery:
    """The credential of a stripped or changed copy, found by its mark; clips also by what they show.

    Raises:
        InputError: ``input.…``; the file cannot be read or decoded.
        ConfigurationError: ``home.missing``.
        IntegrityError: ``key.not-of-registry``; see ``guard.agreement.require_locator``.
    """
    from guard.lookup import Sources  # noqa: PLC0415
    from guard.recover import recover  # noqa: PLC0415
    from guard.verify import decoded  # noqa: PLC0415
    from provenance.codecs import read_asset  # noqa: PLC0415

    found = home or Home.locate()
    means = (Sources(home=found) if sources is None else sources).require().relinking()
    return recover(
        decoded(read_asset(path), means.keys, whole=True),
        by_digest=True,
        keys=means.keys,
        registry=means.registry,
        trust=found.trust(),
        at=at or utc_now(),
    )


def release_file(
    path: Path,
    output: Path,
    *,
    source: str,
    model_name: str | None = None,
    policy: str | None = None,
    home: Home | None = None,
    force: bool = False,
    video_codec: str | None = None,
    private_number: int | None = None,
) -> Released:
    """Release a picture or clip made elsewhere: marked, labelled, signed, logged, read back.

    Args:
        path: the file, which stays as it is.
        output: the new file, in a folder that exists; or that folder, for a name made from the content id.
        source: term of the IPTC digital source type vocabulary, e.g. ``"trainedAlgorithmicMedia"``.
        model_name: the model that made it, for the manifest.
        policy: packs beside ``base``; None: those of the installation.
        force: replace an existing output.
        video_codec: ``"av1"``, ``"vp9"`` or ``"h264"`` for clips; None: AV1 in MP4, VP9 in WebM.
        private_number: of your own, 1 to 255, for the private layer of a picture's mark; None: none.

    Raises:
        Denied (policy), InputError, ConfigurationError (file, output, installation): nothing was written.
    """
    from guard.inspect import kind_of  # noqa: PLC0415
    from guard.intake import Statement, release_asset, source_type, take_in  # noqa: PLC0415
    from guard.plan import ask  # noqa: PLC0415
    from guard.policy.rule import Stage  # noqa: PLC0415
    from guard.tools import assemble  # noqa: PLC0415

    asset, sidecar = take_in(path, private_number=private_number)
    tools = assemble(home or Home.locate(), policy=policy, private_number=private_number)
    said, kind = Statement(source_type=source_type(source), model_name=model_name), kind_of(asset.mime)
    plan = ask(Stage.PLAN, said.origin(), tools, command="release", kind=kind).obligations
    how: dict[str, Any] = {"command": "release", "force": force, "codec": video_codec, "sidecar": sidecar}
    return release_asset(asset, said, tools, plan=plan, output=output, **how)
