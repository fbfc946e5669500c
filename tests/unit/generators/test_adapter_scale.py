"""A scale that no adapter has is told with the scales that there are."""

from __future__ import annotations

import math

import pytest

from generators.adapter_files import examine_adapter
from generators.request import AdapterRef
from provenance.errors import InputError


@pytest.mark.parametrize("scale", [math.nan, math.inf, -1.0, 10.5])
def test_the_help_for_a_scale_names_the_scales(scale: float) -> None:
    with pytest.raises(InputError) as caught:
        examine_adapter(AdapterRef(ref="style", scale=scale))
    assert caught.value.code == "adapter.scale"
    assert "0 to 10" in (caught.value.hint or "")
    assert "adapter.safetensors" not in (caught.value.hint or "")
