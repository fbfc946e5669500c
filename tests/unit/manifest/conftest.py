"""A small certificate authority of our own, pictures in every container, and signed ones."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier
from PIL import Image

from provenance.manifest.reading import SoftBinding, TrustTier
from provenance.manifest.sign import SignedAsset, sign
from provenance.manifest.signers import PemSigner
from provenance.manifest.spec import ManifestSpec
from provenance.manifest.trust import CLAIM_SIGNING, EMAIL_PROTECTION, TrustList, TrustLists
from provenance.media import Asset

if TYPE_CHECKING:
    from collections.abc import Callable

MIMES = ("image/png", "image/jpeg", "image/webp", "image/tiff")
FORMATS = dict(zip(MIMES, ("PNG", "JPEG", "WEBP", "TIFF"), strict=True))


@dataclass
class Authority:
    """Root and issuing authority; makes signers of any shape, valid around now."""

    organisation: str = "Example Labs"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    root_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.root = self._certificate("Root", self.root_key, None, ca=True, days=3650)
        self.issuing = self._certificate("Issuing", self.key, (self.root, self.root_key), ca=True, days=1000)

    def signer(
        self,
        *,
        name: str = "Claim Signer",
        days: float = 365,
        ekus: tuple[str, ...] = (CLAIM_SIGNING, EMAIL_PROTECTION),
        with_issuing: bool = True,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> PemSigner:
        key = key or ec.generate_private_key(ec.SECP256R1())
        leaf = self._certificate(name, key, (self.issuing, self.key), ca=False, days=days, ekus=ekus)
        chain = leaf.public_bytes(Encoding.PEM)
        if with_issuing:
            chain += self.issuing.public_bytes(Encoding.PEM)
        return PemSigner(chain=chain, key=key)

    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def trust(self, tier: TrustTier = TrustTier.OWN, *, ekus: tuple[str, ...] | None = None) -> TrustLists:
        item = TrustList.of(name="ours", tier=tier, pem=self.root_pem(), date=self.now.date())
        return TrustLists(lists=(item,)) if ekus is None else TrustLists(lists=(item,), ekus=ekus)

    def _certificate(self, name, key, issuer, *, ca, days, ekus=()):
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        signing = issuer[1] if issuer else key
        usage = {
            "digital_signature": not ca,
            "content_commitment": not ca,
            "key_cert_sign": ca,
            "crl_sign": ca,
        }
        others = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer[0].subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=30))
            .not_valid_after(self.now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage, **dict.fromkeys(others, False)), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
            )
        )
        if ekus:
            usages = x509.ExtendedKeyUsage([ObjectIdentifier(eku) for eku in ekus])
            builder = builder.add_extension(usages, critical=False)
        return builder.sign(signing, hashes.SHA256())


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return Authority(organisation="OpenAI OpCo, LLC")


@pytest.fixture(scope="session")
def signer(authority: Authority) -> PemSigner:
    return authority.signer()


@pytest.fixture(scope="session")
def trust(authority: Authority) -> TrustLists:
    return authority.trust()


@pytest.fixture(scope="session")
def picture() -> Callable[..., Asset]:
    def make(mime: str = "image/png", *, seed: int = 0, side: int = 40) -> Asset:
        pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, FORMATS[mime])
        return Asset.of(out.getvalue(), mime)

    return make


@pytest.fixture(scope="session")
def spec() -> ManifestSpec:
    return ManifestSpec(
        title="portrait.png",
        claim_generator_version="0.1.0",
        software_agent=("emoji", "1"),
        model_name="emoji",
        soft_binding=SoftBinding(algorithm="org.mediaguard.tile.1", value="00000000000000ff"),
        watermarked=True,
        digest_assertion={"version": 1, "lab": [0, 1, 200, 255], "side": 32},
        recipe_commitment="ab" * 32,
        content_id="00000000000000ff",
    )


@pytest.fixture(scope="session")
def signed(picture, spec, signer, trust) -> Callable[[str], SignedAsset]:
    made: dict[str, SignedAsset] = {}

    def make(mime: str = "image/png") -> SignedAsset:
        if mime not in made:
            made[mime] = sign(picture(mime), spec, signer, trust=trust)
        return made[mime]

    return make
