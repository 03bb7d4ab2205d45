"""A folder as a class hands it in: right, wrong and hostile; the grades are fixed beforehand.

What the hostile ones do is really tried, so only where a sandbox holds. That the grader says so and stops where there
is none is tested everywhere, in test_grading_course.py.
"""

import csv
import os
import socket
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import hostile
import pytest

from lecture11.homework.grading import course, sandbox
from lecture11.homework.grading.sandbox import Limits
from lecture11.homework.grading.submission import Grade, Result

LIMITS = Limits(cell=6.0, call=4.0, total=150.0, memory=2**29, processes=16, disk=2**24)

FORMULA = '=HYPERLINK("http:","a").ipynb'
RIGHT = {
    "two words.ipynb": ("01-autoencoders", 12),
    "Zoë Müller/homework 2.ipynb": ("02-vae-elbo", 15),
    "a new\nline.ipynb": ("03-em-reparametrisation", 18),
    FORMULA: ("04-diffusion", 21),
}
WRONG = {
    # name: cells, points, and what is to be said
    "mean.ipynb": ([hostile.KL.replace(".sum(1)", ".mean(1)"), hostile.ESS], 2, "you averaged over the latent"),
    "crash.ipynb": (
        [hostile.KL, "def iw_bound(log_w):\n    import ctypes\n    ctypes.string_at(0)", hostile.ESS],
        4,
        "while iw_bound ran: the process was ended",
    ),
    "exit.ipynb": ([hostile.KL, "def iw_bound(log_w):\n    os._exit(0)", hostile.ESS], 4, "with code 0"),
    "bad cell.ipynb": (
        [hostile.KL, "1 / 0", "def elbo(:", "%matplotlib inline\n" + hostile.ESS],
        4,
        "there is no elbo",
    ),
}


@dataclass
class Graded:
    """What came of the folder."""

    output: Path
    canary: Path
    isolation: str
    results: dict[str, Result]
    connections: list[object] = field(default_factory=list)

    def part(self, name: str, part: str) -> Grade:
        """The grade of a part."""
        return next(grade for grade in self.results[name].parts if grade.part == part)


@pytest.fixture(scope="module")
def isolated() -> bool:
    """Whether this system has a sandbox."""
    try:
        with sandbox.sandbox([], LIMITS) as box:
            return box.isolated
    except sandbox.SandboxError:
        return False


@pytest.fixture(scope="module")
def graded(isolated: bool, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The whole folder, graded once for all tests."""
    if not isolated:
        # In CI that is a failure, not a silence.
        assert os.environ.get("CI") != "true", "CI needs namespaces: .ci/namespaces"
        pytest.skip("no sandbox here: hostile code is not run. That the grader stops is in test_grading_course.py")
    folder = tmp_path_factory.mktemp("class")
    canary = tmp_path_factory.mktemp("canary")
    canary.chmod(0o777)  # only the sandbox keeps anyone from it
    (canary / "alive").write_text("alive")
    (canary / "alive").chmod(0o666)
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, connections), daemon=True).start()
        _hand_in(folder, str(canary), server.getsockname()[1])
        output = tmp_path_factory.mktemp("grades")
        summary = course.grade(folder, output, workers=4, seed="hidden", limits=LIMITS)
    assert not summary.failed
    results = {result.name: result for result in summary.results}
    return Graded(output, canary, summary.isolation, results, connections)


def _accept(server: socket.socket, connections: list[object]) -> None:
    try:
        while True:
            connections.append(server.accept())
    except OSError:
        pass


def _hand_in(folder: Path, canary: str, port: int) -> None:
    for name, (homework, _) in RIGHT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(hostile.as_bytes(hostile.solved(homework, seed=name[:4].strip())))
    (folder / "Zoë Müller" / "notes.txt").write_text("thank you")
    for name, (cells, _, _) in WRONG.items():
        (folder / name).write_bytes(hostile.as_bytes(hostile.notebook(*cells)))
    (folder / "edited check.ipynb").write_bytes(hostile.as_bytes(hostile.edited_check()))
    for name, made in hostile.programs(canary, port).items():
        (folder / f"{name}.ipynb").write_bytes(hostile.as_bytes(made))
    for name, content in hostile.files().items():
        (folder / name).write_bytes(content)
    with (folder / "200 MB.ipynb").open("wb") as file:
        file.truncate(200 * 2**20)  # of zeros, which take no room on the disk
    (folder / "link.ipynb").symlink_to(folder / "two words.ipynb")
    (folder / "linked folder").symlink_to(folder / "Zoë Müller")
    os.mkfifo(folder / "pipe.ipynb")


@pytest.mark.parametrize("name", RIGHT, ids=ascii)
def test_right_answers_have_all_points_whatever_the_file_is_called(graded: Graded, name: str) -> None:
    result = graded.results[name]
    homework, points = RIGHT[name]
    assert result.homework == homework
    assert (result.points, result.of) == (points, points), [p.message for p in result.parts]
    assert not result.remarks


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_or_a_crash_in_one_part_costs_that_part(graded: Graded, name: str) -> None:
    result = graded.results[name]
    _, points, says = WRONG[name]
    assert (result.points, result.of) == (points, 15), [p.message for p in result.parts]
    assert any(says in part.message for part in result.parts)


@pytest.mark.parametrize("name", hostile.programs("", 0))
def test_a_hostile_program_has_no_points_and_a_clear_line(graded: Graded, name: str) -> None:
    result = graded.results[f"{name}.ipynb"]
    assert not result.refused
    assert (result.points, result.of) == (0, 15)
    assert all(part.message for part in result.parts)
    says = {
        "imports the solution": ["lecture11.gaussian is not there while homework is graded"],
        "imports the reference": ["lecture11.gaussian is not there while homework is graded"],
        "forks without end": ["took longer than 6 seconds"],
        # The second one on a busy machine.
        "allocates without end": ["can't allocate memory", "took longer than 6 seconds"],
        "allocates in many processes": ["more memory than there is", "took longer than 6 seconds"],
        "writes without end": ["File too large"],
        "sleeps for ever": ["this takes too long"],
        "cannot be stopped": ["while elbo_kl ran: time is up"],
        "prints without end": ["this takes too long"],
        "returns too much": ["what came back was no result", "time is up"],
        "ends with success": ["the process was ended, with code 0"],
        "is written for Python 2": ["Missing parentheses in call to 'print'"],
    }.get(name, [""])
    lines = [*result.cells, *(part.message for part in result.parts)]
    assert any(text in line for text in says for line in lines), lines


def test_no_solution_is_found_in_the_sandbox(graded: Graded) -> None:
    assert "c1: RuntimeError: found: " in graded.results["reads the solution from files.ipynb"].cells


@pytest.mark.parametrize("name", [*hostile.files(), "200 MB.ipynb", "link.ipynb", "linked folder", "pipe.ipynb"])
def test_what_is_no_homework_is_refused_with_a_reason(graded: Graded, name: str) -> None:
    says = {
        "corrupt.ipynb": "a damaged one",
        "not a notebook.ipynb": "not a notebook",
        "no text.ipynb": "not a text",
        "no cells.ipynb": "no cells",
        "nested.ipynb": "a damaged one",
        "empty.ipynb": "empty",
        "homework.pdf": "does not end with .ipynb",
        "same ids.ipynb": "two cells have the id 'c1'",
        "julia.ipynb": "of the language julia",
        "python 2.ipynb": "Python 2",
        "something else.ipynb": "none of the homeworks",
        "200 MB.ipynb": "200 MB, and at most 20 MB",
        "link.ipynb": "a symbolic link",
        "linked folder": "a symbolic link",
        "pipe.ipynb": "not a file",
    }[name]
    assert says in graded.results[name].refused
    assert graded.results[name].points == 0


def test_an_edited_check_gains_nothing(graded: Graded) -> None:
    result = graded.results["edited check.ipynb"]
    assert result.points == 0
    assert {part.kind for part in result.parts} == {"not done"}
    assert "A check cell was changed" in result.remarks[0]


def test_nothing_outside_was_touched(graded: Graded) -> None:
    assert sorted(path.name for path in graded.canary.iterdir()) == ["alive"]
    assert not graded.connections
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "lecture11-grade-" not in left.replace(f"{os.getpid()}", ""), "a process of the sandbox is left"


def test_the_table_has_a_row_for_each_and_no_formula(graded: Graded) -> None:
    with (graded.output / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(graded.results) == len(list(graded.output.glob("reports/*.html")))
    for row in rows:
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values()), row
        assert not any(character in value for value in row.values() for character in "\n\r\x1b")
    assert {row["submission"] for row in rows} >= {f"'{FORMULA}", r"a new\nline.ipynb", "two words.ipynb"}
    assert {row["student"] for row in rows} >= {"Zoë Müller"}


def test_the_pages_hold_no_code_of_others(graded: Graded) -> None:
    pages = [path.read_text(encoding="utf-8") for path in graded.output.rglob("*.html")]
    assert not any("<script" in page for page in pages)
    assert any("&lt;script&gt;alert(1)" in page for page in pages)


def test_the_class_page_counts_mistakes(graded: Graded) -> None:
    page = (graded.output / "class.html").read_text(encoding="utf-8")
    assert "you averaged over the latent dimensions; the KL is a sum" in page
    assert "NOT ISOLATED" not in page
    assert graded.isolation in page
