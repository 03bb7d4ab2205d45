"""Plays a semester: four homeworks, thirty students of all kinds, three learning systems, five editors.

    python tests/homework/semester.py [--homework 2] [--without unshare]

Homework is handed out, collected, graded, contested, graded again and handed back by the commands of the teacher's page
alone, with a real sandbox, and the grades are fixed beforehand. It takes some minutes for each homework, so it is no
test; ``test_grading_semester.py`` plays a small one. Run it as root and as somebody else, and without one of the
utilities of the sandbox: ``--without bwrap`` is a machine that has no bubblewrap, ``--without unshare`` one where it is
all there is. Root takes ``unshare`` alone, so for root there is no such term.
"""

import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import hostile

from lecture11.homework import build
from lecture11.homework.grading.intake import Homework, homeworks

NAMES = """Ada Lovelace|Zoë Müller|Emmy Noether|Søren Kierkegård|Grace Hopper|José Núñez|Łukasz Żak|Anne-Marie de Witt
Alan Turing|李 小龙|Mary O'Brien|Jürgen Groß|Olga Ладыженская|Ada King|Sofia Ковалевская|Paul Erdős|Maryam Mirzakhani
Carl Gauß|Rózsa Péter|Leonhard Euler|Srinivasa Ramanujan|Hypatia Theon|René Descartes|Thomas Bayes|Andrei Kolmogorov
Mallory Eve|Trudy Eve|Oscar Eve|Absent Always|Paper Pencil""".replace("\n", "|").split("|")
DUE = datetime(2026, 5, 12, 23, 59)
# Of each homework two answers that are wrong: the part, what stands there, and what stands there instead.
WRONG = {
    "01-autoencoders": [("reconstruction-error", ".sum(1)", ".mean(1)"), ("best-denoiser", "y + noise", "y - noise")],
    "02-vae-elbo": [("elbo-kl", ".sum(1)", ".mean(1)"), ("iw-bound", " - math.log(len(log_w))", "")],
    "03-em-reparametrisation": [("reparametrise", "0.5 * ", ""), ("score-gradient", "sigma**2", "sigma")],
    "04-diffusion": [("q-step", "b.sqrt() * eps", "b * eps"), ("loss-weight", "2 * posterior", "posterior")],
}
WORDS = "In words: it is what is left. <b>& = +1"
Notebook = dict[str, Any]


# --- who is in the class


@dataclass
class Try:
    """A notebook that is handed in.

    Attributes:
        days: after the deadline.
        points: that the grader finds.
    """

    made: Notebook
    points: float
    days: int = 0


@dataclass
class Student:
    """One of the class.

    Attributes:
        expected: the points in the table, after what it costs to be late.
    """

    number: int
    name: str
    tries: list[Try] = field(default_factory=list)
    expected: float = 0.0

    @property
    def first(self) -> str:
        return self.name.rpartition(" ")[0]

    @property
    def last(self) -> str:
        return self.name.rpartition(" ")[2]

    @property
    def login(self) -> str:
        return f"s{self.number:04}"


def students(homework: Homework, port: int) -> list[Student]:
    """The class with what it hands in."""
    worth = {check.part: check.points for check in homework.checks}
    everything = sum(worth.values())

    def done(number: int, *, wrong: int = 0, skipped: int = 0) -> Try:
        """With the first wrong answers, and without the last parts."""
        made = hostile.solved(homework.name, repr(NAMES[number]))
        points = everything
        empty = {cell["id"]: cell for cell in build.student(build.source(homework.name))["cells"]}
        swapped = {part: (old, new) for part, old, new in WRONG[homework.name][:wrong]}
        left = list(worth)[len(worth) - skipped :]
        for cell in made["cells"]:
            about = cell["metadata"].get("lecture11", {})
            if about.get("role") == "answer" and about["part"] in swapped:
                old, new = swapped[about["part"]]
                assert old in build.text_of(cell), cell["id"]
                cell["source"] = build.text_of(cell).replace(old, new)
                points -= worth[about["part"]]
            elif about.get("role") == "answer" and about["part"] in left:
                cell["source"] = build.text_of(empty[cell["id"]])
                points -= worth[about["part"]]
            elif about.get("role") == "question":
                cell["source"] = f"{build.text_of(cell)}\n\n{WORDS}"
        return Try(EDITORS[number % len(EDITORS)](made), points)

    attacks = list(hostile.programs("/nowhere", port).values())

    def evil(which: int) -> Try:
        made = json.loads(json.dumps(attacks[which % len(attacks)]))
        made["metadata"]["lecture11"]["homework"] = homework.number
        return Try(made, 0)

    found = [Student(number, name) for number, name in enumerate(NAMES)]
    for one in found[:25]:
        one.tries = [done(one.number, wrong=(one.number - 9 + 1) // 2 % 3 if 10 <= one.number < 17 else 0)]
        one.expected = one.tries[0].points
    for one in found[17:19]:
        one.tries = [done(one.number, skipped=2)]
        one.expected = one.tries[0].points
    for one in found[19:23]:  # a day is free, each other one costs a fifth; the last one may be late
        one.tries[0].days = one.number - 18
        one.expected = round(everything * {19: 1.0, 20: 0.8, 21: 0.6, 22: 1.0}[one.number], 2)
    found[23].tries.insert(0, done(23, wrong=2))
    found[24].tries.append(done(24, skipped=1))
    # Hostile: for nothing; for what others have; and beside honest answers, which keep their points.
    found[25].tries, found[25].expected = [evil(homework.number)], 0
    found[26].tries, found[26].expected = [evil(homework.number + 3)], 0
    beside = done(27)
    beside.made["cells"] += [
        {**cell, "id": f"evil-{i}"} for i, cell in enumerate(attacks[-2]["cells"][1:2] + attacks[-1]["cells"][-1:])
    ]
    found[27].tries, found[27].expected = [beside], everything
    return found


# --- how an editor writes a notebook


def jupyter(made: Notebook) -> Notebook:
    for count, cell in enumerate(cell for cell in made["cells"] if cell["cell_type"] == "code"):
        cell["execution_count"] = count + 1
    return made


def classic(made: Notebook) -> Notebook:
    """Before cells had ids; each line by itself."""
    for cell in made["cells"]:
        del cell["id"]
        cell["source"] = build.text_of(cell).splitlines(keepends=True)
        cell["metadata"] = {"collapsed": True, "ExecuteTime": {"end_time": "2026-05-01T10:00:00"}}
    return {**made, "nbformat_minor": 2, "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}}}


def vs_code(made: Notebook) -> Notebook:
    for number, cell in enumerate(made["cells"]):
        cell.update(id=f"{number:08x}", metadata={"vscode": {"languageId": "python"}})
    about = {**made["metadata"], "language_info": {"name": "python", "version": "3.12.3"}, "vscode": {"hash": "0"}}
    return {**made, "metadata": about}


def colab(made: Notebook) -> Notebook:
    for cell in made["cells"]:
        cell["metadata"] = {"id": cell.pop("id"), "colab": {"base_uri": "https://localhost:8080/"}}
    drive = "from google.colab import drive\ndrive.mount('/content/drive')\n!pip install -q seaborn\nimport seaborn"
    mounted = {"cell_type": "code", "metadata": {"id": "Xy1"}, "outputs": [], "execution_count": None, "source": drive}
    about = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}, "lecture11": made["metadata"]["lecture11"]}
    return {**made, "nbformat_minor": 0, "cells": [mounted, *made["cells"]], "metadata": about}


def pycharm(made: Notebook) -> Notebook:
    for cell in made["cells"]:
        del cell["id"]
        cell["metadata"] = {"collapsed": False, "pycharm": {"name": "#%%\n", "is_executing": False}}
        cell["source"] = [*build.text_of(cell).splitlines(keepends=True), "\n"]
    return {**made, "nbformat_minor": 0}


EDITORS: list[Callable[[Notebook], Notebook]] = [jupyter, classic, vs_code, colab, pycharm]


# --- how a learning system hands it on


Files = Iterator[tuple[str, bytes, datetime]]


def handed_in(some: list[Student]) -> Iterator[tuple[Student, int, bytes, datetime]]:
    for one in some:
        for count, each in enumerate(one.tries):
            when = DUE + timedelta(days=each.days) - timedelta(hours=3 - count)
            yield one, count, hostile.as_bytes(each.made), when


def moodle(some: list[Student]) -> Files:
    for one, count, content, when in handed_in(some):
        yield f"{one.name}_{700 + one.number}_assignsubmission_file_/homework{count}.ipynb", content, when


def canvas(some: list[Student]) -> Files:
    for one, count, content, when in handed_in(some):
        name = re.sub(r"\W", "", f"{one.last}{one.first}").lower()
        late = "_LATE" if when > DUE else ""
        yield f"{name}{late}_{700 + one.number}_{9000 + 10 * one.number + count}_hw-{count}.ipynb", content, when


def blackboard(some: list[Student]) -> Files:
    for one, count, content, when in handed_in(some):
        about = f"Homework_{one.login}_attempt_{when:%Y-%m-%d-%H-%M-%S}"
        yield f"{about}.txt", f"Name: {one.name} ({one.login})\n".encode(), when
        yield f"{about}_hw{count}.ipynb.txt", content, when


def ilias(some: list[Student]) -> Files:
    """A zip in each student's folder."""
    for one, count, content, when in handed_in(some):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("my homework/hw.IPYNB", when.timetuple()[:6]), content)
        folder = f"Homework 4/Abgaben/{one.last}_{one.first}_{one.login}_{4000 + one.number}"
        yield f"{folder}/hw{count}.zip", inner.getvalue(), when


SYSTEMS: dict[int, Callable[[list[Student]], Files]] = {1: moodle, 2: canvas, 3: blackboard, 4: ilias}


# --- the term


class Term:
    """What the teacher types, and what is then in the tables."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        with (folder / "roster.csv").open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(["Nachname", "Vorname", "Matrikelnummer", "Anmeldename", "E-Mail-Adresse"])
            for one in (Student(number, name) for number, name in enumerate(NAMES)):
                writer.writerow([one.last, one.first, 4000 + one.number, one.login, f"{one.login}@x.org"])
        rows = ["homework,student,deadline,handed in,late days,per day", f",,{DUE:%Y-%m-%d %H:%M},,1,20"]
        rows.append(f",s0022,{DUE + timedelta(days=7):%Y-%m-%d %H:%M},,,")
        (folder / "deadlines.csv").write_text("\n".join(rows), encoding="utf-8")

    def run(self, command: str) -> str:
        """A command of the teacher's page."""
        begin = time.monotonic()
        own = [str(Path(sys.executable).with_name("lecture11")), *command.split()[1:]]
        done = subprocess.run(own, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        print(f"  {time.monotonic() - begin:5.0f} s  {command}", flush=True)
        assert done.returncode == 0, done.stdout + done.stderr[-3000:]
        return done.stdout

    def play(self, homework: Homework, port: int) -> str:
        """One homework; how submissions were held back."""
        number, name = homework.number, homework.name
        everyone = students(homework, port)
        hand_in = SYSTEMS[number]
        with zipfile.ZipFile(self.folder / f"hw{number}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content, when in hand_in(everyone):
                archive.writestr(zipfile.ZipInfo(path, when.timetuple()[:6]), content)
        count = sum(len(one.tries) for one in everyone)

        mine = self.folder / "mine.ipynb"
        mine.write_bytes(hostile.as_bytes(everyone[0].tries[0].made))
        most = int(everyone[0].expected)
        assert f"{most} of {most} points" in self.run("lecture11 grade --preview mine.ipynb")

        grade = f"lecture11 grade hw{number}.zip --homework {name} --roster roster.csv --deadlines deadlines.csv"
        said = self.run(f"lecture11 grade hw{number}.zip --homework {name} --roster roster.csv --dry-run")
        assert f"{count} submissions" in said
        assert said.count("nothing was handed in") == 2
        assert "not on the roster" not in said, said

        said = self.run(grade)
        assert f"{count} submissions, {count} graded now" in said, said
        self.compare(homework, everyone)
        isolation = next(line for line in said.splitlines() if line.startswith(("Run by", "NOT ISOLATED")))

        # Contested, handed in on paper, and the answers in words.
        part, question = WRONG[name][0][0], homework.questions[0]
        worth = {check.part: check.points for check in homework.checks}
        with (self.folder / f"hw{number}-grades" / "decisions.csv").open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([everyone[10].name, name, part, worth[part], "the task could be read so"])
            writer.writerow([everyone[29].login, name, part, worth[part], "on paper"])
            writer.writerow([everyone[0].name, name, question.id, 1.5, "and why?"])
        everyone[10].expected += worth[part]
        everyone[29].expected += worth[part]
        everyone[0].expected += 1.5
        assert f"{count} submissions, 0 graded now" in self.run(grade)
        self.compare(homework, everyone, more=question.points)

        said = self.run(f"{grade} --again {part}")
        ran = int(re.findall(r", (\d+) graded now", said)[0])
        assert 0 < ran <= count
        self.compare(homework, everyone, more=question.points)
        self.handed_back(number, everyone)
        return isolation

    def compare(self, homework: Homework, everyone: list[Student], more: int = 0) -> None:
        """Each has the points that were fixed."""
        output = self.folder / f"hw{homework.number}-grades"
        with (output / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
            rows = {row["student"].removeprefix("'"): row for row in csv.DictReader(file)}
        assert len(rows) == len(everyone), rows.keys() ^ {one.name for one in everyone}
        got = {one.name: (float(rows[one.name]["points"]), int(rows[one.name]["of"] or 0)) for one in everyone}
        most = sum(check.points for check in homework.checks) + more
        wrong = {
            one.name: (got[one.name], one.expected, rows[one.name])
            for one in everyone
            if abs(got[one.name][0] - one.expected) > 1e-9 or got[one.name][1] != most
        }
        assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())
        assert all("nothing was handed in" in rows[one.name]["note"] for one in everyone[28:])
        assert not any(value.startswith(("=", "+", "-", "@")) for row in rows.values() for value in row.values())
        assert WORDS.replace("<b>", "&lt;b&gt;").split("&")[0] in (output / "answers.html").read_text("utf-8")
        pages = [*output.glob("reports/*.html"), output / "class.html"]
        assert not any("<script" in page.read_text("utf-8") for page in pages)

    def handed_back(self, number: int, everyone: list[Student]) -> None:
        """The learning system finds whose each report is, by its own rule."""
        with zipfile.ZipFile(self.folder / f"hw{number}-grades" / "feedback.zip") as archive:
            pages = {name: archive.read(name).decode() for name in archive.namelist()}
        back: dict[str, str] = {}
        for name, page in pages.items():
            words = name.split("_")
            by_number = number in (1, 2) and "/" not in name  # who handed in on paper has a folder
            of = next((word for word in words if word.isdecimal()), "")  # Canvas: the first number
            if number == 1 and by_number:  # Moodle: full name, number, assignsubmission, file, the rest
                assert words[2:4] == ["assignsubmission", "file"], name
                of = words[1]
            whose = [s for s in everyone if (f"{700 + s.number}" == of if by_number else name.startswith(f"{s.name}/"))]
            assert len(whose) == 1, name
            back[whose[0].name] = page
        assert back.keys() == {one.name for one in everyone if one.number != 28}
        for name, page in back.items():
            assert sum(one.name in page.replace("&#39;", "'") for one in everyone if one.name == name) == 1, name


def without(utility: str, folder: Path) -> str:
    """A path for programs on which all are found but this one."""
    folder.mkdir()
    for place in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in place.iterdir() if place.is_dir() else ():
            target = folder / program.name
            if program.name != utility and not target.is_symlink():
                target.symlink_to(program)
    return str(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--homework", type=int, choices=SYSTEMS, help="this one alone (default: all four)")
    parser.add_argument("--without", choices=("bwrap", "unshare"), help="a utility that this machine is not to have")
    options = parser.parse_args()
    if options.without == "unshare" and os.geteuid() == 0:
        parser.error("as root, submissions are run by unshare alone: bubblewrap is for somebody else")
    with tempfile.TemporaryDirectory(prefix="semester-") as name:
        folder, environment = Path(name), dict(os.environ)
        if options.without:
            environment["PATH"] = without(options.without, folder / "programs")
        (folder / "term").mkdir()
        term = Term(folder / "term", environment)
        for homework in homeworks().values():
            if options.homework in (None, homework.number):
                print(f"{homework.name}, {SYSTEMS[homework.number].__name__}", flush=True)
                print(f"  all grades as they were fixed. {term.play(homework, port=9)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
