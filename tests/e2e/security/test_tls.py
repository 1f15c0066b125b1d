"""Encryption, seen by clients that nobody here wrote: an SDK, the CLI, gRPC and openssl."""

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig

from flows import runs_a_workflow
from harness.certificates import EXPIRED, NOT_YET, Authority, Pair, self_signed
from harness.secured import SecuredServer, secure_channel

NOOP = {"authorizer": "noop"}


def tls(server: dict, **frontend) -> dict:
    """Settings with this encryption, and nobody asked for a name."""
    tree = {"refreshInterval": "100ms", "frontend": {"server": server, **frontend}}
    return {"global": {"tls": tree, "authorization": NOOP}, "log": {"level": "debug"}}


def files(pair: Pair, **more) -> dict:
    return {"certFile": str(pair.certificate), "keyFile": str(pair.key), **more}


def s_client(port: int, *words: str) -> str:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "h2", *words],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.stdout + done.stderr


def system_info(channel: grpc.Channel) -> messages.GetSystemInfoResponse:
    stub = service.WorkflowServiceStub(channel)
    return stub.GetSystemInfo(messages.GetSystemInfoRequest(), timeout=5, wait_for_ready=False)


@pytest.fixture(scope="module")
def encrypted(authority: Authority, tmp_path_factory) -> Iterator[SecuredServer]:
    """A server that only encrypts, with another certificate for a second name."""
    other = authority.server("other", names="DNS:other.example")
    folder = tmp_path_factory.mktemp("encrypted")
    overrides = {"Other.Example": files(other)}
    settings = tls(files(authority.server("main")), hostOverrides=overrides)
    with SecuredServer(folder, settings) as running:
        yield running


@pytest.fixture(scope="module")
def mutual(authority: Authority, tmp_path_factory) -> Iterator[SecuredServer]:
    """A server that wants to see certificates, and knows which are revoked."""
    folder = tmp_path_factory.mktemp("mutual")
    revoked = authority.revoked(authority.client("revoked-client"))
    more = {
        "requireClientAuth": True,
        "clientCaFiles": [str(authority.own.certificate)],
        "clientCrlFiles": [str(revoked)],
    }
    server = authority.server("mutual", kind="sec1")
    with SecuredServer(folder, tls(files(server, **more))) as running:
        yield running


async def connected(server: SecuredServer, authority: Authority, client: Pair | None) -> Client:
    config = TLSConfig(
        server_root_ca_cert=authority.root,
        client_cert=client.certificate.read_bytes() if client else None,
        client_private_key=client.key.read_bytes() if client else None,
    )
    return await Client.connect(server.address, tls=config)


async def test_an_sdk_runs_a_workflow_over_tls(encrypted, authority):
    await runs_a_workflow(await connected(encrypted, authority, None))


async def test_an_sdk_runs_a_workflow_over_mutual_tls(mutual, authority):
    await runs_a_workflow(await connected(mutual, authority, authority.client("sdk")))


def test_the_cli_speaks_tls_and_negotiates_a_post_quantum_exchange(encrypted, authority, cli):
    words = ("operator", "cluster", "health", "--address", encrypted.address)
    ca = ("--tls-ca-path", str(authority.own.certificate))
    done = cli(*words, *ca)
    assert done.returncode == 0 and "SERVING" in done.stdout, done.stderr
    assert "X25519MLKEM768" in encrypted.log.read_text()
    assert cli(*words, "--tls").returncode != 0, "a server that nobody vouches for was trusted"
    assert cli(*words).returncode != 0, "an encrypted port took plain text"


def test_the_cli_shows_its_certificate(mutual, authority, cli):
    words = ("workflow", "list", "--address", mutual.address)
    words += ("--tls-ca-path", str(authority.own.certificate))
    shown = authority.client("cli")
    pair = ("--tls-cert-path", str(shown.certificate), "--tls-key-path", str(shown.key))
    done = cli(*words, *pair)
    assert done.returncode == 0, done.stderr
    assert cli(*words).returncode != 0


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_openssl_agrees_with_the_certificate(encrypted, authority, version):
    root = ("-CAfile", str(authority.own.certificate), "-verify_return_error")
    seen = s_client(encrypted.port, f"-tls{version}", "-verify_ip", "127.0.0.1", *root)
    assert "Verify return code: 0 (ok)" in seen
    assert "ALPN protocol: h2" in seen


@pytest.mark.parametrize(
    "words",
    [
        ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
        ("-tls1_2", "-cipher", "AES128-SHA"),
        ("-tls1_2", "-cipher", "AES128-GCM-SHA256"),
    ],
)
def test_old_protocols_and_ciphers_are_refused(encrypted, words):
    seen = s_client(encrypted.port, *words)
    assert "Cipher is (NONE)" in seen or "Cipher    : 0000" in seen, seen


def test_a_name_gets_its_own_certificate(encrypted):
    assert "subject=CN = other" in s_client(encrypted.port, "-servername", "other.example")
    assert "subject=CN = other" in s_client(encrypted.port, "-servername", "OTHER.example")
    assert "subject=CN = main" in s_client(encrypted.port, "-servername", "unknown.example")
    assert "subject=CN = main" in s_client(encrypted.port, "-noservername")


@pytest.mark.parametrize("kind", ["ec", "ed25519", "rsa-2048", "p-521"])
def test_good_certificates_of_every_kind_are_taken(mutual, authority, kind):
    pair = authority.client(f"good-{kind}", kind=kind)
    with secure_channel(mutual.address, authority.root, pair.certificate, pair.key) as channel:
        assert system_info(channel).server_version


@pytest.mark.parametrize(
    "which",
    ["none", "strange", "expired", "not-yet", "self-signed", "rsa-1024", "server's", "revoked"],
)
async def test_bad_certificates_are_refused(mutual, authority, stranger, tmp_path, which):
    pair = {
        "none": lambda: None,
        "strange": lambda: stranger.client("strange"),
        "expired": lambda: authority.client("expired", dates=EXPIRED),
        "not-yet": lambda: authority.client("not-yet", dates=NOT_YET),
        "self-signed": lambda: self_signed(tmp_path, "self"),
        "rsa-1024": lambda: authority.client("small", kind="rsa-1024"),
        "server's": lambda: authority.server("pretends"),
        "revoked": lambda: authority.pair("revoked-client"),
    }[which]()
    with pytest.raises((RPCError, RuntimeError)):
        await connected(mutual, authority, pair)
    files = (pair.certificate, pair.key) if pair else (None, None)
    if which != "rsa-1024":  # this client's own library refuses to show it
        with secure_channel(mutual.address, authority.root, *files) as channel:
            with pytest.raises(grpc.RpcError) as refused:
                system_info(channel)
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_a_certificate_of_another_name_has_no_rights(authority, tmp_path):
    rules = [{"subjectAlternativeName": "spiffe://tests/*", "permissions": ["default:read"]}]
    server = files(
        authority.server("named"),
        requireClientAuth=True,
        clientCaFiles=[str(authority.own.certificate)],
    )
    settings = tls(server)
    settings["global"]["authorization"] = {"authorizer": "default", "clientCertificates": rules}
    with SecuredServer(tmp_path, settings) as server:
        good = authority.client("good-san", names="URI:spiffe://tests/reader")
        await (await connected(server, authority, good)).count_workflows()
        for names in ("URI:spiffe://other/reader", "URI:spiffe://tests", "DNS:spiffe-tests", ""):
            bad = authority.client("bad-san", names=names)
            with pytest.raises(RPCError) as refused:
                await (await connected(server, authority, bad)).count_workflows()
            assert refused.value.message == "Request unauthorized.", names


async def test_a_server_that_nobody_vouches_for_is_not_trusted(encrypted, stranger):
    with pytest.raises(RuntimeError):
        await connected(encrypted, stranger, None)


def test_certificates_may_be_optional(authority, stranger, tmp_path):
    data = {
        "certData": base64.b64encode(
            authority.server("optional").certificate.read_bytes()
        ).decode(),
        "keyData": base64.b64encode((authority.folder / "optional.key").read_bytes()).decode(),
        "clientCAData": [base64.b64encode(authority.root).decode(), None],
        "clientAuth": "optional",
    }
    with SecuredServer(tmp_path, tls(data)) as server:
        for pair in (None, authority.client("shown")):
            shown = (pair.certificate, pair.key) if pair else (None, None)
            with secure_channel(server.address, authority.root, *shown) as channel:
                assert system_info(channel).server_version
        bad = stranger.client("optional")
        with secure_channel(server.address, authority.root, bad.certificate, bad.key) as channel:
            with pytest.raises(grpc.RpcError):
                system_info(channel)
        assert "BEGIN" not in server.log.read_text()


def test_what_cannot_be_safe_does_not_start(authority, stranger, tmp_path):
    good, other = authority.server("good"), stranger.server("other")
    mixed = {"certFile": str(good.certificate), "keyFile": str(other.key)}
    expired = authority.server("over", dates=EXPIRED)
    cases = [
        (tls({"keyFile": str(good.key)}), "key without certificate"),
        (tls(files(good, requireClientAuth=True)), "no authority to check them"),
        (tls(mixed), "is not that of the certificate"),
        (tls(files(expired)), "expired at"),
        (tls(files(good, certData="eA==")), "cannot specify CertFile and CertData"),
        (tls(files(good, clientCaFiles=[""])), "CA cannot be empty string"),
        (tls({"certFile": "no", "keyFile": "no"}), "cannot read `no`"),
        ({"listen": "0.0.0.0:0"}, "is not a loopback address, and there is no encryption"),
        ({"global": {"tls": {"frontend": {"server": files(good)}}}}, "authorizer: is not set"),
    ]
    for index, (settings, reason) in enumerate(cases):
        said = SecuredServer(tmp_path / str(index), settings).refuses_to_start()
        assert reason in said, said


def test_variables_of_the_reference_s_image_are_read(authority, tmp_path):
    pair = authority.server("image")
    variables = {
        "TEMPORAL_TLS_FRONTEND_CERT": str(pair.certificate),
        "TEMPORAL_TLS_FRONTEND_KEY": str(pair.key),
        "TEMPORAL_TLS_CLIENT1_CA_CERT": str(authority.own.certificate),
        "TEMPORAL_TLS_REQUIRE_CLIENT_AUTH": "true",
        "TEMPORAL_TLS_SERVER_CERT": str(pair.certificate),
        "TEMPORAL_TLS_SERVER_KEY": str(pair.key),
        "TEMPORAL_TLS_SERVER_CA_CERT": str(authority.own.certificate),
        "TEMPORAL_AUTH_AUTHORIZER": "noop",
    }
    shown = authority.client("image-client")
    with SecuredServer(tmp_path, {}, variables) as server:
        root = authority.root
        with secure_channel(server.address, root, shown.certificate, shown.key) as channel:
            assert system_info(channel).server_version
        with secure_channel(server.address, root) as channel, pytest.raises(grpc.RpcError):
            system_info(channel)


def test_nothing_of_a_key_is_logged(encrypted: SecuredServer, authority: Authority):
    key = Path(authority.folder / "main.key").read_text().splitlines()[1]
    assert key not in encrypted.log.read_text()
