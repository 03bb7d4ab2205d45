"""Each right answer passes, and each wrong one gets its message: the catalogue in the three files beside this one."""

from collections import Counter
from typing import Any

import pytest
from right_answers import RIGHT
from tried_answers import WRONG

from lecture11.homework.checks import verdict
from lecture11.homework.diagnosis import diagnose
from lecture11.homework.part import Part, mistaken
from lecture11.homework.parts import PARTS

SEED = "Ada"


def as_handed_in(part: Part, answer: Any) -> Any:
    """The function; or, where a number is asked for, what the function says of the student's own data."""
    return answer(*part.cases(SEED)[0].args.values()) if part.personal else answer


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_differently_written_right_answers_pass(part: Part) -> None:
    answers = [part.reference, *part.also, *RIGHT[part.id]]
    assert len(RIGHT[part.id]) >= 3
    found = [verdict(part.id, as_handed_in(part, answer), seed=SEED) for answer in answers]
    assert [v.message for v in found if not v.ok] == []


def test_the_catalogue_is_large() -> None:
    assert len(WRONG) >= 300
    counts = Counter(part for part, _, _ in WRONG)
    assert min(counts[part] for part in PARTS) >= 4
    assert set(counts) | set(RIGHT) == set(PARTS)


@pytest.mark.parametrize(
    ("part", "message", "answer"), WRONG, ids=[f"{i}-{part}" for i, (part, _, _) in enumerate(WRONG)]
)
def test_each_wrong_answer_gets_its_message(part: str, message: str, answer: Any) -> None:
    limit = 0.5 if message == "this takes too long" else 10.0
    found = verdict(part, as_handed_in(PARTS[part], answer), seed=SEED, limit=limit)
    assert not found.ok
    assert message in found.headline, found.message


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_each_known_mistake_is_told_from_all_others(part: Part) -> None:
    observed = mistaken(part, SEED)
    found = [diagnose(part, observations, seed=SEED).headline for observations in observed]
    assert found == [mistake.message for mistake in part.mistakes]


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_messages_are_sentences_without_the_answer(part: Part) -> None:
    messages = [mistake.message for mistake in part.mistakes]
    assert len(set(messages)) == len(messages)
    assert [m for m in messages if m.endswith(".") or not 20 <= len(m) <= 200] == []
    if part.personal:  # one number is the whole answer: no message may hold it
        wrong = verdict(part.id, 10**6, seed=SEED)
        (case,) = part.cases(SEED)
        assert str(part.reference(*case.args.values())) not in wrong.message
