"""What is made from other files is as they say now, and ``make generate CHECK=1`` sees where it is not."""

import json
from pathlib import Path
from types import ModuleType

import PIL.Image
import pytest

from tools import formula_index, generate, homework, overview, proofs, results, times


@pytest.mark.parametrize("name", generate.GENERATORS)
def test_it_is_up_to_date(name: str) -> None:
    assert generate.GENERATORS[name].stale() == [], "run: make generate"


def copy_of(path: Path, folder: Path, change: str = "") -> Path:
    copy = folder / path.name
    copy.write_text(path.read_text(encoding="utf-8") + change, encoding="utf-8")
    return copy


def test_a_page_with_another_text_is_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formula_index, "PAGE", copy_of(formula_index.PAGE, tmp_path, "more"))
    assert formula_index.stale() == [tmp_path / "formula-index.md"]
    formula_index.write()
    assert formula_index.stale() == []


@pytest.mark.parametrize(("module", "begin"), [(results, "| --- |"), (times, "|---|")], ids=["results", "times"])
def test_a_table_with_another_number_is_out_of_date(
    module: ModuleType, begin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = copy_of(module.PAGE, tmp_path)
    monkeypatch.setattr(module, "PAGE", page)
    assert module.stale() == []
    before, begin, rows = page.read_text(encoding="utf-8").partition(begin)
    page.write_text(before + begin + rows.replace("1", "2", 1), encoding="utf-8")
    assert module.stale() == [page]
    module.write()
    assert module.stale() == []


def test_another_picture_is_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with PIL.Image.open(overview.PICTURE) as picture:
        picture.putpixel((40, 40), (1, 2, 3))
        picture.save(tmp_path / "overview.png")
    monkeypatch.setattr(overview, "PICTURE", tmp_path / "overview.png")
    assert overview.stale() == [tmp_path / "overview.png"]
    overview.write()
    assert overview.stale() == []
    monkeypatch.setattr(overview, "SOURCES", [("01-autoencoder.ipynb", 1000)])
    with pytest.raises(ValueError, match="number 1000 is wanted: change SOURCES"):
        overview.stale()


def test_a_file_that_no_homework_makes_is_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homework, "FOLDER", tmp_path)
    monkeypatch.setattr(homework.build, "build", lambda: {"01.ipynb": "{}", "index.md": "text"})
    assert homework.stale() == [tmp_path / "01.ipynb", tmp_path / "index.md"]
    homework.write()
    assert homework.stale() == []
    (tmp_path / "02-gone.ipynb").write_text("{}")
    (tmp_path / "index.md").write_text("another")
    assert homework.stale() == [tmp_path / "index.md", tmp_path / "02-gone.ipynb"]
    homework.write()
    assert homework.stale() == []
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["01.ipynb", "index.md"]


def test_the_command_compares_or_writes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    written: list[int] = []
    missing = generate.Generator(lambda: [] if written else [proofs.FOLDER / "x.ipynb"], lambda: written.append(1))
    monkeypatch.setattr(generate, "GENERATORS", {"proofs": missing, "index": generate.Generator(list, lambda: None)})
    assert generate.main(["--check", "index"]) == 0
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "book/proofs/x.ipynb: out of date\n"
    assert written == []
    assert generate.main([]) == 0
    assert capsys.readouterr().out == "book/proofs/x.ipynb: written\n"
    assert generate.main(["--check"]) == 0
    with pytest.raises(SystemExit):
        generate.main(["prooofs"])
    assert "nothing is called prooofs; there are: proofs, index" in capsys.readouterr().err


# Times ----------------------------------------------------------------------------------------------------------------


def test_the_table_of_times_says_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {"cores": 2, "date": "2026-01-02", "hardware": "a machine", "commands": {
        "env": {"seconds": 119.6, "bytes": 6_280_000_000},
        "test": {"seconds": 59.4, "bytes": 0}}}  # fmt: skip
    monkeypatch.setattr(times, "RECORD", tmp_path / "times.json")
    times.RECORD.write_text(json.dumps(measured))
    filled = times.filled("a\n<!-- times -->\nold\n<!-- end -->\nb")
    assert "| | Time on 2 cores | Disk |" in filled
    assert "| `make env`, once | 2 min 0 s | 6.3 GB |" in filled
    assert "| `make test` | 59 s |  |" in filled
    assert "Measured on 2026-01-02, a machine;" in filled
    assert "old" not in filled
    with pytest.raises(ValueError, match="no place for the times"):
        times.filled("a")


def test_slow_tests_and_long_files_are_read_from_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = '<properties><property name="left_out" value="notebook"/></properties>'
    case = '<testcase classname="{}" name="{}" time="{}">{}</testcase>'
    cases = [("tests.test_x", "test_a[1]", 0.9, ""), ("tests.test_x", "test_b", 1.26, ""),
             ("tests.test_y", "test_c", 0.8, ""), ("book.01.ipynb", "Cell 1", 7, left_out)]  # fmt: skip
    (tmp_path / "x.xml").write_text(f"<testsuite>{''.join(case.format(*one) for one in cases)}</testsuite>")
    monkeypatch.setattr(times, "FAST", 1.8)
    assert times.durations(tmp_path / "x.xml") == {
        "files": {"book.01.ipynb": 7, "tests.test_x": 2.2, "tests.test_y": 0.8},
        "slow": {"tests.test_x::test_b": 1.26},
    }
    monkeypatch.setattr(times, "FAST", 3.0)
    assert times.durations(tmp_path / "x.xml")["slow"] == {}


def test_nothing_is_measured_on_a_busy_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(times.os, "getloadavg", lambda: (7.0, 0.0, 0.0))
    assert times.main() == 1
    assert "this machine is busy (load 7.0, expected at most 0.5)" in capsys.readouterr().err


def test_commands_are_measured_in_the_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Makefile").write_text(
        "env book test-fast:\n\tmkdir -p .venv _build/html\n\thead -c 2000000 /dev/urandom >.venv/x; sleep 0.1\n"
        "test:\n\techo '$(ARGS)' $$CI >arguments\n\techo '<x/>' >tests.xml\n"
    )
    (tmp_path / "tests").mkdir()
    monkeypatch.setenv("MAKEFLAGS", "-n")
    measured = times.measure(tmp_path)
    assert list(measured["commands"]) == ["env", "book", "test", "test-fast"]
    assert measured["commands"]["env"]["bytes"] == pytest.approx(2e6, rel=0.01)
    assert measured["commands"]["env"]["seconds"] > 0
    assert (tmp_path / "arguments").read_text() == f"--junit-xml={tmp_path / 'tests.xml'} true\n"
    assert json.loads((tmp_path / "tests" / "durations.json").read_text()) == {"files": {}, "slow": {}}
    (tmp_path / "Makefile").write_text("env:\n\tfalse\n")
    with pytest.raises(times.subprocess.CalledProcessError):
        times.measure(tmp_path)
