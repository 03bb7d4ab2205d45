"""Each right answer passes, and each wrong one gets its message: the catalogue in ``answers``."""

import functools
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from answers import RIGHT, WRONG, Wrong

import lecture11.homework.parts
from lecture11.homework.checks import observations, verdict
from lecture11.homework.diagnosis import Verdict, diagnose
from lecture11.homework.observation import Observation
from lecture11.homework.part import Mistake, Part
from lecture11.homework.parts import PARTS
from lecture11.registry import by_id

SEED = "Ada"
FOLDER = Path(lecture11.homework.parts.__path__[0])
FILES = [path.relative_to(FOLDER) for path in FOLDER.rglob("*.py")]


def as_handed_in(part: Part, answer: Any) -> Any:
    """The function; or, where a number is asked for, what the function says of the student's own data."""
    return answer(*part.cases(SEED)[0].args.values()) if part.personal else answer


@functools.cache
def observed(wrong: Wrong) -> list[Observation]:
    limit = 0.2 if wrong.kind == "time" else 10.0
    return observations(wrong.part, as_handed_in(PARTS[wrong.part], wrong.answer), seed=SEED, limit=limit)


@functools.cache
def judged(wrong: Wrong) -> Verdict:
    return diagnose(PARTS[wrong.part], observed(wrong), seed=SEED)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_differently_written_right_answers_pass(part: Part) -> None:
    answers = [part.reference, *part.also, *RIGHT[part.id]]
    assert len(RIGHT[part.id]) >= 3
    found = [verdict(part.id, as_handed_in(part, answer), seed=SEED) for answer in answers]
    assert [v.message for v in found if not v.ok] == []


def test_the_catalogue_is_large_and_each_part_has_its_files() -> None:
    assert len(WRONG) >= 450
    counts = Counter(wrong.part for wrong in WRONG)
    assert min(counts[part] for part in PARTS) >= 4
    names = {part.answer for part in PARTS.values()}
    assert {Path(path.parts[0]).stem for path in FILES} == names | {"__init__"}
    assert {path.name for path in FILES if len(path.parts) > 1} == {"__init__.py", "right.py", "wrong.py"}
    here = Path(__file__).parent / "answers"
    assert {path.stem for path in here.glob("*.py")} == names | {"__init__", "before", "collected"}


def test_each_file_of_a_part_is_read_on_two_screens() -> None:
    lengths = {str(path): len((FOLDER / path).read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 120} == {}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_each_wrong_answer_gets_its_message(part: Part) -> None:
    faults = []
    for number, wrong in enumerate(wrong for wrong in WRONG if wrong.part == part.id):
        found = judged(wrong)
        expected, got = (wrong.mistake, wrong.kind, False), (found.mistake, found.kind, found.ok)
        if expected != got or wrong.says not in found.headline:
            faults.append(f"wrong answer {number}: {expected}, {wrong.says!r}; found {got}: {found.message}")
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_the_order_of_the_known_mistakes_does_not_matter(part: Part) -> None:
    shuffled = replace(part, mistakes=tuple(random.Random(0).sample(part.mistakes, len(part.mistakes))))
    for wrong in WRONG:
        if wrong.part == part.id and wrong.mistake:
            assert diagnose(shuffled, observed(wrong), seed=SEED) == judged(wrong)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_each_known_mistake_is_told_from_all_others(part: Part) -> None:
    # By their values: gradients are looked at where these are right.
    numbers = range(len(part.cases(SEED)))
    seen = [[part.observed_on(i, mistake.function, SEED) for i in numbers] for mistake in part.mistakes]
    found = [diagnose(part, observations, seed=SEED) for observations in seen]
    assert [v.mistake for v in found] == [mistake.id for mistake in part.mistakes]
    assert [v.headline for v in found] == [mistake.message for mistake in part.mistakes]


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_messages_are_sentences_without_the_answer(part: Part) -> None:
    messages = [mistake.message for mistake in part.mistakes]
    assert len(set(messages)) == len(messages)
    assert [m for m in messages if m.endswith(".") or not 20 <= len(m) <= 200] == []
    if part.personal:  # one number is the whole answer: no message may hold it
        wrong = verdict(part.id, 10**6, seed=SEED)
        (case,) = part.cases(SEED)
        assert str(part.reference(*case.args.values())) not in wrong.message


def test_an_id_that_is_given_twice_is_refused() -> None:
    part = PARTS["mu-theta"]
    twice = (*part.mistakes, Mistake(part.mistakes[0].id, "something else is wrong here", part.reference))
    with pytest.raises(ValueError, match="there are two of the mistakes of mu-theta 'erratum-e13'"):
        replace(part, mistakes=twice)
    with pytest.raises(ValueError, match="there are two of the parts 'mu-theta': give each an id of its own"):
        by_id("parts", ((p.id, p) for p in (*PARTS.values(), part)))
