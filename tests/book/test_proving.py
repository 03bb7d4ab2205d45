"""The page on proofs: its code runs as it stands there, and fails where and as the page says."""

import re

import pytest
from book_source import BOOK

from lecture11 import symbolic

PAGE = (BOOK / "proving.md").read_text(encoding="utf-8")
# A piece of code and, if text follows it, the error that it raises.
PIECES = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, flags=re.DOTALL)


def test_the_code_on_the_page_does_what_the_page_says() -> None:
    names: dict[str, object] = {}
    for code, error in PIECES:
        if error:
            with pytest.raises(symbolic.ProofError) as caught:
                exec(code, names)
            assert f"{type(caught.value).__name__}: {caught.value}" == error.strip()
        else:
            exec(code, names)
    assert len(PIECES) == 6
    assert sum(bool(error) for _, error in PIECES) == 3
