"""What is looked up by its id: given twice, the second would silently take the place of the first."""

from collections.abc import Iterable
from typing import TypeVar

Entry = TypeVar("Entry")


def by_id(kind: str, entries: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    """The entries by their ids, in their order.

    Args:
        kind: what they are, in the singular: for the message.

    Raises:
        ValueError: an id is given twice.
    """
    found: dict[str, Entry] = {}
    for id, entry in entries:
        if id in found:
            raise ValueError(f"there are two of the {kind} {id!r}: give each an id of its own")
        found[id] = entry
    return found
