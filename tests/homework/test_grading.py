"""A folder as a class hands it in: right, wrong and hostile; the grades are fixed beforehand.

What the hostile ones do is really tried, so only where a sandbox holds. That the grader says so and stops where there
is none is tested everywhere, in test_grading_course.py; what needs no sandbox to be tried is tried without one, in
test_grading_judge.py and test_grading_cells.py.
"""

import csv
import os
import re
import socket
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import hostile
import psutil
import pytest

from lecture11.homework.grading import course
from lecture11.homework.grading.policy import Limits
from lecture11.homework.grading.submission import Grade, Result

pytestmark = pytest.mark.sandbox

LIMITS = Limits(cell=6.0, call=3.0, experiments=20.0, total=200.0, memory=2**29, processes=16, disk=2**24)

FORMULA = '=HYPERLINK("http:","a").ipynb'
RIGHT = {
    "two words.ipynb": ("01-autoencoders", 12),
    "Zoë Müller/homework 2.ipynb": ("02-vae-elbo", 15),
    "a new\nline.ipynb": ("03-em-reparametrisation", 18),
    FORMULA: ("04-diffusion", 21),
}
MISTAKES = [
    hostile.KL.replace(".sum(1)", ".mean(1)"),
    hostile.ESS,
    "def iw_bound(log_w):\n    import ctypes\n    ctypes.string_at(0)",
    "def kl_per_latent(mu, log_var):\n    os._exit(0)",
    "def elbo(:",
    "1 / 0\ndef gaussian_log_prob(x, mean, log_var):\n    print 'right'",
]


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
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The whole folder, graded once for all tests."""
    folder, canary = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("canary")
    canary.chmod(0o777)  # only the sandbox keeps anyone from it
    (canary / "alive").write_text("alive")
    (canary / "alive").chmod(0o666)
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, connections), daemon=True).start()
        _hand_in(folder, str(canary), server.getsockname()[1])
        output = tmp_path_factory.mktemp("grades")
        (output / "temporary").mkdir()
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr(tempfile, "tempdir", str(output / "temporary"))
        try:
            summary = course.grade(folder, output, workers=4, seed="hidden", limits=LIMITS)
        except course.NotIsolatedError as error:
            # In CI that is a failure, not a silence.
            assert os.environ.get("CI") != "true", "CI needs namespaces: .ci/namespaces"
            pytest.skip(f"no sandbox here, hostile code is not run ({error}). See test_grading_course.py")
        finally:
            monkeypatch.undo()
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
        made = hostile.as_people_work() if name == FORMULA else hostile.solved(homework, f'"{name[:4].strip()}"')
        (folder / name).write_bytes(hostile.as_bytes(made))
    (folder / "Zoë Müller" / "notes.txt").write_text("thank you")
    (folder / "mistakes.ipynb").write_bytes(hostile.as_bytes(hostile.notebook(*MISTAKES)))
    for name, made in hostile.programs(canary, port).items():
        (folder / f"{name}.ipynb").write_bytes(hostile.as_bytes(made))
    for name, content in hostile.files().items():
        (folder / name).write_bytes(content)
    with (folder / "200 MB.ipynb").open("wb") as file:
        file.truncate(200 * 2**20)  # of zeros, which take no room on the disk
    (folder / "link.ipynb").symlink_to(folder / "two words.ipynb")
    (folder / "linked folder").symlink_to(folder / "Zoë Müller")
    (folder / "nobody").mkdir()
    os.mkfifo(folder / "pipe.ipynb")


@pytest.mark.parametrize("name", RIGHT, ids=ascii)
def test_right_answers_have_all_points_whatever_the_file_is_called(graded: Graded, name: str) -> None:
    result = graded.results[name]
    homework, points = RIGHT[name]
    assert result.homework == homework
    assert (result.points, result.of) == (points, points), [p.message for p in result.parts]
    assert not result.remarks


def test_lines_that_only_fail_here_are_reported_and_cost_nothing(graded: Graded) -> None:
    result = graded.results[FORMULA]
    assert result.seed == "Conan O'Brien"
    lines = "\n".join(result.cells)
    for said in (
        "setup: line 1: ModuleNotFoundError: No module named 'google'",
        "setup: line 2: ModuleNotFoundError: No module named 'a_package_of_mine'",
        "setup: line 5: NameError: name 'drive'",
        "q-step-answer: line 1: NameError: name 'q_step'",
        "q-sample-answer: line 7: SystemExit",
    ):
        assert said in lines


@pytest.mark.parametrize(
    ("part", "points", "says"),
    [
        ("elbo-kl", 0, "you averaged over the latent"),
        ("effective-sample-size", 2, "right"),
        ("iw-bound", 0, "while iw_bound ran: the process was ended"),
        ("kl-per-latent", 0, "with code 0"),
        ("elbo", 0, "there is no elbo: its cell fails with\nSyntaxError"),
        ("gaussian-log-prob", 0, "Missing parentheses in call to 'print'"),
    ],
)
def test_a_mistake_or_a_crash_in_one_part_costs_that_part(graded: Graded, part: str, points: int, says: str) -> None:
    grade = graded.part("mistakes.ipynb", part)
    assert grade.points == points, grade
    assert says in grade.message


@pytest.mark.parametrize("name", hostile.programs("", 0))
def test_a_hostile_program_has_no_points(graded: Graded, name: str) -> None:
    result = graded.results[f"{name}.ipynb"]
    assert not result.refused
    assert (result.points, result.of) == (0, 15), result.parts
    assert all(part.message for part in result.parts)


@pytest.mark.parametrize("says", hostile.looks("", 0))
def test_nothing_is_found_in_the_sandbox(graded: Graded, says: str) -> None:
    assert any(says in line for line in graded.results["looks about.ipynb"].cells)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fills all", r"c1: (it filled more memory than there is|time is up|line 5: TimeIsUp)"),  # on a busy machine
        ("fills all", r"c2: line 5: RuntimeError.*can't allocate memory"),
        ("fills all", r"c3: line 1: OSError.*(File too large|No space left)"),
        ("a long wait", r"c1: line 1: TimeIsUp: it took longer than 6 seconds"),
        ("a long wait", r"c2: line 1: TimeIsUp: it took longer than [.\d]+ seconds"),
        # Where files may be many, there is no time for them.
        ("a long wait", r"c3: line 1: (OSError.*No space left|TimeIsUp)"),
    ],
)
def test_what_fills_or_holds_up_is_ended(graded: Graded, name: str, says: str) -> None:
    cells = graded.results[f"{name}.ipynb"].cells
    assert any(re.search(says, line, re.DOTALL) for line in cells), cells


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("gaussian-log-prob", "a tensor of 100,000 dimensions"),
        ("effective-sample-size", "a tensor of 20,000,000 numbers"),
        ("elbo-kl", "a tensor of 10,000,000 numbers"),
        ("iw-bound", "it raises ValueError: <script>"),
        ("kl-per-latent", "while kl_per_latent ran: time is up"),
        ("elbo", "(takes too long|time is up|BlockingIOError)"),
    ],
)
def test_a_harmful_answer_is_said_to_be_what_it_is(graded: Graded, part: str, says: str) -> None:
    assert re.search(says, graded.part("answers with harm.ipynb", part).message)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("gaussian-log-prob", "(TypeError|AttributeError|a tensor|cannot be compared|expected)"),
        ("elbo-kl", "it raises AttributeError|is expected, got"),
        ("elbo", "takes too long"),
        ("iw-bound", "is expected, got"),
        ("effective-sample-size", "a tensor is expected, got the number nan"),
        ("kl-per-latent", "what came back was no result|the process ended|cannot be compared"),
    ],
)
def test_what_is_no_result_and_looks_like_one_is_judged_by_its_numbers(graded: Graded, part: str, says: str) -> None:
    assert re.search(says, graded.part("answers with tricks.ipynb", part).message)


REFUSED = {
    "corrupt.ipynb": "a damaged one",
    "not a notebook.ipynb": "not a notebook",
    "no text.ipynb": "not a notebook",
    "no cells.ipynb": "no cells",
    "nested.ipynb": "a damaged one",
    "large number.ipynb": "a damaged one",
    "brackets.ipynb": "too many brackets",
    "endless number.ipynb": "not a notebook",
    "empty.ipynb": "empty",
    "homework.pdf": "does not end with .ipynb",
    "julia.ipynb": "of the language julia",
    "python 2.ipynb": "Python 2",
    "something else.ipynb": "none of the homeworks",
    "200 MB.ipynb": "200 MB, and at most 20 MB",
    "link.ipynb": "a symbolic link",
    "linked folder": "a symbolic link",
    "nobody/": "the folder is empty",
    "pipe.ipynb": "not a file",
}


def test_all_that_is_no_homework_is_tried() -> None:
    assert hostile.files().keys() <= REFUSED.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_homework_is_refused_with_a_reason(graded: Graded, name: str) -> None:
    assert REFUSED[name] in graded.results[name].refused
    assert graded.results[name].points == 0


def test_an_edited_check_gains_nothing(graded: Graded) -> None:
    result = graded.results["fills all.ipynb"]
    assert result.points == 0
    assert {part.kind for part in result.parts} == {"not done"}
    assert "A check cell was changed" in result.remarks[0]


def test_nothing_outside_was_touched(graded: Graded) -> None:
    assert sorted(path.name for path in graded.canary.iterdir()) == ["alive"]
    assert not graded.connections
    left = [one.info["cmdline"] for one in psutil.process_iter(["cmdline"])]
    own = str(graded.output / "temporary")
    assert not [line for line in left if own in " ".join(line or [])], "a process of the sandbox is left"


def test_the_table_has_a_row_for_each_and_no_formula(graded: Graded) -> None:
    with (graded.output / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(graded.results) == len(list(graded.output.glob("reports/*.html")))
    for row in rows:
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values()), row
        assert not any(character in value for value in row.values() for character in "\n\r\x1b")
    assert {row["submission"] for row in rows} >= {f"'{FORMULA}", r"a new\nline.ipynb", "two words.ipynb"}
    assert {row["student"] for row in rows} >= {"Zoë Müller"}


def test_the_pages_hold_no_code_of_others(graded: Graded) -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in graded.output.rglob("*.html")}
    assert pages.pop("answers.html").count("<script") == 2, "its own, and its data"
    assert not any("<script" in page for page in pages.values())
    assert any("&lt;script&gt;alert(1)" in page for page in pages.values())


def test_the_class_page_counts_mistakes(graded: Graded) -> None:
    page = (graded.output / "class.html").read_text(encoding="utf-8")
    assert "you averaged over the latent dimensions; the KL is a sum" in page
    assert "NOT ISOLATED" not in page
    assert graded.isolation in page
