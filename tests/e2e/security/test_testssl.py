"""What another scanner that others wrote (testssl.sh) says of every port of a secured server."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_scanners import LIMITS, weak_server

from harness.certificates import Authority
from harness.secured import SecuredServer
from harness.server import free_port

TESTSSL = "testssl"

WEAK = {"LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL"}

OF_THE_MACHINE = {"engine_problem"}
"""What the scanner says of the machine that it runs on, under any severity."""

HARMLESS = {"metrics": {"HSTS", "security_headers"}, "ui": {"BREACH"}}
"""What does not apply: metrics are for programs, no browser goes there; the pages are compressed,
and they are the same files for everybody; nothing of a request and nothing secret is in them.
Answers of the API are not compressed."""

CHECKS = ("-p", "-s", "-f", "-P", "-S", "-U", "-h")
"""Protocols, ciphers, forward secrecy, preferences, certificate, vulnerabilities, headers."""

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory) -> Iterator[SecuredServer]:
    """A server whose ports are all encrypted."""
    pair = authority.server(
        "scanned-again",
        dates=("-days", "90"),
        more="crlDistributionPoints=URI:http://authority.test/list.crl\n",
    )
    tls = {
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        "clientAuth": "optional",
        "clientCaFiles": [str(authority.own.certificate)],
    }
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("http", "ui", "metrics")}
    settings = {
        "global": {
            "tls": {"frontend": {"server": tls}},
            "authorization": {"authorizer": "noop"},
        },
        "limits": LIMITS,
        "http": {"listen": ports["http"]},
        "ui": {"enabled": True, "listen": ports["ui"]},
        "metrics": {"listen": ports["metrics"], "encrypted": True},
    }
    with SecuredServer(tmp_path_factory.mktemp("scanned"), settings) as running:
        told = running.log.read_text()
        assert f"Web UI: https://{ports['ui']}" in told, told
        running.ports = ports | {"api": running.address}
        yield running


def findings(address: str, authority: Authority, folder: Path, *checks: str) -> dict[str, dict]:
    """What the scanner finds, by the names that it gives to its checks."""
    report = folder / "report.json"
    words = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none"]
    words += ["--ip", "127.0.0.1", "--add-ca", str(authority.own.certificate)]
    done = subprocess.run(
        [TESTSSL, *words, "--jsonfile", str(report), *checks, address],
        capture_output=True,
        text=True,
        timeout=360,
        stdin=subprocess.DEVNULL,
    )
    found = {it["id"]: it for it in json.loads(report.read_text())}
    assert "scanTime" in found, done.stdout
    return found


def weaknesses(found: dict[str, dict]) -> dict[str, str]:
    return {
        name: f"{it['severity']}: {it['finding']}"
        for name, it in found.items()
        if it["severity"] in WEAK and name not in OF_THE_MACHINE
    }


@pytest.mark.parametrize("port", ["api", "http", "ui", "metrics"])
def test_testssl_finds_no_weakness(server: SecuredServer, authority: Authority, tmp_path, port):
    found = findings(server.ports[port], authority, tmp_path, *CHECKS)
    found_weak = weaknesses(found)
    assert set(found_weak) <= HARMLESS.get(port, set()), found_weak
    # It has looked: these are what a scan that goes wrong leaves out.
    offered = {"TLS1_2": "offered", "TLS1_3": "offered with final"}
    assert {name: found[name]["finding"] for name in offered} == offered
    for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert found[name]["finding"] == "not offered", name
    for name in ("heartbleed", "ROBOT", "CRIME_TLS", "LUCKY13", "RC4", "BEAST", "DROWN"):
        assert found[name]["severity"] == "OK", name
    assert found["cert_trust"]["severity"] == found["cert_chain_of_trust"]["severity"] == "OK"


def test_testssl_finds_what_is_weak(authority: Authority, tmp_path):
    with weak_server(authority) as address:
        found = findings(address, authority, tmp_path, "-s", "-f")
    assert weaknesses(found)
