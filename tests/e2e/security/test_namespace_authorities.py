"""Namespaces with certificate authorities of their own, on connections that ask for no host."""

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from temporalio.api.errordetails.v1 import PermissionDeniedFailure
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator
from temporalio.api.operatorservice.v1 import service_pb2_grpc as operator_service
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from flows import runs_a_workflow
from harness.certificates import Authority, Pair
from harness.raw import detail_of
from harness.secured import SecuredServer, secure_channel
from harness.server import executable, free_port
from harness.tokens import SigningKey, publish
from harness.waiting import wait_for_sync

NAMESPACES = ("default", "orders", "billing")

DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture(scope="module")
def of_orders(tmp_path_factory) -> Authority:
    """The authority of the namespace `orders` alone."""
    return Authority(tmp_path_factory.mktemp("orders"), "of-orders")


@pytest.fixture(scope="module")
def of_billing(tmp_path_factory) -> Authority:
    """The authority of the namespace `billing` alone."""
    return Authority(tmp_path_factory.mktemp("billing"), "of-billing")


def settings(authority: Authority, namespaces: dict, authorization: dict | None = None, **server):
    pair = authority.server("by-namespace")
    server = {
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        "clientAuth": "require",
        "clientCaFiles": [str(authority.own.certificate)],
    } | server
    tree = {"refreshInterval": "50ms", "frontend": {"server": server, "namespaces": namespaces}}
    return {
        "global": {"tls": tree, "authorization": authorization or {"authorizer": "noop"}},
        "namespaces": [{"name": name} for name in NAMESPACES],
    }


def bundles(of_orders: Authority, of_billing: Authority) -> dict:
    """Each of two namespaces has an authority; of one of them not all clients are meant."""
    filters = [{"commonName": "worker-*", "organization": "tests"}, {"commonName": "boss"}]
    return {
        "orders": {
            "clientCaFiles": [str(of_orders.own.certificate)],
            "certificateFilters": filters,
        },
        "billing": {"clientCaFiles": [str(of_billing.own.certificate)]},
    }


@pytest.fixture(scope="module")
def server(authority, of_orders, of_billing, tmp_path_factory) -> Iterator[SecuredServer]:
    """Everybody may do everything, wherever the certificate lets in."""
    folder, port = tmp_path_factory.mktemp("by-namespace"), free_port()
    tree = settings(authority, bundles(of_orders, of_billing))
    tree["http"] = {"listen": f"127.0.0.1:{port}"}
    with SecuredServer(folder, tree) as running:
        running.http = port
        yield running


class Caller:
    """A connection, over which calls are made."""

    def __init__(self, channel: grpc.Channel, token: str = "") -> None:
        self.stub = service.WorkflowServiceStub(channel)
        self.operator = operator_service.OperatorServiceStub(channel)
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def says(self, method: str, request, stub=None) -> grpc.StatusCode | None:
        """The code of a refusal; nothing when the call is answered."""
        try:
            call = getattr(stub or self.stub, method)
            call(request, timeout=10, metadata=self.metadata, wait_for_ready=True)
        except grpc.RpcError as error:
            if error.code() == DENIED:
                assert error.details() == "Request unauthorized."
                assert detail_of(error, PermissionDeniedFailure) == PermissionDeniedFailure()
            return error.code()
        return None

    def asks(self, namespace: str) -> grpc.StatusCode | None:
        """What comes of a call in a namespace."""
        request = messages.DescribeNamespaceRequest(namespace=namespace)
        return self.says("DescribeNamespace", request)

    def enters(self) -> list[str]:
        """The namespaces in which its calls are answered."""
        found = {name: self.asks(name) for name in NAMESPACES}
        assert set(found.values()) <= {None, DENIED}, found
        return [name for name, refused in found.items() if refused is None]


@contextmanager
def connected(
    server: SecuredServer, authority: Authority, client: Pair | None, token: str = ""
) -> Iterator[Caller]:
    shown = (client.certificate, client.key) if client else ()
    with secure_channel(server.address, authority.root, *shown) as channel:
        yield Caller(channel, token)


def test_a_certificate_counts_where_its_authority_is_trusted(
    server, authority, of_orders, of_billing
):
    for client, entered in [
        (authority.client("ours"), ["default"]),
        (of_orders.client("worker-1"), ["orders"]),
        (of_orders.client("boss", subject="/CN=BOSS"), ["orders"]),
        (of_orders.client("starter"), []),
        (of_orders.client("worker-2", subject="/O=Others/CN=worker-2"), []),
        (of_billing.client("worker-3"), ["billing"]),
    ]:
        with connected(server, authority, client) as caller:
            # Twice: what was found is remembered.
            assert caller.enters() == entered and caller.enters() == entered, client
            system = messages.GetSystemInfoRequest()
            assert caller.says("GetSystemInfo", system) is None
            request = messages.ListNamespacesRequest()
            listed = caller.stub.ListNamespaces(request, timeout=10).namespaces
            names = {namespace.namespace_info.name for namespace in listed}
            assert names & set(NAMESPACES) == set(entered)


def test_who_no_authority_vouches_for_is_not_let_in_at_all(server, authority, stranger):
    for client in [stranger.client("strange-worker"), None]:
        shown = (client.certificate, client.key) if client else ()
        with secure_channel(server.address, authority.root, *shown) as channel:
            stub = service.WorkflowServiceStub(channel)
            with pytest.raises(grpc.RpcError) as refused:
                stub.GetSystemInfo(messages.GetSystemInfoRequest(), timeout=5)
            assert refused.value.code() != DENIED, "the connection was taken"


def test_an_id_leads_to_no_namespace_that_its_name_does_not_lead_to(
    server, authority, of_orders, of_billing
):
    with connected(server, authority, of_orders.client("worker-id")) as caller:
        request = messages.DescribeNamespaceRequest(namespace="orders")
        described = caller.stub.DescribeNamespace(request, timeout=10)
        by_id = messages.DescribeNamespaceRequest(id=described.namespace_info.id)
    deletion = operator.DeleteNamespaceRequest(namespace_id=described.namespace_info.id)
    for other in [authority.client("ours-id"), of_billing.client("billing-id")]:
        with connected(server, authority, other) as caller:
            assert caller.says("DescribeNamespace", by_id) == DENIED
            assert caller.says("DeleteNamespace", deletion, caller.operator) == DENIED


async def test_an_sdk_runs_a_workflow_with_a_certificate_of_the_namespace(
    server, authority, of_orders
):
    async def client(shown: Pair, namespace: str) -> Client:
        config = TLSConfig(
            server_root_ca_cert=authority.root,
            client_cert=shown.certificate.read_bytes(),
            client_private_key=shown.key.read_bytes(),
        )
        return await Client.connect(server.address, namespace=namespace, tls=config)

    own, ours = of_orders.client("worker-sdk"), authority.client("ours-sdk")
    await runs_a_workflow(await client(own, "orders"))
    await runs_a_workflow(await client(ours, "default"))
    for shown, namespace in [(ours, "orders"), (own, "default")]:
        with pytest.raises(RPCError) as refused:
            await (await client(shown, namespace)).count_workflows()
        assert refused.value.status == RPCStatusCode.PERMISSION_DENIED


def test_the_cli_is_let_in_where_its_certificate_counts(server, authority, of_orders, cli):
    words = ("workflow", "list", "--address", server.address)
    words += ("--tls-ca-path", str(authority.own.certificate))

    def asked(namespace: str, shown: Pair):
        pair = ("--tls-cert-path", str(shown.certificate), "--tls-key-path", str(shown.key))
        return cli(*words, *pair, "--namespace", namespace)

    own = of_orders.client("worker-cli")
    done = asked("orders", own)
    assert done.returncode == 0, done.stderr
    done = asked("billing", own)
    assert done.returncode != 0 and "Request unauthorized." in done.stderr


def test_the_http_api_asks_the_same(server, authority, of_orders):
    own = of_orders.client("worker-http")
    context = ssl.create_default_context(cadata=authority.root.decode())
    context.load_cert_chain(own.certificate, own.key)

    def status(namespace: str) -> int:
        url = f"https://localhost:{server.http}/api/v1/namespaces/{namespace}/workflows"
        try:
            with urllib.request.urlopen(url, timeout=10, context=context) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert [status(name) for name in NAMESPACES] == [403, 200, 403]


def test_no_right_and_no_rule_leads_into_a_namespace_of_others(
    authority, of_orders, of_billing, tmp_path
):
    key = SigningKey(tmp_path, "first")
    publish(tmp_path / "keys.json", key)
    authorization = {
        "authorizer": "default",
        "jwtKeyProvider": {"keySourceURIs": [f"file://{tmp_path}/keys.json"]},
        # Whoever has authority over `orders` can give certificates any name.
        "clientCertificates": [{"commonName": "boss", "permissions": ["temporal-system:admin"]}],
    }
    tree = settings(authority, bundles(of_orders, of_billing), authorization, clientAuth="optional")
    root = key.token("temporal-system:admin")
    with SecuredServer(tmp_path / "server", tree) as server:
        for client, token, entered in [
            (None, root, ["default"]),
            (authority.client("ours-root"), root, ["default"]),
            (authority.client("root-boss", subject="/CN=boss"), "", ["default"]),
            (of_orders.client("orders-boss", subject="/CN=boss"), "", ["orders"]),
            (of_orders.client("worker-root"), root, ["orders"]),
            (of_billing.client("reads"), key.token("billing:read"), ["billing"]),
            (of_billing.client("reads-more"), key.token("orders:read"), []),
        ]:
            with connected(server, authority, client, token) as caller:
                assert caller.enters() == entered, (client, token)
        register = messages.RegisterNamespaceRequest(namespace="more")
        register.workflow_execution_retention_period.FromSeconds(86400 * 2)
        endpoints = operator.ListNexusEndpointsRequest()
        with connected(server, authority, of_orders.client("worker-a"), root) as caller:
            assert caller.says("RegisterNamespace", register) == DENIED
            assert caller.says("ListNexusEndpoints", endpoints, caller.operator) is None
        with connected(server, authority, None, root) as caller:
            assert caller.says("RegisterNamespace", register) is None


def test_what_has_changed_holds_for_connections_that_are_open(
    authority, of_orders, of_billing, tmp_path
):
    bundle = tmp_path / "orders.pem"

    def trust(*authorities: Authority) -> None:
        new = tmp_path / "orders.new"
        new.write_bytes(b"".join(one.root for one in authorities))
        new.rename(bundle)

    trust(of_orders)
    tree = settings(authority, {"orders": {"clientCaFiles": [str(bundle)]}})
    with SecuredServer(tmp_path / "server", tree) as server:
        own, ours = of_orders.client("worker-open"), authority.client("ours-open")
        with (
            connected(server, authority, own) as first,
            connected(server, authority, ours) as second,
        ):
            assert first.asks("orders") is None and second.asks("orders") == DENIED
            poll = first.stub.PollWorkflowTaskQueue.future(
                messages.PollWorkflowTaskQueueRequest(
                    namespace="orders", task_queue={"name": "queue"}
                ),
                timeout=60,
            )
            trust(of_orders, authority)
            wait_for_sync(lambda: second.asks("orders") is None, "both are trusted")
            assert first.asks("orders") is None
            assert not poll.done(), "what changed for others ended a poll"
            trust(authority)
            wait_for_sync(lambda: first.asks("orders") == DENIED, "the first is trusted no longer")
            with pytest.raises(grpc.RpcError) as ended:
                poll.result()
            assert ended.value.code() == DENIED, "a poll went on without its certificate"
            assert second.enters() == ["default", "orders", "billing"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"server": {"clientAuth": "none"}}, "clients are not asked for certificates"),
        ({"orders": {"clientCaFiles": []}}, "set clientCaFiles or clientCaData"),
        ({"orders": {"certificateFilters": [{}]}}, "says nothing of the certificate"),
        ({"orders": {"certificateFilters": [{"commonName": "*"}]}}, "not alone"),
        ({"orders": {"certificateFilters": [{"commonName": "a*b"}]}}, "at its start or its end"),
        ({"orders": {"certificateFilters": [{"commonName": "a"}] * 26}}, "at most 25"),
        ({"orders": {"clientCaFiles": ["nowhere.pem"]}}, "nowhere.pem"),
    ],
)
def test_what_would_let_nobody_or_everybody_in_is_refused(
    change, text, authority, of_orders, of_billing, tmp_path
):
    namespaces = bundles(of_orders, of_billing)
    namespaces["orders"] |= change.get("orders", {})
    tree = settings(authority, namespaces, **change.get("server", {}))
    assert text in SecuredServer(tmp_path / "server", tree).refuses_to_start()


def test_the_doctor_tells_when_the_authorities_of_namespaces_end(
    authority, of_orders, of_billing, tmp_path
):
    tree = settings(authority, bundles(of_orders, of_billing))
    configuration: Path = tmp_path / "longtide.yaml"
    configuration.write_text(json.dumps({"data_directory": str(tmp_path / "data")} | tree))
    words = ("doctor", "--config", str(configuration), "--output", "json")
    done = subprocess.run([executable(), *words], capture_output=True, text=True, timeout=60)
    found = {one["subject"]: one for one in json.loads(done.stdout)["certificates"]}
    for name in ("of-orders", "of-billing"):
        subject = f"O=Tests, CN={name}"
        assert found[subject]["is_authority"] and 0 < found[subject]["days_left"] <= 30
