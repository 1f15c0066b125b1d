"""What a scanner that others wrote (sslyze) says of the encryption of ports."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.certificates import Authority, Pair
from harness.secured import SecuredServer
from harness.server import free_port
from harness.waiting import wait_for_sync

SSLYZE = Path(__file__).parent.parent / ".cache" / "venv-scanners" / "bin" / "sslyze"

OLD = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")

SUITES_OF_TLS_1_2 = {
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}

SUITES_OF_TLS_1_3 = {
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
}

SCANS = (
    *("certinfo", "sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3", "early_data"),
    *("resum", "openssl_ccs", "fallback", "reneg", "ems", "compression", "heartbleed", "robot"),
    "elliptic_curves",
)

LIMITS = {"address_connections_per_second": 0, "address_refusals_per_second": 0}
"""A scanner makes more connections than a client in good order."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("scanners")]


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory) -> Iterator[SecuredServer]:
    """A server with encrypted API and metrics; clients may show certificates."""
    pair = authority.server("scanned")
    tls = {
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        "clientAuth": "optional",
        "clientCaFiles": [str(authority.own.certificate)],
    }
    settings = {
        "global": {
            "tls": {"frontend": {"server": tls}},
            "authorization": {"authorizer": "noop"},
        },
        "limits": LIMITS,
        "metrics": {"listen": f"127.0.0.1:{free_port()}", "encrypted": True},
    }
    with SecuredServer(tmp_path_factory.mktemp("scanned"), settings) as running:
        running.metrics = settings["metrics"]["listen"]
        yield running


def scanned(
    address: str, authority: Authority, folder: Path, level: str, shown: Pair | None = None
):
    """The report, and how the scanner judges the whole by a level of Mozilla's."""
    report = folder / f"report-{address}-{level}.json"
    words = ["--json_out", str(report), "--mozilla_config", level]
    words += [f"--{scan}" for scan in SCANS]
    words += ["--certinfo_ca_file", str(authority.own.certificate), "--sni", "localhost"]
    if shown:
        words += ["--cert", str(shown.certificate), "--key", str(shown.key)]
    done = subprocess.run(
        [str(SSLYZE), *words, address], capture_output=True, text=True, timeout=240
    )
    (result,) = json.loads(report.read_text())["server_scan_results"]
    assert result["scan_status"] == "COMPLETED", done.stdout + done.stderr
    return result["scan_result"], done


def checked(results: dict, name: str) -> dict:
    assert results[name]["status"] == "COMPLETED", (name, results[name])
    return results[name]["result"]


def suites(results: dict, version: str) -> set[str]:
    accepted = checked(results, f"{version}_cipher_suites")["accepted_cipher_suites"]
    return {it["cipher_suite"]["name"] for it in accepted}


def assert_no_weakness(results: dict) -> None:
    """None of the weaknesses that the scanner knows of."""
    for version in OLD:
        assert suites(results, version) == set(), version
    assert suites(results, "tls_1_2") <= SUITES_OF_TLS_1_2
    assert suites(results, "tls_1_3") == SUITES_OF_TLS_1_3
    assert not checked(results, "heartbleed")["is_vulnerable_to_heartbleed"]
    assert not checked(results, "openssl_ccs_injection")["is_vulnerable_to_ccs_injection"]
    assert "NOT_VULNERABLE" in checked(results, "robot")["robot_result"]
    assert not checked(results, "tls_compression")["supports_compression"]
    assert not checked(results, "tls_1_3_early_data")["supports_early_data"]
    renegotiation = checked(results, "session_renegotiation")
    assert not renegotiation["is_vulnerable_to_client_renegotiation_dos"]
    (deployment,) = checked(results, "certificate_info")["certificate_deployments"]
    validated = [it["was_validation_successful"] for it in deployment["path_validation_results"]]
    assert any(validated), "the certificate does not hold for the name"


@pytest.mark.parametrize("port", ["api", "metrics"])
def test_a_scanner_finds_no_weakness(server: SecuredServer, authority, tmp_path, port):
    address = server.address if port == "api" else server.metrics
    results, done = scanned(address, authority, tmp_path, "intermediate")
    assert_no_weakness(results)
    assert suites(results, "tls_1_2") == SUITES_OF_TLS_1_2
    assert checked(results, "session_renegotiation")["supports_secure_renegotiation"]
    assert checked(results, "tls_extended_master_secret")["supports_ems_extension"]
    assert done.returncode == 0, done.stdout


def test_a_scanner_finds_no_weakness_where_certificates_are_wanted(authority: Authority, tmp_path):
    pair, shown = authority.server("wanted"), authority.client("scanner")
    tls = {
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        "minVersion": "1.3",
        "requireClientAuth": True,
        "clientCaFiles": [str(authority.own.certificate)],
    }
    tree = {"frontend": {"server": tls}}
    settings = {"global": {"tls": tree, "authorization": {"authorizer": "noop"}}}
    settings["limits"] = LIMITS
    with SecuredServer(tmp_path / "server", settings) as server:
        results, done = scanned(server.address, authority, tmp_path, "modern", shown)
    assert_no_weakness(results)
    assert suites(results, "tls_1_2") == set()
    assert done.returncode == 0, done.stdout


@contextmanager
def weak_server(authority: Authority) -> Iterator[str]:
    """Another server, of which these tests do not say that all is well; its address."""
    pair, port = authority.server("weak", kind="rsa-2048"), free_port()
    words = ["-accept", f"127.0.0.1:{port}", "-cert", str(pair.certificate), "-key", str(pair.key)]
    words += ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0", "-www", "-quiet"]
    weak = subprocess.Popen(
        ["openssl", "s_server", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_sync(lambda: listens(port), "the weak server listens")
        yield f"127.0.0.1:{port}"
    finally:
        weak.kill()
        weak.wait(timeout=10)


def test_the_scanner_finds_what_is_weak(authority: Authority, tmp_path):
    with weak_server(authority) as address:
        results, done = scanned(address, authority, tmp_path, "intermediate")
    assert suites(results, "tls_1_2") == {"TLS_RSA_WITH_AES_128_CBC_SHA"}
    with pytest.raises(AssertionError):
        assert_no_weakness(results)
    assert done.returncode != 0


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
