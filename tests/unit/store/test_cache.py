"""The array cache returns what was stored, or says that there is nothing: never something damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.store.cache import ArrayCache

ARRAYS = {"indptr": np.array([0, 1, 3], np.int32), "value": np.array([[1.5, -0.0], [np.inf, np.nan]]), "name": np.array(["a", "bcd"])}


@pytest.fixture
def cache(tmp_path: Path) -> ArrayCache:
    return ArrayCache(tmp_path / "programs")


def test_what_is_stored_is_loaded(cache: ArrayCache) -> None:
    cache.save("key", ARRAYS, {"rows": ["energy_balance[1]"], "t": 96})
    loaded = cache.load("key")
    assert loaded is not None
    arrays, meta = loaded
    assert meta == {"rows": ["energy_balance[1]"], "t": 96}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_what_was_never_stored_is_none(cache: ArrayCache) -> None:
    assert cache.load("key") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_damaged_is_none_and_can_be_stored_anew(cache: ArrayCache, data: st.DataObject) -> None:
    cache.save("key", ARRAYS)
    path = cache.folder / "key.arrays"
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans(), "truncate"):
        content = content[:data.draw(st.integers(0, len(content) - 1), "length")]
    else:
        content[data.draw(st.integers(0, len(content) - 1), "place")] ^= 1 << data.draw(st.integers(0, 7), "bit")
    path.write_bytes(bytes(content))
    assert cache.load("key") is None
    cache.save("key", ARRAYS)
    assert cache.load("key") is not None


def test_objects_are_refused(cache: ArrayCache) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        cache.save("key", {"bad": np.array([object()])})
    assert cache.load("key") is None
    assert not cache.folder.exists() or not list(cache.folder.iterdir())
