"""The sizes of pages."""

import pytest

from registry.kernel.errors import Malformed
from registry.reading.keyset import PageRequest


@pytest.mark.parametrize("wanted", [{}, {"first": 1, "last": 1}, {"first": 0}, {"first": 101}])
def test_a_page_has_one_size_within_its_bounds(wanted: dict[str, int]) -> None:
    with pytest.raises(Malformed):
        PageRequest(**wanted)  # type: ignore[arg-type]  # Each value is a size.
