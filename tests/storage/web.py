"""A place that is not this machine: a directory behind a web server, read by ranges.

The second implementation of `pulse_widgets.storage.place`, which shows that a first one is not
all that reading can do with.
"""

from __future__ import annotations

import email.utils
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from pulse_widgets.errors import RecordingError
from pulse_widgets.storage.place import Item, Stat

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class WebPlace:
    """A URL as a place."""

    url: str
    path = None

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        return urllib.parse.unquote(self.url.rpartition("/")[2])

    @property
    def parent(self) -> WebPlace:
        return WebPlace(self.url.rpartition("/")[0])

    def __truediv__(self, name: str) -> WebPlace:
        return WebPlace(f"{self.url}/{urllib.parse.quote(name)}")

    def stat(self) -> Stat | None:
        try:
            headers, _ = _ask(self.url, "HEAD")
        except FileNotFoundError:
            return None
        return Stat("X-Folder" in headers, int(headers["Content-Length"]))

    def items(self) -> list[Item]:
        return [Item(*each) for each in json.loads(_ask(f"{self.url}/")[1])]

    def open(self) -> WebFile:
        return WebFile(self.url)


class WebFile:
    """A file on a web server: its size, and ranges of the version that was opened."""

    def __init__(self, url: str) -> None:
        self.name = url
        headers, _ = _ask(url, "HEAD")
        if "X-Folder" in headers:
            raise IsADirectoryError(url)
        self.size, self.mark = int(headers["Content-Length"]), headers["ETag"]
        self.modified_s = email.utils.parsedate_to_datetime(headers["Last-Modified"]).timestamp()

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        wanted = {"Range": f"bytes={offset}-{end - 1}", "If-Match": self.mark}
        return _ask(self.name, "GET", wanted)[1]

    def close(self) -> None:
        """Do nothing: every read is a request of its own."""


def _ask(url: str, method: str = "GET", headers: dict[str, str] | None = None):
    request = urllib.request.Request(url, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers, answer.read()
    except urllib.error.HTTPError as exc:
        exc.close()
        if exc.code == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(url) from None
        if exc.code == HTTPStatus.PRECONDITION_FAILED:
            raise RecordingError(f"{url} has changed", remedy="Open it again.") from None
        raise


@dataclass
class Site:
    """A server that runs, and what was asked of it."""

    place: WebPlace
    ranges: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, first byte and number of bytes of every piece that was sent."""

    @property
    def sent(self) -> int:
        return sum(length for *_, length in self.ranges)


@contextmanager
def serving(directory: Path):
    """Serve a directory at a free port of this machine."""
    site = Site(WebPlace(""))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory, site))
    site.place = WebPlace(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, directory: Path, site: Site, *args) -> None:
        self._directory, self._site = directory, site
        super().__init__(*args)

    def log_message(self, *_) -> None:
        """Keep the output of the tests clean."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._directory / urllib.parse.unquote(self.path).lstrip("/")
        if path.is_dir():
            listed = [(each.name, each.is_dir()) for each in path.iterdir()]
            self._answer(HTTPStatus.OK, json.dumps(listed).encode(), {"X-Folder": "1"})
        elif path.is_file():
            self._file(path)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"", {})

    def _file(self, path: Path) -> None:
        found = path.stat()
        about = {
            "ETag": f'"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"',
            "Last-Modified": email.utils.formatdate(found.st_mtime, usegmt=True),
        }
        if self.headers.get("If-Match", about["ETag"]) != about["ETag"]:
            self._answer(HTTPStatus.PRECONDITION_FAILED, b"", {})
            return
        content = path.read_bytes()
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if match is None:
            self._answer(HTTPStatus.OK, content, about)
            return
        first, last = int(match[1]), int(match[2])
        self._site.ranges.append((path.name, first, last + 1 - first))
        self._answer(HTTPStatus.PARTIAL_CONTENT, content[first : last + 1], about)

    def _answer(self, status: HTTPStatus, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers.items(), ("Content-Length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)
