"""Measures the grader: a class of mixed quality, its time and the memory of the grader.

    python benchmarks/grading.py [--submissions 100] [--workers 2]

Of ten submissions four are right, three hold mistakes, one is half done, one ends its process in one part and one never
comes back from one. Fewer than 100 are a try and not recorded.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
from record import record

from lecture11.homework import build
from lecture11.homework.grading import course

MISTAKES = {".sum(1)": ".mean(1)", ".sqrt()": "", "0.5 * ": "", "(1 - betas)": "betas", "logsumexp(0)": "sum(0)"}
CRASH = "import os\n    os._exit(1)"
LOOP = "while True:\n        pass"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        place, output = Path(folder, "class"), Path(folder, "grades")
        place.mkdir()
        for number in range(options.submissions):
            (place / f"student {number:03}.ipynb").write_text(json.dumps(submission(number)), encoding="utf-8")
        memory: list[float] = []
        begin = time.perf_counter()
        summary = measured(memory, lambda: course.grade(place, output, workers=options.workers, seed="benchmark"))
        seconds = time.perf_counter() - begin
    assert not summary.failed, summary.failed
    assert len(summary.results) == options.submissions
    share = [result.points / result.of for result in summary.results]
    full = sum(value == 1 for value in share)
    quarter = max(len(memory) // 4, 1)
    rows = [
        ["submissions", f"{options.submissions}, {full} with all points, {statistics.mean(share):.0%} on average"],
        ["workers, cores", f"{options.workers}, {len(os.sched_getaffinity(0))}"],
        ["minutes", f"{seconds / 60:.1f}"],
        ["seconds a submission", f"{seconds * options.workers / options.submissions:.1f}"],
        ["memory of the grader after a quarter of the time", f"{memory[quarter - 1]:,.0f} MB"],
        ["memory of the grader at the end", f"{memory[-1]:,.0f} MB"],
        ["isolation", summary.isolation.split(":")[0]],
    ]
    if options.submissions < 100:
        print("\n".join(" | ".join(row) for row in rows))
    else:
        caption = "The grader on a class of mixed quality, each submission in a sandbox of its own."
        record("grading", caption, ["", "measured"], rows, torch.device("cpu"))
    return 0


def submission(number: int) -> dict[str, Any]:
    """A notebook of one of the homeworks, by its number right, wrong, unfinished or broken."""
    name = build.names()[number // 10 % 4]
    made, empty = build.solution(build.source(name)), build.student(build.source(name))
    kind = number % 10
    answers = [
        i for i, cell in enumerate(made["cells"]) if cell["metadata"].get("lecture11", {}).get("role") == "answer"
    ]
    for place, i in enumerate(answers):
        cell = made["cells"][i]
        text = build.text_of(cell)
        if 4 <= kind <= 6:
            possible = [wrong for wrong in MISTAKES if wrong in text]
            if possible and (place + kind) % 2:
                text = text.replace(possible[0], MISTAKES[possible[0]])
        elif kind == 7 and place % 2:
            text = build.text_of(empty["cells"][i])
        elif kind >= 8 and place == 1:
            head, _, _ = text.partition("\n")
            text = f"{head}\n    {CRASH if kind == 8 else LOOP}"
        cell["source"] = text
    for cell in made["cells"]:
        if "seed" in cell["metadata"].get("lecture11", {}):
            cell["source"] = build.text_of(cell).replace("your name", f"student {number}")
    return made


def measured(memory: list[float], run: Callable[[], course.Summary]) -> course.Summary:
    """Runs it, and notes the memory of the grader and of what judges for it, in MB, after each submission."""
    one, me = course.Course.one, psutil.Process()

    def noted(self: Any, submission: Any, **options: Any) -> Path:
        path = one(self, submission, **options)
        judges = [child for child in me.children() if "lecture11.homework.grading.judge" in child.cmdline()]
        memory.append(sum(process.memory_info().rss for process in (me, *judges)) / 1e6)
        return path

    course.Course.one = noted  # type: ignore[method-assign, assignment]
    return run()


if __name__ == "__main__":
    sys.exit(main())
