"""What the guides show in five languages is what the tests run."""

import re
from pathlib import Path

import grpc
import pytest

from harness.certificates import Authority
from harness.guides import over_mutual_tls
from harness.node import FOLDER
from harness.other_languages import done_by, go, java, rust
from harness.secured import SecuredServer

ROOT = Path(__file__).parents[3]
SOURCES = {
    "python": [ROOT / "tests/e2e/harness/guides.py"],
    "js": [FOLDER / "encrypted_worker.mjs", FOLDER / "mutual_tls.mjs"],
    "go": list((ROOT / "tests/e2e/go/secured").glob("*.go")),
    "java": list((ROOT / "tests/e2e/java/src/test/java/longtide/secured").glob("*.java")),
    "rust,ignore": list((ROOT / "tests/e2e/rust/examples").glob("*.rs")),
}
BLOCK = re.compile(r"^```(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def plain(text: str) -> list[str]:
    """Its lines, without indentation and empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("guide", ["encryption-in-ten-minutes", "mutual-tls"])
def test_code_of_guides_stands_in_programs_that_the_tests_run(guide: str):
    text = (ROOT / f"docs/guide/{guide}.md").read_text()
    blocks = [(language, code) for language, code in BLOCK.findall(text) if language in SOURCES]
    assert {language for language, _ in blocks} == SOURCES.keys()
    for language, code in blocks:
        wanted = "\n".join(plain(code))
        programs = ["\n".join(plain(path.read_text())) for path in SOURCES[language]]
        assert any(wanted in program for program in programs), code


@pytest.mark.timeout(1000)
async def test_every_language_connects_over_mutual_tls(authority: Authority, tmp_path: Path):
    own, shown = authority.server("guided"), authority.client("guided-client")
    asks = {
        "certFile": str(own.certificate),
        "keyFile": str(own.key),
        "requireClientAuth": True,
        "clientCaFiles": [str(authority.own.certificate)],
    }
    tree = {"tls": {"frontend": {"server": asks}}, "authorization": {"authorizer": "noop"}}
    with SecuredServer(tmp_path / "server", {"global": tree}) as server:
        address = f"localhost:{server.port}"
        files = [authority.own.certificate, shown.certificate, shown.key]
        client = await over_mutual_tls(address, *files)
        assert await client.service_client.check_health()
        words = [address, *map(str, files)]
        node = ("node", str(FOLDER / "mutual_tls.mjs"))
        languages = ((node, []), (rust("mutual_tls"), []), (go(), ["tls"]), (java(), ["tls"]))
        for program, more in languages:
            assert "connected" in done_by(program, *more, *words)
        # Without a certificate nobody comes in.
        roots = grpc.ssl_channel_credentials(authority.root)
        with grpc.secure_channel(address, roots) as channel:
            with pytest.raises(grpc.FutureTimeoutError):
                grpc.channel_ready_future(channel).result(timeout=3)
