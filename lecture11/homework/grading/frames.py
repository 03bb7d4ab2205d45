"""What goes through a pipe: a length of four bytes, and then so many. Knows nothing of the package."""

import os
import struct
from typing import IO

FRAME_LIMIT = 4 * 2**20  # larger than any result that is asked for


def pack(*frames: bytes) -> bytes:
    """The frames, one after the other."""
    return b"".join(struct.pack("<I", len(frame)) + frame for frame in frames)


def read(stream: IO[bytes]) -> bytes:
    """The next frame.

    Raises:
        EOFError: the stream ends before it does.
    """
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError("no frame any more")
    (size,) = struct.unpack("<I", head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("half a frame")
    return data


def write(descriptor: int, *frames: bytes) -> None:
    """Writes the frames to a descriptor that blocks."""
    view = memoryview(pack(*frames))
    while view:
        view = view[os.write(descriptor, view) :]
