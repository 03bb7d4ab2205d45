"""What is handed in is found and read, whatever it is; nothing is run or unpacked."""

import io
import json
import stat
import zipfile
from pathlib import Path

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


def test_names_that_cannot_be_written(tmp_path: Path) -> None:
    import os

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
    assert ids[:2] == ["setup", "seed"]
    assert {id.removesuffix("-answer") for id in ids[2:]} == {check.part for check in work.homework.checks}
    assert work.seed == "your name"
    assert work.remarks == ("There is no name in the cell SEED = ...",)


def test_a_changed_picture_is_run_and_a_changed_check_is_not() -> None:
    content = _changed(
        "02-vae-elbo",
        seed="SEED = 'Ada'  # me\nmine = variation(SEED)",
        kl_per_latent_picture="helper = 1",
        elbo_kl_check="elbo_kl = lambda *a: 0",
    )
    work = intake.work(content)
    assert "kl-per-latent-picture" in [cell.id for cell in work.cells]
    assert "elbo-kl-check" not in [cell.id for cell in work.cells]
    assert work.seed == "Ada"
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
    assert not any("check." in cell.text and "def" not in cell.text for cell in work.cells)
    assert sum("def elbo_kl(" in cell.text for cell in work.cells) == 1


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
