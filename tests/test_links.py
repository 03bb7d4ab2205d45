"""Which links the link check finds, and what it makes of the answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest

from tools import links


class Answers(BaseHTTPRequestHandler):
    """Answers each request with the status that its path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [a page](https://a.org/b_(c)), or <https://a.org/d>.", {"https://a.org/b_(c)", "https://a.org/d"}),
        ('href="https://a.org/x?y=1#part"', {"https://a.org/x?y=1"}),
        ("`https://a.org`, (https://b.org/c).", {"https://a.org", "https://b.org/c"}),
        ("%pip install git+https://github.com/a/b@main", {"https://github.com/a/b"}),
        ("https://medium.com/@author", {"https://medium.com/@author"}),
        ("  doi = {10.1000/x(1)},\n", {"https://doi.org/10.1000/x(1)"}),
        ("http://localhost:8000 http://127.0.0.1/", set()),
    ],
)
def test_links_of_a_text(text: str, expected: set[str]) -> None:
    assert links.links_in(text) == expected


def test_of_a_notebook_only_what_was_written_counts(tmp_path: Path) -> None:
    cell = nbformat.v4.new_code_cell("'https://a.org/'", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", text="https://printed.org/")]
    path = tmp_path / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    assert links.links_in(links.text_of(path)) == {"https://a.org/"}


@pytest.mark.parametrize(
    ("status", "expected"), [(200, "ok"), (404, "dead 404"), (403, "refused 403"), (500, "dead 500")]
)
def test_answers(server: str, status: int, expected: str) -> None:
    assert links.state(f"{server}/{status}", timeout=5).startswith(expected)


def test_no_such_host() -> None:
    assert links.state("https://no-such-host.invalid/", timeout=5).startswith("dead ")


def test_one_dead_link_is_a_failure(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(links, "LOCAL", links.re.compile("(?!)"))
    path = tmp_path / "page.md"
    path.write_text(f"{server}/200 {server}/403", encoding="utf-8")
    assert links.main([str(path)]) == 0
    path.write_text(f"{server}/200 {server}/404", encoding="utf-8")
    assert links.main([str(path)]) == 1
    assert "2 links: 1 answer, 0 refuse machines, 1 dead" in capsys.readouterr().out
