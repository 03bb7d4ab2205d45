"""``lecture11 grade``: a folder of homework, each submission in a sandbox."""

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    grade = commands.add_parser("grade", help="grade a folder or zip of homework")
    grade.add_argument("folder", type=Path, help="with the notebooks, or a zip as learning systems export it")
    grade.add_argument("--output", type=Path, help="folder of grades and reports (default: FOLDER-grades)")
    grade.add_argument("--homework", help="its name, such as 02-vae-elbo: others are not graded then")
    grade.add_argument("--roster", type=Path, help="CSV of the class: a name, and any of id, login, e-mail")
    grade.add_argument("--deadlines", type=Path, help="CSV: homework, student, deadline, handed in, late days, per day")
    grade.add_argument("--tries", choices=("best", "last"), default="best", help="of several (default: %(default)s)")
    grade.add_argument("--again", action="append", metavar="PART", help="run this part again, whose check was changed")
    grade.add_argument("--preview", action="store_true", help="show a student what a grader finds in one notebook")
    grade.add_argument("--workers", type=int, help="submissions at a time (default: one for each processor)")
    grade.add_argument("--seed", help="of the hidden cases (default: a secret, drawn once for the output folder)")
    grade.add_argument("--dry-run", action="store_true", help="show who is found, and grade nobody")
    grade.add_argument("--without-sandbox", action="store_true", help="go on where this system has no sandbox")
    grade.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    # Here, so that --help does not wait for PyTorch.
    from lecture11.homework.grading import command

    return command.grade(options)
