"""Homework: checks that name the mistake, and the notebooks that they stand in.

``check.elbo_kl(elbo_kl, seed="Ada")`` runs a student's function on small exact cases and says what is wrong with it.
Running and judging are apart: ``observation.observe`` runs what a student wrote and writes down what happened,
``diagnosis.diagnose`` judges that without running it. A grader does the first in a sandbox and the second outside.

The reference answers and the known mistakes are in ``parts``. Nothing here imports them before an answer is judged.
"""

from lecture11.homework.checks import NotDoneYet, WrongAnswer, check
from lecture11.homework.variation import Variation, variation

__all__ = ["NotDoneYet", "Variation", "WrongAnswer", "check", "variation"]
