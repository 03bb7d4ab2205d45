"""In place of ``lecture11.data.planar`` while homework is graded: the original draws with functions that answer."""

from typing import Any, NoReturn

SETS: dict[str, Any] = {}
SIZES: dict[str, int] = {}


def gaussian_mixture(*args: Any, **options: Any) -> NoReturn:
    """Is not there.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("gaussian_mixture is not there while homework is graded")
