"""The invisible mark: a keyed locator in the pixels.

``interface`` is all that other rooms use; it loads numpy, scipy and OpenCV only when a mark is
written or read. A mark can find a manifest. It proves nothing by itself: whoever can read a keyed
mark can forge and remove it, and marks can be copied between pictures.

    layout      key → which lines of the tile's spectrum carry what
    ecc         64 or 128 bits ↔ coded bits: a CRC of 28 bits …
    polar       … and a polar code, decoded to a list
    tile        coded bits → one tile, and the tile over a picture
    embedding   strength: the least that decodes after a simulated JPEG-50
    front_end   picture → whitened luma in which the tile stands out
    spectrum    whitened luma → its locally normalised spectrum
    synchronisation   spectrum → how well geometries (rotation, scale, aspect, mirror) fit
    search      whitened luma → the few geometries worth decoding under
    decoding    whitened luma + geometry → lines → statistic and payload
    statistic   lines never used elsewhere → p-value
"""
