"""Processes that work together, as torchrun starts them, made by a fork: with the package imported already."""

import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable
from typing import Any


def run(work: Callable[[int], Any], count: int = 2) -> list[Any]:
    """What ``work(i)`` returns in each of ``count`` processes on the CPU: a text if it raised, with the error last."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe(duplex=False) for _ in range(count)]

    def begin(i: int) -> None:
        place = {"RANK": i, "LOCAL_RANK": i, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        os.environ.update({name: str(value) for name, value in place.items()} | {"LECTURE11_DEVICE": "cpu"})
        try:
            result = work(i)
        except BaseException:
            result = traceback.format_exc()
        pipes[i][1].send(result)

    processes = [context.Process(target=begin, args=(i,)) for i in range(count)]
    for process in processes:
        process.start()
    try:
        assert all(receiver.poll(120) for receiver, _ in pipes), "a process hangs"
        return [receiver.recv() for receiver, _ in pipes]
    finally:
        for process in processes:
            process.kill()
            process.join()
