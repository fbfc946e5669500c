"""What every error code means, for ``guard explain CODE``. Sorted; a code is never reused."""

from __future__ import annotations

CODES: dict[str, str] = {
    "extra.missing": (
        "An optional part of mediaguard is not installed. The core stays small on purpose; what an absent part "
        "would have checked is reported as not checked, never as passed. The hint names the command that adds it."
    ),
    "input.animated": (
        "The file holds more than one picture: an animation, or a document of several pages. Picture commands act"
        " on exactly one, because a mark or digest of the first frame would say nothing about the others. Export "
        "the frame you mean, or use the video commands."
    ),
    "input.damaged": (
        "The container was recognised, but its content cannot be decoded: a checksum fails, a table is missing, "
        "or values contradict each other. Nothing is concluded from the part that could be read. Export the "
        "picture again from its source."
    ),
    "input.empty": ("The file has no bytes at all. A copy or download that failed leaves such files behind."),
    "input.folder": (
        "A folder was given where one file is needed. Name the files in it, for instance with a shell pattern."
    ),
    "input.missing": (
        "There is no file of this name, or a part of the path is not a folder, or the name holds a character no "
        "file name may have."
    ),
    "input.not-media": (
        "The bytes are no picture, video, sound or PDF that is known here. The type is taken from the content and"
        " never from the extension, so renaming does not help. Pipes and devices are refused for the same reason:"
        " they have no content of their own."
    ),
    "input.too-large": (
        "The file, or the picture its header announces, exceeds the limits under which untrusted media are "
        "parsed. Sizes are checked before a pixel is decoded, so that a small file cannot claim all memory or "
        "hours of work. Scale the picture down, or raise the limit if you trust its source."
    ),
    "input.truncated": (
        "The file ends before its own format says it should: a copy or download stopped early. Copy or download "
        "it again."
    ),
    "input.unreadable": (
        "The operating system refuses to open or read the file. Check its permissions and the medium it is on."
    ),
    "input.unsupported": (
        "The type is known, but its pixels cannot be decoded here: a format without a picture codec, or a layout "
        "(32-bit, floating point, Lab, separate 16-bit planes) without an agreed way to show it. Convert it to "
        "PNG, JPEG, WebP or TIFF with 8 or 16 bits a channel."
    ),
    "output.alpha": (
        "The picture has transparency and the chosen format has none. Dropping it silently would change what "
        "people see, so choose PNG, WebP or TIFF, or flatten the picture first."
    ),
    "output.depth": (
        "The picture has 16 bits a channel and the chosen format cannot hold them. Choose PNG or TIFF, or reduce "
        "the picture to 8 bits first."
    ),
    "output.format": (
        "Pictures are written as PNG, JPEG, WebP or TIFF. The name of the output or the option asks for something"
        " else, or the encoder refused the picture."
    ),
    "output.frames": (
        "More than one frame was to be written into a still picture. Write a clip instead, or choose one frame."
    ),
    "output.quality": (
        "The quality of JPEG and WebP is a whole number from 1 to 100. PNG and TIFF lose nothing and ignore it."
    ),
    "output.size": (
        "The chosen format cannot hold a picture with so long a side. Choose PNG or TIFF, or scale the picture "
        "down."
    ),
}
