"""Media type by content. A file name is a claim by whoever named the file; these bytes are not.

Only signatures that are specific enough to act on are recognised; everything else is ``None``,
which callers report as "not media" and never as a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance.stored import Bytes

HEAD_BYTES = 4096
"""As much of a file's beginning as any signature below looks at, an ID3 tag before the sound not counted."""

MANIFEST = "application/c2pa"
"""A manifest store that is a file of its own (C2PA specification §11.4)."""

EXTENSIONS: dict[str, str] = {
    "application/c2pa": ".c2pa",
    "application/pdf": ".pdf",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "image/avif": ".avif",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/jxl": ".jxl",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tiff",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "video/x-msvideo": ".avi",
}

_SUFFIXES = frozenset(EXTENSIONS.values()) | {
    *(".3gp", ".apng", ".avifs", ".heif", ".jfif", ".jpe", ".jpeg", ".m4b", ".m4v", ".oga", ".opus"),
    *(".svgz", ".tif", ".wave"),
}
_BESIDE_MAC = "._"
"""What the names of files begin with in which macOS keeps what other disks have no place for."""

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),  # BigTIFF
    (b"MM\x00+", "image/tiff"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x0a", "image/jxl"),  # bare codestream
    (b"%PDF-", "application/pdf"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"isom": "video/mp4",
    b"iso2": "video/mp4",
    b"iso4": "video/mp4",
    b"iso5": "video/mp4",
    b"iso6": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"avc1": "video/mp4",
    b"dash": "video/mp4",
    b"M4V ": "video/mp4",
    b"3gp4": "video/mp4",
    b"3gp5": "video/mp4",
    b"3gp6": "video/mp4",
}
"""ISO base media brands (ISO/IEC 14496-12 §4.3). ``mif1`` and ``msf1`` say "some HEIF": look further."""

_NAMES = {"video/x-msvideo": "AVI", "video/quicktime": "QuickTime", "video/x-matroska": "Matroska"}
"""Of formats that are not called after their media type."""
_BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


def mime_of(data: Bytes) -> str | None:
    """The media type of a file that begins with ``data``, or None when it is no media known here.

    Args:
        data: the file, or its first ``HEAD_BYTES``, which are enough for all but sound behind a long ID3 tag.
    """
    head = data[:HEAD_BYTES]
    for prefix, mime in _PREFIXES:
        if head.startswith(prefix):
            return mime
    found = _riff(head) or _iso_media(head) or _matroska(head) or _bmp(head) or _mpeg_audio(head)
    return found or _svg(head) or _manifest(head) or _tagged(data)


def named_as_media(name: str) -> bool:
    """Whether a file of this name is called media, whatever it holds: one that is not should be looked at."""
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return suffix in _SUFFIXES and not name.startswith(_BESIDE_MAC)


def extension_for(mime: str) -> str:
    """The usual file extension with its dot, e.g. ``".png"``; ``".bin"`` for a type not listed here."""
    return EXTENSIONS.get(mime, ".bin")


def format_name(mime: str) -> str:
    """How people call the format: ``"JPEG"`` for ``image/jpeg``, ``"MP4"`` for ``video/mp4``."""
    return _NAMES.get(mime) or mime.partition("/")[2].removeprefix("x-").removesuffix("+xml").upper()


def _riff(head: bytes) -> str | None:
    return _RIFF.get(head[8:12]) if head[:4] == b"RIFF" else None


def _iso_media(head: bytes) -> str | None:
    """Major brand first, then the compatible brands in the order in which the file lists them."""
    if head[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)


def _matroska(head: bytes) -> str | None:
    if not head.startswith(b"\x1aE\xdf\xa3"):
        return None
    # EBML element 0x4282 is DocType (RFC 8794 §11.2.4).
    if b"\x42\x82\x84webm" in head[:64]:
        return "video/webm"
    return "video/x-matroska" if b"\x42\x82\x88matroska" in head[:64] else None


def _bmp(head: bytes) -> str | None:
    # "BM" alone begins many a text; the size of the second header is one of seven.
    known = head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    return "image/bmp" if known else None


def _mpeg_audio(head: bytes) -> str | None:
    """A bare MPEG audio frame (ISO/IEC 11172-3 §2.4.1.3), layer III, with no reserved field value."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    return None if version == 1 or bitrate in (0, 15) or rate == 3 else "audio/mpeg"


def _tagged(data: Bytes) -> str | None:
    """Sound behind an ID3 tag: FLAC files may begin with one as well."""
    from provenance.metadata.id3 import tag_end  # noqa: PLC0415 - it is for media that have one

    if not data.startswith(b"ID3"):
        return None
    start = tag_end(data)  # 0 for a tag that is none
    return "audio/flac" if data[start : start + 4] == b"fLaC" else "audio/mpeg"


def _manifest(head: bytes) -> str | None:
    """A JUMBF superbox whose description says that it is a manifest store (§11.1.4)."""
    alone = head[4:8] == b"jumb" and head[12:20] == b"jumdc2pa"
    return MANIFEST if alone else None


def _svg(head: bytes) -> str | None:
    """An ``<svg`` element after nothing but XML preamble. A loop, since a regular expression backtracks."""
    rest = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    while end := _preamble_end(rest):
        rest = rest.partition(end)[2].lstrip()
    return (
        "image/svg+xml"
        if rest[:4] == b"<svg" and rest[4:5] in (b" ", b"\t", b"\r", b"\n", b">", b"/")
        else None
    )


def _preamble_end(rest: bytes) -> bytes | None:
    """What closes the XML declaration, comment or document type that ``rest`` begins with, if it does."""
    if rest.startswith(b"<?"):
        return b"?>"
    if rest.startswith(b"<!--"):
        return b"-->"
    if rest.startswith(b"<!DOCTYPE"):
        return b"]>" if b"[" in rest.partition(b">")[0] else b">"
    return None
