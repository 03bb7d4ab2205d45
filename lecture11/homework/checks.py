"""``check.elbo_kl(elbo_kl, seed="Ada")``: runs an answer and says that it is right, or what is wrong with it."""

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lecture11.homework.diagnosis import Verdict
    from lecture11.homework.observation import Observation

LIMIT = 10.0  # seconds for one call


class WrongAnswer(AssertionError):
    """An answer is wrong; the message names the mistake. In a notebook only the message is shown."""

    def __init__(self, message: str, verdict: "Verdict | None" = None) -> None:
        super().__init__(message)
        self.verdict = verdict

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"WrongAnswer: {self}"]


class NotDoneYet(NotImplementedError):
    """What the empty answers of a homework raise; and the checks, where an answer is still empty."""

    def __init__(self, message: str = "not done yet") -> None:
        super().__init__(message)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"NotDoneYet: {self}"]


class Checker:
    """A check for each part of the homework, by the name of the answer: ``check.elbo_kl(answer, seed=...)``."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        names = dir(self)
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            raise AttributeError(f"no part is called {name}." + (f" Did you mean {close[0]}?" if close else ""))

        def run(answer: Any, *, seed: str | int = 0) -> None:
            _check(name, answer, seed)

        run.__name__ = run.__qualname__ = name
        return run

    def __dir__(self) -> list[str]:
        from lecture11.homework.parts import PARTS

        return [part.answer for part in PARTS.values()]


def observations(part_id: str, answer: Any, *, seed: str | int = 0, limit: float = LIMIT) -> "list[Observation]":
    """What an answer does on the cases of a part, in this process."""
    from lecture11.homework.observation import observe
    from lecture11.homework.parts import PARTS

    found = []
    cases = PARTS[part_id].cases(seed)
    for case in cases:
        found.append(observe(answer, case, limit=limit))
        if found[-1].timed_out:  # the other cases would take as long
            found += [found[-1]] * (len(cases) - len(found))
            break
    return found


def verdict(part_id: str, answer: Any, *, seed: str | int = 0, limit: float = LIMIT) -> "Verdict":
    """Observes an answer and judges it, in this process."""
    from lecture11.homework.diagnosis import diagnose
    from lecture11.homework.parts import PARTS

    return diagnose(PARTS[part_id], observations(part_id, answer, seed=seed, limit=limit), seed=seed)


def _check(name: str, answer: Any, seed: str | int) -> None:
    found = verdict(name.replace("_", "-"), answer, seed=seed)
    if found.ok:
        print(found.message)
    elif found.kind == "not done":
        raise NotDoneYet(f"{name}: {found.headline}")
    else:
        raise WrongAnswer(f"{name}: {found.message}", found)


check = Checker()
