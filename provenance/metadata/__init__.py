"""What a file says about itself beside its manifest: XMP, and what must not leave with it.

``png``, ``jpeg``, ``riff`` and ``tiff`` walk a container without decoding a pixel; ``xmp`` writes and
``reading`` holds the AI statement of IPTC; ``strip`` removes what cameras and tools leave behind.
"""
