"""Every path of the HTTP ports with every kind of credential, against the table of `matrix.py`:
the API in JSON, what web pages ask besides, and Nexus."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator_messages
from test_authorization import METHODS, bearer, credentials_of

import matrix
from harness.raw import Raw
from harness.secured import SecuredServer
from harness.server import free_port
from harness.tokens import SigningKey, trusting

GRPC_ONLY = {
    "AddOrUpdateRemoteCluster",
    "AddSearchAttributes",
    "DeleteActivityExecution",
    "DeleteNamespace",
    "DeleteNexusOperationExecution",
    "DeleteWorkflowExecution",
    "DeprecateNamespace",
    "ExecuteMultiOperation",
    "GetSearchAttributes",
    "ListClosedWorkflowExecutions",
    "ListClusters",
    "ListOpenWorkflowExecutions",
    "ListTaskQueuePartitions",
    "PollActivityTaskQueue",
    "PollNexusTaskQueue",
    "PollWorkflowExecutionUpdate",
    "PollWorkflowTaskQueue",
    "RemoveRemoteCluster",
    "RemoveSearchAttributes",
    "ResetStickyTaskQueue",
    "RespondNexusTaskCompleted",
    "RespondNexusTaskFailed",
    "RespondQueryTaskCompleted",
    "RespondWorkflowTaskCompleted",
    "RespondWorkflowTaskFailed",
    "ScanWorkflowExecutions",
    "ShutdownWorker",
    "UpdateWorkerBuildIdCompatibility",
    "UpdateWorkerVersioningRules",
}
"""The methods that the API does not have over HTTP."""

ROUTES = 228
"""The paths of the others, with their verbs."""

STREAMS = {
    "/ui-api/namespaces/default/workflows/stream": "ListWorkflowExecutions",
    "/ui-api/namespaces/default/schedules/stream": "ListSchedules",
    "/ui-api/nexus/endpoints/stream": "ListNexusEndpoints",
    "/ui-api/namespaces/default/workflows/w/runs//history/stream": "GetWorkflowExecutionHistory",
    "/api/v1/namespaces/default/workflows/w/run//history.json": "GetWorkflowExecutionHistory",
}
"""What web pages read besides, and the method that each stands for."""

PUBLIC = {
    "http": ["/openapi.yaml", "/swagger.json", "/api/v1/system-info"],
    "ui": ["/openapi.yaml", "/swagger.json", "/api/v1/system-info", "/healthz", "/api/v1/settings"],
}
"""What anybody may read: it says nothing that is not in the program."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("http-matrix")]


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> SigningKey:
    return SigningKey(tmp_path_factory.mktemp("keys"), "first")


@pytest.fixture(scope="module")
def credentials(key: SigningKey, tmp_path_factory) -> dict[str, str | None]:
    return credentials_of(key, SigningKey(tmp_path_factory.mktemp("strange"), "first"))


@pytest.fixture(scope="module")
def server(key: SigningKey, tmp_path_factory) -> Iterator[SecuredServer]:
    """A server with an HTTP port that has pages, and another one for the pages alone."""
    folder = tmp_path_factory.mktemp("matrix")
    authorization = trusting(folder, key)
    ports = {"http": free_port(), "ui": free_port()}
    settings = {
        "global": {"authorization": authorization},
        "http": {"listen": f"127.0.0.1:{ports['http']}"},
        "ui": {"enabled": True, "listen": f"127.0.0.1:{ports['ui']}"},
        # Somebody who tries everything is refused more often than others.
        "limits": {"address_refusals_per_second": 0},
    }
    with SecuredServer(folder / "server", settings) as running:
        running.ports = ports
        yield running


class Asker:
    """Asks one port, over one connection."""

    def __init__(self, port: int, token: str | None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.headers = {"content-type": "application/json", "request-timeout": "1200ms"}
        if token:
            self.headers["authorization"] = f"Bearer {token}"

    def ask(self, verb: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """The status and the body of an answer."""
        self.connection.request(verb, path, body or None, self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def is_denied(self, verb: str, path: str, body: bytes = b"") -> bool:
        status, said = self.ask(verb, path, body)
        # Features that are switched off are refused with this status too, and with another text.
        return status == 403 and json.loads(said)["message"] == "Request unauthorized."

    def begins(self, path: str) -> int:
        """The status of an answer that may never end."""
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        self.connection.close()
        return answer.status


def routes(server: SecuredServer) -> list[tuple[str, str, str]]:
    """The verb, the path and the method of each way to call one."""
    status, text = Asker(server.ports["http"], None).ask("GET", "/swagger.json")
    assert status == 200
    names = {method.name for method in METHODS}
    found = []
    for path, verbs in json.loads(text)["paths"].items():
        for verb, described in verbs.items():
            if verb == "parameters":
                continue
            # The second way to call a method is called like the first one, with a number.
            name = described["operationId"]
            name = name if name in names else name.rstrip("0123456789")
            filled = path.replace("{namespace}", "default")
            while "{" in filled:
                before, _, rest = filled.partition("{")
                filled = before + "x" + rest.partition("}")[2]
            found.append((verb.upper(), quote(filled), name))
    return found


def test_every_method_is_there_or_known_not_to_be(server: SecuredServer):
    found = routes(server)
    assert len(found) == ROUTES
    names = {method.name for method in METHODS}
    assert {name for _, _, name in found} == names - GRPC_ONLY
    assert not GRPC_ONLY - names


@pytest.mark.parametrize("port", ["http", "ui"])
@pytest.mark.parametrize("who", matrix.CREDENTIALS)
def test_every_path_of_the_api_is_decided_by_the_table(
    server: SecuredServer, credentials, who, port
):
    asker, wrong, asked = Asker(server.ports[port], credentials[who]), {}, 0
    for verb, path, name in routes(server):
        if port == "ui" and not path.startswith("/api/"):
            continue
        # Most paths name the namespace themselves.
        said = {"namespace": "default"} if name == "RegisterNamespace" else {}
        body = b"" if verb == "GET" else json.dumps(said).encode()
        denied = asker.is_denied(verb, path, body)
        if denied == matrix.is_allowed(name, who):
            wrong[f"{verb} {path}"] = f"{name} is {'denied' if denied else 'allowed'}"
        asked += 1
    assert wrong == {}
    assert asked == (ROUTES if port == "http" else ROUTES / 2)


@pytest.mark.parametrize("port", ["http", "ui"])
@pytest.mark.parametrize("who", matrix.CREDENTIALS)
def test_every_stream_is_decided_as_what_it_reads(server: SecuredServer, credentials, who, port):
    token = credentials[who]
    denied = {path: Asker(server.ports[port], token).begins(path) == 403 for path in STREAMS}
    assert denied == {path: not matrix.is_allowed(name, who) for path, name in STREAMS.items()}


@pytest.mark.parametrize("who", matrix.CREDENTIALS)
def test_pages_are_told_what_the_table_says(server: SecuredServer, credentials, who):
    asker = Asker(server.ports["http"], credentials[who])
    status, said = asker.ask("GET", "/ui-api/permissions?namespace=default")
    if who in matrix.ALWAYS_DENIED - {"anonymous"}:
        assert status == 403
        return
    told = json.loads(said)["methods"]
    assert {method.name: told[method.name] for method in METHODS} == {
        method.name: matrix.is_allowed(method.name, who) for method in METHODS
    }


@pytest.mark.parametrize("who", matrix.CREDENTIALS)
def test_every_path_of_nexus_is_decided_by_its_namespace(server: SecuredServer, credentials, who):
    made = endpoint(server, credentials["system admin"])
    asker = Asker(server.ports["http"], credentials[who])
    queue = "/namespaces/default/task-queues/nobody/nexus-services"
    paths = [
        f"/nexus/endpoints/{made}/services/service/operation",
        f"/nexus/endpoints/{made}/services/service/operation/token/cancel",
        f"{queue}/service/operation",
        f"{queue}/service/operation/token/cancel",
    ]
    # A right goes as far as the workers, of whom there are none.
    allowed = matrix.is_allowed("StartWorkflowExecution", who)
    statuses = {path: asker.ask("POST", path)[0] for path in paths}
    assert {path: status != 403 for path, status in statuses.items()} == dict.fromkeys(
        paths, allowed
    ), statuses


def endpoint(server: SecuredServer, token: str) -> str:
    """The id of an endpoint that leads to `default`."""
    raw = Raw(server.address)
    request = operator_messages.ListNexusEndpointsRequest()
    known = raw.operator.ListNexusEndpoints(request, timeout=10, metadata=bearer(token)).endpoints
    if not known:
        spec = {"name": "matrix", "target": {"worker": {"namespace": "default", "task_queue": "q"}}}
        request = operator_messages.CreateNexusEndpointRequest(spec=spec)
        made = raw.operator.CreateNexusEndpoint(request, timeout=10, metadata=bearer(token))
        known = [made.endpoint]
    raw.channel.close()
    return known[0].id


@pytest.mark.parametrize("path", ["/nexus/callback", "/namespaces/default/nexus/callback"])
def test_a_completion_without_a_genuine_token_is_refused_to_everybody(
    server: SecuredServer, credentials, path
):
    for who in matrix.CREDENTIALS:
        asker = Asker(server.ports["http"], credentials[who])
        asker.headers |= {"nexus-operation-state": "succeeded", "temporal-callback-token": "x"}
        assert asker.ask("POST", path, b'"done"')[0] in (400, 403, 404), who


@pytest.mark.parametrize("port", ["http", "ui"])
def test_what_is_public_is_public(server: SecuredServer, port):
    anybody, paths = Asker(server.ports[port], None), PUBLIC[port]
    assert {path: anybody.ask("GET", path)[0] for path in paths} == dict.fromkeys(paths, 200)
