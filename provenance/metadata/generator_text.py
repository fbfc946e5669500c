"""Text that image generators leave in PNG files: prompts, settings, node graphs.

Read for its keywords only. They are a hint, not evidence: anybody can write or remove them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.metadata import png

if TYPE_CHECKING:
    from provenance.media import Asset

KEYWORDS = frozenset(
    {
        "parameters",  # AUTOMATIC1111's web UI and those that follow it
        "prompt", "workflow",  # ComfyUI
        "Dream", "sd-metadata", "invokeai_metadata", "invokeai_graph",  # InvokeAI, old and new
        "fooocus_scheme",
    }
)  # fmt: skip
"""Keywords of PNG text chunks (PNG §11.3.3) by which these programs find their own settings again."""


def generator_keywords(asset: Asset) -> tuple[str, ...]:
    """The keywords of known generators in a PNG, in the order of the file; none in other containers.

    Raises:
        InputError: ``media.damaged`` or ``input.too-many-parts``.
    """
    if not asset.content.startswith(png.SIGNATURE):
        return ()
    data = asset.data
    texts = (c.payload(data) for c in png.chunks(data) if c.kind in (b"tEXt", b"zTXt", b"iTXt"))
    found = (text.partition(b"\0")[0].decode("latin-1") for text in texts)
    return tuple(keyword for keyword in found if keyword in KEYWORDS)
