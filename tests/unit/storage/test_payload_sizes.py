"""A key file says how long the ids of its marks are, wherever it goes."""

from __future__ import annotations

import json

import pytest

from provenance.errors import IntegrityError
from provenance.key_handing import export_locator, import_locator
from provenance.key_ring import locator_ring, renew_locator
from provenance.keys import create_locator_key, load_locator_key


@pytest.mark.parametrize("sizes", [(8,), (16,), (8, 16), (16, 8)])
def test_sizes_come_back_travel_and_outlive_a_renewal(tmp_path, sizes) -> None:
    made = create_locator_key(tmp_path / "key", payload_sizes=sizes)
    assert made.payload_sizes == load_locator_key(tmp_path / "key").payload_sizes == sizes
    export_locator(made, tmp_path / "handed-out")
    assert import_locator(tmp_path / "handed-out", tmp_path / "elsewhere") == made
    assert renew_locator(tmp_path / "key").payload_sizes == sizes
    assert {key.payload_sizes for key in locator_ring(tmp_path / "key")} == {sizes}


def test_files_without_sizes_are_of_keys_for_eight_bytes(tmp_path) -> None:
    create_locator_key(tmp_path / "key")
    assert "payload_sizes" not in json.loads((tmp_path / "key").read_bytes())
    assert load_locator_key(tmp_path / "key").payload_sizes == (8,)


@pytest.mark.parametrize("sizes", [[], [4], [8, 8], "8", 8, None, [8, 16, 32], {"8": 1}])
def test_other_sizes_are_damage(tmp_path, sizes) -> None:
    create_locator_key(tmp_path / "key")
    stored = json.loads((tmp_path / "key").read_bytes())
    (tmp_path / "key").write_text(json.dumps({**stored, "payload_sizes": sizes}))
    with pytest.raises(IntegrityError) as refused:
        load_locator_key(tmp_path / "key")
    assert refused.value.code == "key.damaged"


@pytest.mark.parametrize("sizes", [(), (8, 8), (4,)])
def test_no_key_is_made_for_other_sizes(tmp_path, sizes) -> None:
    with pytest.raises(ValueError, match="payload_sizes"):
        create_locator_key(tmp_path / "key", payload_sizes=sizes)
    assert not (tmp_path / "key").exists()
