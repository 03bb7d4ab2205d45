"""What is handed in is found and read, whatever it is; nothing is run or unpacked."""

import io
import json
import os
import stat
import time
import warnings
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import hostile
import pytest

from lecture11.homework import build
from lecture11.homework.grading import intake
from lecture11.homework.grading.intake import Refused, Submission

RIGHT = hostile.as_bytes(hostile.notebook(hostile.KL))


def _zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def _read(submission: Submission) -> str:
    """'read', or why not."""
    try:
        return "read" if submission.read() == RIGHT else "another"
    except Refused as error:
        return str(error)


def test_a_zip_is_read_and_not_unpacked(tmp_path: Path) -> None:
    place = _zip(
        tmp_path / "export.zip",
        ("Ada Lovelace_17_assignsubmission_file_/hw 2.ipynb", RIGHT),
        ("Ada Lovelace_17_assignsubmission_file_/thanks.txt", b"thank you"),
        ("Zoë/new\nline.ipynb", RIGHT),
        ("../../slipped.ipynb", RIGHT),
        ("/tmp/slipped.ipynb", RIGHT),
        ("..\\slipped.ipynb", RIGHT),
        ("C:\\slipped.ipynb", RIGHT),
        ("alone/essay.pdf", b"%PDF"),
        ("__MACOSX/._hw 2.ipynb", b"x"),
        (".ipynb_checkpoints/hw 2.ipynb", RIGHT),
    )
    found = {s.name: s for s in intake.submissions(place)}
    out = "its name leads out of the folder"
    assert {name: _read(s) for name, s in found.items()} == {
        "Ada Lovelace_17_assignsubmission_file_/hw 2.ipynb": "read",
        "Zoë/new\nline.ipynb": "read",
        "../../slipped.ipynb": out,
        "/tmp/slipped.ipynb": out,
        "..\\slipped.ipynb": out,
        "C:\\slipped.ipynb": out,
        "alone/essay.pdf": "not a notebook: its name does not end with .ipynb",
    }
    assert found["Ada Lovelace_17_assignsubmission_file_/hw 2.ipynb"].student == "Ada Lovelace"
    assert found["Zoë/new\nline.ipynb"].student == "Zoë"
    assert list(tmp_path.iterdir()) == [place]


def test_a_zip_that_lies(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.warns(UserWarning, match="Duplicate name"):
        place = _zip(
            tmp_path / "x.zip",
            (link, b"/etc/passwd"),
            ("bomb.ipynb", bytes(30 * 2**20)),
            ("twice.ipynb", RIGHT),
            ("twice.ipynb", b"other"),
            ("damaged.ipynb", RIGHT),
        )
    content = place.read_bytes()
    assert len(content) < 10**6  # the bomb is small
    at = content.index(b"damaged.ipynb") + len("damaged.ipynb")
    place.write_bytes(content[:at] + bytes(20) + content[at + 20 :])
    found = {s.name: _read(s) for s in intake.submissions(place)}
    assert "symbolic link" in found["link.ipynb"]
    assert found["bomb.ipynb"].startswith("30 MB, and at most 20 MB are read")
    assert found["twice.ipynb"] == "read"
    assert found["twice.ipynb (2)"] == "another"
    assert "cannot be read from the zip" in found["damaged.ipynb"]


def test_an_entry_longer_than_it_says(tmp_path: Path) -> None:
    place = _zip(tmp_path / "x.zip", ("bomb.ipynb", bytes(30 * 2**20)))
    content = bytearray(place.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24  # the size, in the central directory
    content[at : at + 4] = (100).to_bytes(4, "little")
    place.write_bytes(content)
    (found,) = intake.submissions(place)
    assert _read(found) != "read"


def test_neither_a_folder_nor_a_zip(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ValueError, match="no folder and no zip"):
        intake.submissions(tmp_path / "x.txt")


def test_who_handed_in_is_found_whatever_the_learning_system_calls_it(tmp_path: Path) -> None:
    who = {
        "Ada Lovelace_17_assignsubmission_file_/hw 2.ipynb": "Ada Lovelace",
        "Bob B_18_assignsubmission_file_hw.ipynb": "Bob B",
        "lovelaceada_123_4567_hw.ipynb": "lovelaceada",
        "noetheremmy_LATE_123_4567_hw-1.ipynb": "noetheremmy",
        "anon_AbC12_4567_hw.ipynb": "anon_AbC12",
        "LATE_anon_12345_4567_hw.ipynb": "anon_12345",
        "Homework 2_ahopper_attempt_2026-11-20-12-00-00_hw.ipynb": "ahopper",
        "Turing_Alan/HW.IPYNB": "Turing_Alan",
        "curie.ipynb.txt": "curie",
        "Zoë.zip": "Zoë",
    }
    inner = _zip(tmp_path / "inner.zip", ("hw.ipynb", RIGHT), ("notes.txt", b"x")).read_bytes()
    entries = [(name, inner if name.endswith(".zip") else RIGHT) for name in who]
    place = tmp_path / "class"
    for name, content in entries:
        (place / name).parent.mkdir(exist_ok=True, parents=True)
        (place / name).write_bytes(content)
    around = [(f"export/{name}", content) for name, content in entries]
    for found in (
        intake.submissions(place),
        intake.submissions(_zip(tmp_path / "x.zip", *entries)),
        intake.submissions(_zip(tmp_path / "y.zip", *around)),
    ):
        assert {s.student for s in found} == set(who.values())
        assert {_read(s) for s in found} == {"read"}
        assert len({s.name for s in found}) == len(found) == len(who)


def test_a_files_own_name_makes_nobody_else_of_its_student(tmp_path: Path) -> None:
    """What a student calls a file may look like the name that a learning system gives."""
    like = ("Ada_17_assignsubmission_file", "HW_s0001_attempt_2026-01-01-00-00-00", "ada_17_901", "anon_AdA17_901")
    systems = {
        "Homework_2_2026_{}_attempt_2026-05-12-20-59-00": "s002{}",  # its name looks like Canvas's
        "Bob {0}_18{0}_assignsubmission_file": "Bob {}",
        "bob{0}_18{0}_900": "bob{}",
        "anon_bob{}_900": "anon_bob{}",
    }
    for system, who in systems.items():
        whose = [who.format(i) for i in range(5)]
        begins = [system.format(name if "{}_attempt" in system else i) for i, name in enumerate(whose)]
        names = {f"{begin}_hw.ipynb": name for begin, name in zip(begins, whose, strict=True)}
        # Two of these are handed in by somebody who would like to be another one, or earlier.
        for ruse in like:
            tried = {**names, f"{begins[4]}_x_{ruse}_hw.ipynb": whose[4], f"{begins[4]}_{ruse}_.ipynb": whose[4]}
            found = intake.submissions(_zip(tmp_path / "x.zip", *((name, RIGHT) for name in tried)))
            assert {s.name: s.student for s in found} == tried
            assert all(s.time != datetime(2026, 1, 1) for s in found)
            if "attempt" not in system:
                assert all(s.back == s.name[: len(s.back)] == begins[whose.index(s.student)] for s in found)


def _at(name: str, *when: int) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, (*when, 0, 0, 0)[:6])


def test_times_in_a_students_zip_are_not_when_it_was_handed_in(tmp_path: Path) -> None:
    early = _zip(tmp_path / "own.zip", (_at("hw.ipynb", 2026, 1, 1), RIGHT)).read_bytes()
    entries = [(_at("Ada/own.zip", 2026, 5, 20), early), (_at("Bob/hw.ipynb", 2026, 5, 12), RIGHT)]
    export = _zip(tmp_path / "export.zip", *entries)
    folder = tmp_path / "download"
    folder.mkdir()
    (folder / "export.zip").write_bytes(export.read_bytes())
    for place in (export, folder):  # the only zip in a folder is no student's
        times = {s.student: s.time for s in intake.submissions(place)}
        assert times == {"Ada": datetime(2026, 5, 20), "Bob": datetime(2026, 5, 12)}


def test_times_of_copies_make_nobody_late(tmp_path: Path) -> None:
    """Some learning systems pack files with the time of the export, and so does a copy of a folder."""
    for name, minute in (("copied", 1), ("handed in", 20)):
        entries = [(_at(f"s{i}/hw.ipynb", 2026, 5, 20, 12, i * minute % 60), RIGHT) for i in range(5)]
        times = {s.time for s in intake.submissions(_zip(tmp_path / f"{name}.zip", *entries))}
        assert (times == {None}) == (name == "copied")


def test_names_that_take_hours_are_refused_at_once(tmp_path: Path) -> None:
    deep, long = "a/" * 30_000 + "hw.ipynb", "a" * 60_000 + ".ipynb"
    same = [("Ada/hw.ipynb", RIGHT)] * 3_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of equal names
        place = _zip(tmp_path / "x.zip", (deep, RIGHT), (long, RIGHT), ("Bob/hw.ipynb", RIGHT), *same)
    begin = time.process_time()
    found = {s.name: _read(s) for s in intake.submissions(place)}
    assert time.process_time() - begin < 5
    assert list(found.values()).count("its name is too long") == 2
    assert found["Bob/hw.ipynb"] == found["Ada/hw.ipynb"] == "read"
    assert max(map(len, found)) < 100


def test_a_student_has_so_many_tries_and_the_newest_count(tmp_path: Path) -> None:
    tries = [(_at(f"Ada/{day:02}.ipynb", 2026, 5, day), RIGHT) for day in range(1, 26)]
    found = intake.submissions(_zip(tmp_path / "x.zip", *tries, (_at("Bob/hw.ipynb", 2026, 4, 1), RIGHT)))
    says = {s.name: _read(s) for s in found}
    run = [f"Ada/{day:02}.ipynb" for day in range(6, 26)]
    assert [name for name, said in says.items() if said == "read"] == [*run, "Bob/hw.ipynb"]
    assert "more than 20 notebooks" in says["Ada/05.ipynb"]


def test_what_was_handed_in_with_a_notebook_is_no_try_where_all_files_lie_together(tmp_path: Path) -> None:
    """Moodle without folders, Canvas, Blackboard with its receipts; who has no notebook at all is found."""
    ada, attempt = "Ada Lovelace_17_assignsubmission", "Homework 2_{}_attempt_2026-11-20-12-00-00"
    names = [f"{ada}_file_hw.ipynb", f"{ada}_file_notes.pdf", f"{ada}_onlinetext_onlinetext.html"]
    names += ["noetheremmy_123_4567_hw.ipynb", "noetheremmy_123_4568_photo.jpg", "boole_LATE_124_4569_photo.jpg"]
    names += [f"{attempt.format('ahopper')}{end}" for end in (".txt", "_hw.ipynb", "_photo.jpg")]
    names += [f"{attempt.format('curie')}.txt"]
    found = intake.submissions(_zip(tmp_path / "x.zip", *((name, RIGHT) for name in names)))
    assert {s.student: _read(s) for s in found} == {
        "Ada Lovelace": "read",
        "noetheremmy": "read",
        "ahopper": "read",
        "boole": "not a notebook: its name does not end with .ipynb",
        "curie": "not a notebook: its name does not end with .ipynb",
    }
    assert len(found) == 5


def test_the_files_of_one_student_are_hers(tmp_path: Path) -> None:
    for folder in ("Ada_1_assignsubmission_file_", "Ada_1_assignsubmission_file_/old"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hw.ipynb").write_bytes(RIGHT)
    assert [s.student for s in intake.submissions(tmp_path)] == ["Ada", "Ada"]


def test_a_zip_in_a_zip_and_one_too_many(tmp_path: Path) -> None:
    content, expected = RIGHT, ["read", "read", "read", "a zip in a zip in a zip: unpack it"]
    for depth, says in enumerate(expected):
        name = "hw.ipynb" if depth == 0 else "inner.zip"
        place = _zip(tmp_path / f"{depth}.zip", (name, content))
        (found,) = intake.submissions(place)
        assert says in _read(found), depth
        content = place.read_bytes()
    damaged = content[:50] + bytes(100) + content[150:]
    place = _zip(tmp_path / "x.zip", ("a.zip", b"no zip"), ("b.zip", damaged), ("c.zip", b"PK\x05\x06" + bytes(18)))
    says = [_read(s) for s in intake.submissions(place)]
    many = _zip(tmp_path / "many.zip", *((f"{i}.ipynb", b"") for i in range(1_001)))
    (found,) = intake.submissions(_zip(tmp_path / "y.zip", ("many.zip", many.read_bytes())))
    assert "more than 1,000 files" in _read(found)
    assert "a zip that cannot be read" in says[0]
    assert "cannot be read" in says[1]
    assert says[2] == "an empty zip"


def test_a_name_in_utf_8_that_does_not_say_so(tmp_path: Path) -> None:
    place = _zip(tmp_path / "x.zip", ("Zo\u00eb/hw.ipynb", RIGHT), ("plain/hw.ipynb", RIGHT))
    content = bytearray(place.read_bytes())
    flag = 0x08  # the upper half of the flags; in both headers of the first entry
    for at in (6, content.index(b"PK\x01\x02") + 8):
        content[at + 1] &= ~flag
    place.write_bytes(content)
    assert [s.student for s in intake.submissions(place)] == ["Zoë", "plain"]


def test_whoever_has_nothing_or_cannot_be_read_is_among_the_submissions(tmp_path: Path) -> None:
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada/hw.ipynb").write_bytes(RIGHT)
    (tmp_path / "Ada/pictures").mkdir()
    (tmp_path / "Bob").mkdir()
    (tmp_path / "Cyd").mkdir()
    (tmp_path / "Cyd/.DS_Store").write_text("x")
    found = {s.name: _read(s) for s in intake.submissions(tmp_path)}
    assert found == {"Ada/hw.ipynb": "read", "Bob/": "the folder is empty", "Cyd/": "the folder is empty"}
    place = _zip(tmp_path / "x.zip", ("Ada/", b""), ("Ada/hw.ipynb", RIGHT), ("Bob/", b""))
    assert {s.student: _read(s) for s in intake.submissions(place)} == {"Ada": "read", "Bob": "the folder is empty"}


def _forbidden(path: Any) -> Any:
    raise PermissionError(13, "Permission denied", str(path))


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada/hw.ipynb").write_bytes(RIGHT)
    (tmp_path / "Bob.ipynb").write_bytes(RIGHT)
    scan, opened = os.scandir, os.open

    # As root, whom no mode keeps from anything, too.
    def no_scan(path: str) -> Any:
        return _forbidden(path) if str(path).endswith("Ada") else scan(path)

    def no_open(path: Any, *a: Any, **k: Any) -> int:
        return _forbidden(path) if str(path).endswith("Bob.ipynb") else opened(path, *a, **k)

    monkeypatch.setattr(os, "scandir", no_scan)
    monkeypatch.setattr(os, "open", no_open)
    found = {s.name: _read(s) for s in intake.submissions(tmp_path)}
    said = "cannot be read: Permission denied"
    assert found == {"Ada/": said, "Bob.ipynb": said}
    monkeypatch.setattr(os, "scandir", _forbidden)
    with pytest.raises(ValueError, match="cannot be read: Permission denied"):
        intake.submissions(tmp_path)


def test_nothing_at_all(tmp_path: Path) -> None:
    for place in (tmp_path, _zip(tmp_path / ".empty.zip")):
        with pytest.raises(ValueError, match="no submissions"):
            intake.submissions(place)
    with pytest.raises(ValueError, match="does not exist"):
        intake.submissions(tmp_path / "nowhere")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_a_notebook_in_the_encoding_of_an_editor(encoding: str) -> None:
    text = json.dumps(hostile.notebook(f"# Größe\n{hostile.KL}"), ensure_ascii=False)
    assert "Größe" in intake.work(text.encode(encoding)).cells[1].text


def test_names_that_cannot_be_written(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.ipynb", "wb") as file:
        file.write(RIGHT)
    (found,) = intake.submissions(tmp_path)
    assert _read(found) == "read"
    assert intake.printable(found.name) == r"\udcff\udcfe.ipynb"
    assert intake.printable("a\u202eb\x1b\t") == r"a\u202eb\x1b\t"
    assert intake.printable("Zoë 数学") == "Zoë 数学"


@pytest.mark.parametrize("name", hostile.files())
def test_what_is_no_homework_is_refused(name: str) -> None:
    if not name.endswith(".ipynb"):
        return
    with pytest.raises(Refused):
        intake.work(hostile.files()[name])


def _changed(name: str, **changes: str) -> bytes:
    """A student's notebook with other texts in some cells."""
    made = build.student(build.source(name))
    for cell in made["cells"]:
        cell["source"] = changes.get(cell["id"].replace("-", "_"), cell["source"])
    return json.dumps(made).encode()


def test_what_is_run_of_an_untouched_notebook() -> None:
    work = intake.work(_changed("02-vae-elbo"))
    ids = [cell.id for cell in work.cells]
    assert ids[0] == "seed"  # the set-up is run before anything else, as it was given
    assert {id.removesuffix("-answer") for id in ids[1:]} == {check.part for check in work.homework.checks}
    assert (work.homework.seed_name, work.homework.seed_given) == ("SEED", "your name")
    assert not work.remarks
    assert work.homework.setup.startswith("import math\n")


def test_what_was_changed_is_run_and_a_changed_check_is_remarked() -> None:
    content = _changed(
        "02-vae-elbo",
        seed="SEED = 'Ada'  # me\nmine = variation(SEED)",
        kl_per_latent_picture="helper = 1",
        elbo_kl_check="elbo_kl = lambda *a: 0",
        setup="import seaborn",
    )
    work = intake.work(content)
    ids = [cell.id for cell in work.cells]
    assert {"setup", "kl-per-latent-picture", "elbo-kl-check"} <= set(ids)
    assert "elbo-check" not in ids
    assert len(work.remarks) == 1
    assert "A check cell was changed" in work.remarks[0]


def test_ids_may_be_where_colab_keeps_them_or_gone() -> None:
    made = json.loads(_changed("02-vae-elbo", seed="SEED = 'Ada'"))
    for cell in made["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}
    assert (
        intake.work(json.dumps(made).encode()).cells == intake.work(_changed("02-vae-elbo", seed="SEED = 'Ada'")).cells
    )
    for cell in made["cells"]:
        del cell["metadata"]["id"]
    del made["metadata"]["lecture11"]
    work = intake.work(json.dumps(made).encode())
    assert work.homework.name == "02-vae-elbo"
    assert not any("check." in cell.text and "def" not in cell.text for cell in work.cells), "as they were given"
    assert sum("def elbo_kl(" in cell.text for cell in work.cells) == 1


def test_copied_cells_with_their_ids_cost_nothing() -> None:
    made = json.loads(_changed("02-vae-elbo"))
    answer = next(cell for cell in made["cells"] if cell["id"] == "elbo-kl-answer")
    made["cells"] += [{**answer, "cell_type": "markdown"}, {**answer, "source": hostile.KL}, {**answer, "id": 7}]
    work = intake.work(json.dumps(made).encode())
    assert [cell.text for cell in work.cells if cell.id == "elbo-kl-answer"][1] == hostile.KL
    assert work.cells[-1].id == f"cell {len(made['cells'])}"


def test_a_check_on_top_of_its_answer_is_no_check_cell() -> None:
    text = f"check.elbo_kl(elbo_kl)\n{hostile.KL}"
    assert text in [cell.text for cell in intake.work(_changed("02-vae-elbo", elbo_kl_answer=text)).cells]


def test_another_homework_than_the_one_that_is_graded() -> None:
    with pytest.raises(Refused, match="this is 02-vae-elbo, and 04-diffusion is graded"):
        intake.work(RIGHT, "04-diffusion")


def test_the_points_are_those_of_the_parts() -> None:
    from lecture11.homework.parts import PARTS

    checks = [check for homework in intake.homeworks().values() for check in homework.checks]
    assert {check.part for check in checks} == PARTS.keys()
    for check in checks:
        assert (check.answer, check.points) == (PARTS[check.part].answer, PARTS[check.part].points)


def test_an_encrypted_zip(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("secret.ipynb", RIGHT)
    content = bytearray(buffer.getvalue())
    content[6] |= 1  # the flag, in both headers
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    (found,) = intake.submissions(tmp_path / "x.zip")
    assert "encrypted" in _read(found)
