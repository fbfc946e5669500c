"""Weights that are put in their place travel with the notice of what they were trained on."""

from __future__ import annotations

import numpy as np
from safetensors.numpy import save_file

from generators.pinned import NOTICE, listed, pinned_file


def test_the_notice_lies_beside_every_listed_file(tmp_path) -> None:
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "oracle.safetensors")
    listed(tmp_path, licence="Apache-2.0")
    assert (tmp_path / "NOTICE").read_bytes() == NOTICE.read_bytes()
    assert (tmp_path / "NOTICE").stat().st_mode & 0o777 == 0o644
    assert dict(pinned_file(tmp_path, "oracle.safetensors").facts)["licence"] == "Apache-2.0"
