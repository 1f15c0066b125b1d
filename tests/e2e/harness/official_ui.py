"""The files of Temporal's own web UI, as the reference serves them.

As a program it puts them into a folder, for suites in other languages:
`python -m harness.official_ui FOLDER`.
"""

import re
import sys
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from harness.command_line import REFERENCE
from harness.http_api import UiServer, ask

START_SECONDS = 60
FILES_MAX = 2000
FILES_AT_ONCE = 16
PARTS = re.compile(
    rb"""["'`(]((?:\.{1,2}/|/)?[\w./@-]*?(?:_app/immutable/|\./|\.\./)[\w./@-]+\.(?:js|css|woff2?|svg|png|ico))"""
)
PAGE = {"Accept": "text/html"}


class Reference(UiServer):
    """The reference with its own UI."""

    def __init__(self) -> None:
        super().__init__()
        self.program = str(REFERENCE)

    def start(self) -> "Reference":
        super().start()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if ask("GET", self.ui + "/").status == 200:
                    return self
            except (urllib.error.URLError, OSError):
                pass
            assert time.monotonic() < deadline, "the reference's UI does not start"
            time.sleep(0.1)


def crawl(address: str, folder: Path) -> int:
    """Takes the UI's files: the index, and all that files name in turn."""
    index = ask("GET", address + "/", headers=PAGE)
    assert index.status == 200
    folder.joinpath("index.html").write_bytes(index.body)
    known, new = {"/index.html"}, parts_of("/", index.body)
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        while new := {path for path in new if path not in known}:
            known |= new
            assert len(known) < FILES_MAX
            answers = pool.map(lambda path: (path, ask("GET", address + path)), sorted(new))
            new = set()
            for path, answer in answers:
                if answer.status != 200 or answer.headers["content-type"].startswith("text/html"):
                    continue
                file = folder / path.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(answer.body)
                new |= parts_of(path, answer.body)
    return sum(1 for file in folder.rglob("*") if file.is_file())


def parts_of(path: str, body: bytes) -> set[str]:
    """The files that a file names: beside it, or from the top."""
    names = {name.decode() for name in PARTS.findall(body)}
    joined = {urljoin(path, name if not name.startswith("_app") else "/" + name) for name in names}
    return {urlsplit(name).path for name in joined if "/_app/" in name}


def put_into(folder: Path) -> int:
    """Takes the files from a reference that is started for it; gives their number."""
    with Reference() as reference:
        return crawl(reference.ui, folder)


if __name__ == "__main__":
    print(put_into(Path(sys.argv[1])))
