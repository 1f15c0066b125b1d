"""Every method with every kind of credential, over the wire, against the table of `matrix.py`."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest
from temporalio.api.batch.v1 import BatchOperationTermination
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import BatchOperationState, WorkflowExecutionStatus
from temporalio.api.errordetails.v1 import PermissionDeniedFailure
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator_messages
from temporalio.api.operatorservice.v1 import service_pb2_grpc as operator_service
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import request_response_pb2 as workflow_messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service

import matrix
from harness.raw import (
    Raw,
    detail_of,
    refusal_of,
    schedule_activity,
    start_child,
    start_fields,
)
from harness.sdk import unique
from harness.secured import SecuredServer
from harness.server import free_port
from harness.tokens import SigningKey, trusting
from harness.waiting import wait_for_sync


@dataclass(frozen=True)
class Method:
    """A method of the API."""

    service: str
    name: str

    def new(self, kind: str):
        """An empty request or response."""
        both = {"WorkflowService": workflow_messages, "OperatorService": operator_messages}
        return getattr(both[self.service], f"{self.name}{kind}")()


def methods() -> list[Method]:
    """Every method that the SDK's generated stubs know."""
    with grpc.insecure_channel("127.0.0.1:1") as nowhere:
        raw = {
            "WorkflowService": service.WorkflowServiceStub(nowhere),
            "OperatorService": operator_service.OperatorServiceStub(nowhere),
        }
        return [Method(name, method) for name, stub in raw.items() for method in vars(stub)]


METHODS = methods()

ADMINISTRATION = [
    "CreateApiKey",
    "EndSession",
    "ExpireApiKey",
    "GetKeyStatus",
    "ListApiKeys",
    "ListSessions",
    "RevokeApiKey",
    "RotateApiKey",
]
"""The methods of the server's own; those that rotate keys are left alone."""

LAST = ["UpdateNamespace", "DeprecateNamespace"]
"""These change the namespace that the others are about."""


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> SigningKey:
    return SigningKey(tmp_path_factory.mktemp("keys"), "first")


@pytest.fixture(scope="module")
def server(key: SigningKey, tmp_path_factory) -> Iterator[SecuredServer]:
    """A server that knows callers by tokens."""
    folder = tmp_path_factory.mktemp("authorized")
    authorization = trusting(folder, key) | {"claimMapper": "default"}
    namespaces = [{"name": name} for name in ("default", "other", "third")]
    settings = {"global": {"authorization": authorization}, "namespaces": namespaces}
    http_port = free_port()
    settings["http"] = {"listen": f"127.0.0.1:{http_port}"}
    with SecuredServer(folder / "server", settings) as running:
        running.http_port = http_port
        yield running


@pytest.fixture(scope="module")
def raw(server: SecuredServer) -> Iterator[Raw]:
    client = Raw(server.address)
    yield client
    client.channel.close()


@pytest.fixture(scope="module")
def credentials(key: SigningKey, tmp_path_factory) -> dict[str, str | None]:
    """The token of each row of the table."""
    return credentials_of(key, SigningKey(tmp_path_factory.mktemp("strange"), "first"))


def credentials_of(key: SigningKey, stranger: SigningKey) -> dict[str, str | None]:
    """The token of each row of the table; nobody vouches for the stranger's key."""
    admin = "temporal-system:admin"
    return {
        "anonymous": None,
        "bad token": stranger.token(admin),
        "expired": key.token(admin, exp=1_700_000_000),
        "wrong audience": key.token(admin, aud="somebody else"),
        "wrong issuer": key.token(admin, iss="https://other.test"),
        "alg=none": key.token(admin, header={"alg": "none"}),
        "HS256 with the public key": key.token(admin, header={"alg": "HS256"}),
        "reader": key.token("default:read"),
        "writer": key.token("default:write"),
        "worker": key.token("default:worker"),
        "namespace admin": key.token("default:admin"),
        "system admin": key.token(admin),
        "other namespace's admin": key.token("other:admin"),
    }


def bearer(token: str | None) -> tuple:
    return (("authorization", f"Bearer {token}"),) if token else ()


def request_of(method: Method):
    """An empty request about the namespace `default`."""
    request = method.new("Request")
    if "namespace" in request.DESCRIPTOR.fields_by_name:
        request.namespace = "default"
    return request


def call(raw: Raw, method: Method, token: str | None) -> grpc.RpcError | None:
    """The error of a call, if it is one."""
    stub = raw.workflow if method.service == "WorkflowService" else raw.operator
    seconds = 0.3 if method.name.startswith("Poll") else 3
    try:
        getattr(stub, method.name)(request_of(method), timeout=seconds, metadata=bearer(token))
    except grpc.RpcError as error:
        return error
    return None


def is_denied(error: grpc.RpcError | None) -> bool:
    if error is None or error.code() != grpc.StatusCode.PERMISSION_DENIED:
        return False
    # Features that are switched off are refused with this code too, and with another text.
    return error.details() == "Request unauthorized."


def test_the_table_knows_every_method():
    assert len(METHODS) == 135
    names = {method.name for method in METHODS}
    rows = [
        value for name, value in vars(matrix).items() if name.isupper() and name != "ALWAYS_DENIED"
    ]
    for row in rows:
        if isinstance(row, set):
            assert row <= names, row - names


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", matrix.CREDENTIALS)
def test_every_method_is_decided_by_the_table(raw: Raw, credentials, who):
    skipped = {"DeleteNamespace"} if matrix.is_allowed("DeleteNamespace", who) else set()
    methods = [method for method in METHODS if method.name not in [*LAST, *skipped]]
    wrong = {}
    for method in methods:
        denied = is_denied(call(raw, method, credentials[who]))
        if denied == matrix.is_allowed(method.name, who):
            wrong[method.name] = "denied" if denied else "allowed"
    assert wrong == {}


@pytest.mark.parametrize("who", sorted(set(matrix.CREDENTIALS)))
def test_the_methods_that_change_namespaces_are_decided_by_it_too(raw: Raw, credentials, who):
    for name in [*LAST, "DeleteNamespace"]:
        method = next(method for method in METHODS if method.name == name)
        if matrix.is_allowed(name, who):
            continue
        assert is_denied(call(raw, method, credentials[who])), name


def test_a_denial_looks_as_the_reference_s(raw: Raw, credentials):
    for token in (None, credentials["bad token"], credentials["reader"]):
        error = raw.error("TerminateWorkflowExecution", metadata=bearer(token), namespace="default")
        assert refusal_of(error).code == "PERMISSION_DENIED"
        assert refusal_of(error).text == "Request unauthorized."
        assert detail_of(error, PermissionDeniedFailure) == PermissionDeniedFailure()


def test_who_may_not_ask_does_not_learn_what_exists(raw: Raw, credentials):
    for who in ("anonymous", "namespace admin"):
        texts = set()
        for namespace in ("other", "nowhere"):
            error = raw.error(
                "DescribeNamespace", namespace=namespace, metadata=bearer(credentials[who])
            )
            texts.add(str(refusal_of(error)))
        assert len(texts) == 1 and "PERMISSION_DENIED" in texts.pop()


def test_a_right_on_one_name_is_none_on_another_s_id(raw: Raw, credentials):
    admin, own = bearer(credentials["system admin"]), bearer(credentials["namespace admin"])
    other = raw.call("DescribeNamespace", namespace="other", metadata=admin).namespace_info.id
    for fields in ({"namespace": "default", "id": other}, {"namespace": "", "id": other}):
        error = raw.error("DescribeNamespace", metadata=own, **fields)
        assert refusal_of(error).text == "Request unauthorized."


def test_lists_show_what_the_caller_may_see(raw: Raw, credentials):
    def seen(who: str) -> set[str]:
        answer = raw.call("ListNamespaces", metadata=bearer(credentials[who]))
        return {namespace.namespace_info.name for namespace in answer.namespaces}

    assert seen("reader") == {"default"}
    assert seen("worker") == {"default"}
    assert seen("other namespace's admin") == {"other"}
    assert {"default", "other", "third"} <= seen("system admin")


def test_lists_of_endpoints_and_clusters_show_no_more_either(raw: Raw, credentials):
    admin = bearer(credentials["system admin"])
    targets = {
        "of-default": {"worker": {"namespace": "default", "task_queue": "queue"}},
        "of-other": {"worker": {"namespace": "other", "task_queue": "queue"}},
        "outside": {"external": {"url": "https://outside.test/nexus"}},
    }
    names = {}
    for name, target in targets.items():
        names[unique(name).replace("_", "-")] = name
        spec = {"name": list(names)[-1], "target": target}
        request = operator_messages.CreateNexusEndpointRequest(spec=spec)
        raw.operator.CreateNexusEndpoint(request, timeout=10, metadata=admin)

    def seen(who: str) -> set[str]:
        found, token = set(), b""
        while True:
            request = operator_messages.ListNexusEndpointsRequest(
                page_size=1, next_page_token=token
            )
            metadata = bearer(credentials[who])
            page = raw.operator.ListNexusEndpoints(request, timeout=10, metadata=metadata)
            found |= {names.get(endpoint.spec.name) for endpoint in page.endpoints}
            token = page.next_page_token
            if not token:
                return found - {None}

    assert seen("reader") == {"of-default"}
    assert seen("worker") == {"of-default"}
    assert seen("other namespace's admin") == {"of-other"}
    assert seen("system admin") == {"of-default", "of-other", "outside"}
    by_name = operator_messages.ListNexusEndpointsRequest(name=list(names)[1])
    reader = bearer(credentials["reader"])
    assert not raw.operator.ListNexusEndpoints(by_name, timeout=10, metadata=reader).endpoints
    clusters = operator_messages.ListClustersRequest()
    assert not raw.operator.ListClusters(clusters, timeout=10, metadata=reader).clusters
    assert len(raw.operator.ListClusters(clusters, timeout=10, metadata=admin).clusters) == 1


@pytest.mark.parametrize("who", matrix.CREDENTIALS)
def test_health_checks_are_open_and_streams_are_not(raw: Raw, credentials, who):
    def unary(path: str, message: bytes, token: str | None) -> str:
        method = raw.channel.unary_stream(path)
        try:
            for _ in method(message, timeout=3, metadata=bearer(token)):
                return "OK"
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    assert unary("/grpc.health.v1.Health/Check", b"", None) == "OK"
    reflection = b"\x3a\x01*"  # list_services: "*"
    for path in (
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/temporal.server.api.adminservice.v1.AdminService/StreamWorkflowReplicationMessages",
    ):
        answer = unary(path, reflection, credentials[who])
        # What is not there is not there for anybody.
        expected = {"PERMISSION_DENIED"}
        if "adminservice" in path:
            expected |= {"UNIMPLEMENTED"}
        assert answer in expected, (path, answer)
    for method in ADMINISTRATION:
        answer = unary(f"/longtide.admin.v1.AdminService/{method}", b"", credentials[who])
        if who == "system admin":
            assert answer != "PERMISSION_DENIED", (method, answer)
        else:
            assert answer == "PERMISSION_DENIED", (method, answer)


def test_a_token_of_one_namespace_s_task_opens_no_other(raw: Raw, credentials):
    """CVE-2023-3485: a task token and the request's namespace have to agree."""
    queue, admin = unique("queue"), bearer(credentials["system admin"])
    other = bearer(credentials["other namespace's admin"])
    raw.call("StartWorkflowExecution", metadata=admin, **start_fields(queue, unique("w")))
    task = raw.call(
        "PollWorkflowTaskQueue", metadata=admin, task_queue=TaskQueue(name=queue), identity="x"
    )
    assert task.task_token
    fields = {"task_token": task.task_token, "identity": "x"}
    forged = raw.error("RespondWorkflowTaskCompleted", namespace="other", metadata=other, **fields)
    assert refusal_of(forged).text == (
        "Operation requested with a token from a different namespace."
    )
    bare = raw.error("RespondWorkflowTaskCompleted", namespace="", metadata=other, **fields)
    assert refusal_of(bare).text == "Request unauthorized."
    named = raw.error("RespondWorkflowTaskCompleted", metadata=other, **fields)
    assert refusal_of(named).text == "Request unauthorized."


def test_commands_towards_other_namespaces_need_a_right_there(raw: Raw, credentials):
    """CVE-2025-14987: the target decides, and who has no right there learns nothing of it."""
    queue, writer = unique("queue"), bearer(credentials["writer"])
    raw.call("StartWorkflowExecution", metadata=writer, **start_fields(queue, unique("w")))
    task = raw.call(
        "PollWorkflowTaskQueue", metadata=writer, task_queue=TaskQueue(name=queue), identity="x"
    )
    for namespace in ("other", "nowhere"):
        error = raw.error(
            "RespondWorkflowTaskCompleted",
            metadata=writer,
            task_token=task.task_token,
            commands=[start_child(unique("child"), queue, namespace=namespace)],
            identity="x",
        )
        assert refusal_of(error).text == "Request unauthorized."


@pytest.mark.parametrize("who", matrix.CREDENTIALS)
def test_nexus_requests_over_http_need_the_same_rights(server: SecuredServer, credentials, who):
    path = "/namespaces/default/task-queues/nobody/nexus-services/service/operation"
    headers = {"request-timeout": "1200ms"}
    if credentials[who]:
        headers["authorization"] = f"Bearer {credentials[who]}"
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)
    connection.request("POST", path, body=b"", headers=headers)
    status = connection.getresponse().status
    connection.close()
    # A right goes as far as the workers, of whom there are none.
    allowed = matrix.is_allowed("StartWorkflowExecution", who)
    assert (status == 403) != allowed, status


def test_a_completion_over_http_needs_a_right_besides_its_token(
    raw: Raw, credentials: dict, server: SecuredServer
):
    admin, queue = bearer(credentials["system admin"]), unique("queue")
    spec = {"name": unique("endpoint")}
    spec["target"] = {"worker": {"namespace": "default", "task_queue": queue}}
    request = operator_messages.CreateNexusEndpointRequest(spec=spec)
    raw.operator.CreateNexusEndpoint(request, timeout=10, metadata=admin)
    raw.call(
        "StartNexusOperationExecution",
        metadata=admin,
        operation_id=unique("operation"),
        endpoint=spec["name"],
        service="service",
        operation="operation",
        request_id=unique("r"),
        identity="x",
    )
    task = raw.call(
        "PollNexusTaskQueue", metadata=admin, task_queue=TaskQueue(name=queue), identity="x"
    )
    token = task.request.start_operation.callback_header["temporal-callback-token"]
    started = {"start_operation": {"async_success": {"operation_token": "t"}}}
    raw.call(
        "RespondNexusTaskCompleted", metadata=admin, task_token=task.task_token, response=started
    )

    def complete(who: str) -> int:
        headers = {"nexus-operation-state": "succeeded", "temporal-callback-token": token}
        headers["content-type"] = "application/json"
        if credentials[who]:
            headers["authorization"] = f"Bearer {credentials[who]}"
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)
        connection.request("POST", "/nexus/callback", body=b'"done"', headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    refused = [
        who for who in matrix.CREDENTIALS if not matrix.is_allowed("StartWorkflowExecution", who)
    ]
    assert {who: complete(who) for who in refused} == dict.fromkeys(refused, 403)
    assert complete("writer") == 200


def test_who_may_not_ask_does_not_learn_which_endpoints_exist(
    raw: Raw, credentials: dict, server: SecuredServer
):
    """Nexus over HTTP: a refusal is the same for what exists and for what does not."""
    spec = {"name": unique("endpoint").replace("_", "-")}
    spec["target"] = {"worker": {"namespace": "default", "task_queue": "queue"}}
    request = operator_messages.CreateNexusEndpointRequest(spec=spec)
    admin = bearer(credentials["system admin"])
    made = raw.operator.CreateNexusEndpoint(request, timeout=10, metadata=admin).endpoint

    def post(path: str, who: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)
        headers = {"authorization": f"Bearer {credentials[who]}", "Request-Timeout": "2s"}
        connection.request("POST", path, b"", headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def of_endpoint(name: str) -> str:
        return f"/nexus/endpoints/{name}/services/service/operation"

    def of_queue(namespace: str) -> str:
        return f"/namespaces/{namespace}/task-queues/queue/nexus-services/service/operation"

    stranger = "other namespace's admin"
    known, unknown = of_endpoint(made.id), of_endpoint("00000000-0000-4000-8000-000000000000")
    assert post(known, stranger) == post(unknown, stranger)
    assert post(of_queue("default"), stranger) == post(of_queue("nowhere"), stranger)
    assert post(known, stranger)[0] == 403
    assert post(unknown, "system admin")[0] == 404
    assert post(of_queue("nowhere"), "system admin")[0] == 404


def running(raw: Raw, metadata: tuple, namespace: str, workflow_id: str) -> bool:
    """Whether a workflow exists and runs."""
    try:
        described = raw.call(
            "DescribeWorkflowExecution",
            namespace=namespace,
            metadata=metadata,
            execution=WorkflowExecution(workflow_id=workflow_id),
        )
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND, error
        return False
    status = described.workflow_execution_info.status
    return status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING


def test_an_operation_of_several_stays_in_the_namespace_of_the_call(raw: Raw, credentials):
    """CVE-2025-14986: a start inside of ExecuteMultiOperation names a namespace of its own."""
    admin, writer = bearer(credentials["system admin"]), bearer(credentials["writer"])
    name, queue = unique("w"), unique("queue")
    start = workflow_messages.StartWorkflowExecutionRequest(
        namespace="other", **start_fields(queue, name)
    )
    update = workflow_messages.UpdateWorkflowExecutionRequest(
        namespace="other",
        workflow_execution=WorkflowExecution(workflow_id=name),
        request={"meta": {"update_id": "u"}, "input": {"name": "update"}},
        wait_policy={"lifecycle_stage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED"},
    )
    operations = [{"start_workflow": start}, {"update_workflow": update}]
    for namespace, text in (
        ("default", "Update-with-Start could not be executed."),
        ("other", "Request unauthorized."),
    ):
        error = raw.error(
            "ExecuteMultiOperation", namespace=namespace, metadata=writer, operations=operations
        )
        assert refusal_of(error).text == text
        assert not running(raw, admin, "other", name)
        assert not running(raw, admin, "default", name)


def test_a_batch_stays_in_the_namespace_of_the_call(raw: Raw, credentials):
    """CVE-2026-5199: a batch operation reaches workflows of another namespace."""
    admin, writer = bearer(credentials["system admin"]), bearer(credentials["writer"])
    twin, own, queue = unique("twin"), unique("own"), unique("queue")
    foreign = raw.call(
        "StartWorkflowExecution", namespace="other", metadata=admin, **start_fields(queue, twin)
    )
    raw.call("StartWorkflowExecution", metadata=writer, **start_fields(queue, own))
    named = [
        WorkflowExecution(workflow_id=twin),
        WorkflowExecution(workflow_id=twin, run_id=foreign.run_id),
        WorkflowExecution(workflow_id=own),
    ]
    batch = {"reason": "test", "termination_operation": BatchOperationTermination()}
    for targets in ({"executions": named}, {"visibility_query": f"WorkflowId = '{twin}'"}):
        fields = batch | targets | {"job_id": unique("job")}
        raw.call("StartBatchOperation", metadata=writer, **fields)
        denied = raw.error("StartBatchOperation", namespace="other", metadata=writer, **fields)
        assert refusal_of(denied).text == "Request unauthorized."

        def is_done(job_id: str = fields["job_id"]) -> bool:
            job = raw.call("DescribeBatchOperation", metadata=writer, job_id=job_id)
            return job.state != BatchOperationState.BATCH_OPERATION_STATE_RUNNING

        wait_for_sync(is_done, "the batch is done")
    assert not running(raw, admin, "default", own)
    assert running(raw, admin, "other", twin)


def test_text_that_is_not_unicode_is_refused_and_stops_nothing(raw: Raw, credentials):
    """CVE-2024-2689: bytes that are no UTF-8 where the API has text."""
    writer, queue = bearer(credentials["writer"]), unique("queue")
    raw.call("StartWorkflowExecution", metadata=writer, **start_fields(queue, unique("w")))
    task = raw.call(
        "PollWorkflowTaskQueue", metadata=writer, task_queue=TaskQueue(name=queue), identity="x"
    )
    command = schedule_activity("MARKER", queue)
    answer = {"task_token": task.task_token, "commands": [command], "identity": "x"}
    requests = [
        workflow_messages.RespondWorkflowTaskCompletedRequest(namespace="default", **answer),
        workflow_messages.SignalWorkflowExecutionRequest(
            namespace="default", workflow_execution=task.workflow_execution, signal_name="MARKER"
        ),
    ]
    for field in ("workflow_id", "request_id", "identity", "cron_schedule"):
        fields = start_fields(queue, unique("w")) | {field: "MARKER"}
        requests.append(
            workflow_messages.StartWorkflowExecutionRequest(namespace="default", **fields)
        )
    for field in ("workflow_type", "task_queue"):
        fields = start_fields(queue, unique("w")) | {field: {"name": "MARKER"}}
        requests.append(
            workflow_messages.StartWorkflowExecutionRequest(namespace="default", **fields)
        )
    prefix = "/temporal.api.workflowservice.v1.WorkflowService/"
    for request in requests:
        bad = request.SerializeToString().replace(b"MARKER", b"M\xff\xfe\xc0RK")
        method = raw.channel.unary_unary(prefix + type(request).__name__.removesuffix("Request"))
        with pytest.raises(grpc.RpcError) as refused:
            method(bad, timeout=10, metadata=writer)
        codes = {grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT}
        assert refused.value.code() in codes, request
    # The task is still held, and the queue goes on.
    raw.call("RespondWorkflowTaskCompleted", metadata=writer, **answer)
    polled = raw.call(
        "PollActivityTaskQueue", metadata=writer, task_queue=TaskQueue(name=queue), identity="x"
    )
    assert polled.activity_id == "MARKER"
