"""The audit log: what unmodified clients do is in it, and nothing that is secret."""

import atexit
import json
import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from temporalio import workflow
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator
from temporalio.api.operatorservice.v1 import service_pb2_grpc as operator_service
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service
from temporalio.client import Client
from temporalio.service import RPCError

from flows import Greets, runs_a_workflow
from harness.outside import Answer, Outside, json_answer
from harness.raw import Raw, start_child, start_fields
from harness.sdk import unique, worker
from harness.secured import SecuredServer
from harness.server import executable
from harness.waiting import wait_for

CANARY = "canary-4f1c9d"
"""What is put wherever a secret may be; nobody may find it."""

REFUSED = "UNAVAILABLE: the audit log cannot be written"


@workflow.defn
class Notes:
    """Takes notes until it may go."""

    def __init__(self) -> None:
        self.may_go = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.may_go)

    @workflow.update
    def note(self, text: str) -> None:
        pass

    @workflow.signal
    def go(self, text: str) -> None:
        self.may_go = True


def longtide(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One command of `longtide`."""
    return subprocess.run(
        [executable(), *words],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": os.environ["PATH"]} | variables,
    )


def key_of(server: SecuredServer, name: str, permission: str) -> str:
    """An API key that a running server makes for its administrator."""
    words = ("auth", "key", "create", "--name", name, "--permission", permission)
    done = longtide(*words, TEMPORAL_ADDRESS=server.address, TEMPORAL_API_KEY=server.root)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class AuditedServer(SecuredServer):
    """A server with API keys and an audit log."""

    def __init__(self, folder: Path, **audit: object) -> None:
        self.audit_folder, self.key = folder / "audit", folder / "audit.key"
        log = {"directory": str(self.audit_folder), "key_file": str(self.key)} | audit
        authorization = {"authorizer": "default", "apiKeys": True}
        super().__init__(folder, {"global": {"authorization": authorization}, "audit": log})
        made = longtide("audit", "key", "create", str(self.key))
        assert made.returncode == 0, made.stderr
        self.public_key = made.stdout.strip()
        words = ("--name", "root", "--permission", "temporal-system:admin")
        data = ("--data-directory", self.settings["data_directory"])
        made = longtide("auth", "key", "create", *words, *data)
        assert made.returncode == 0, made.stderr
        self.root = made.stdout.strip()

    def _spawn(self) -> subprocess.Popen[bytes]:
        # Python ignores the signal that a file has reached its limit, and so does the server then:
        # a write fails as on a full disk.
        atexit.register(self.kill)
        return subprocess.Popen(
            self._command_line(),
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
            restore_signals=False,
        )

    def limit_files(self, size: int = resource.RLIM_INFINITY) -> None:
        """No file of the server grows above this."""
        limits = (size, resource.RLIM_INFINITY)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, limits)

    def list_namespaces(self, seconds: float = 10.0) -> str:
        """A call that is always kept; how it ends."""
        authorization = (("authorization", f"Bearer {self.root}"),)
        with grpc.insecure_channel(self.address) as channel:
            stub = service.WorkflowServiceStub(channel)
            request = messages.ListNamespacesRequest()
            try:
                stub.ListNamespaces(request, metadata=authorization, timeout=seconds)
            except grpc.RpcError as error:
                return f"{error.code().name}: {error.details()}"
            return "OK"

    def records(self) -> list[dict]:
        """All records, in their order."""
        files = sorted(self.audit_folder.glob("audit-*.jsonl"))
        lines = [line for file in files for line in file.read_text().splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def calls(self, rpc: str) -> list[dict]:
        """The records of calls of a method."""
        return [record for record in self.records() if record.get("rpc") == rpc]

    def verify(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `longtide audit verify` says of the log."""
        return longtide("audit", "verify", *words)


@pytest.fixture
def server(tmp_path) -> Iterator[AuditedServer]:
    with AuditedServer(tmp_path / "server") as running:
        yield running


async def connected(server: SecuredServer, key: str) -> Client:
    return await Client.connect(server.address, api_key=key, tls=False)


async def test_what_clients_do_is_kept(server: AuditedServer, cli):
    key = key_of(server, "shop", "default:write")
    client = await connected(server, key)
    await runs_a_workflow(client)
    await client.start_workflow(Greets.run, "x", id="audited", task_queue="nobody")
    words = ("workflow", "terminate", "-w", "audited", "--reason", "enough", "--tls=false")
    done = cli(*words, "--address", server.address, TEMPORAL_API_KEY=key)
    assert done.returncode == 0, done.stderr
    start = server.calls("StartWorkflowExecution")[-1]
    assert start["principal"] == {"kind": "api-key", "name": "shop"}
    assert (start["namespace"], start["decision"], start["outcome"]) == ("default", "allowed", "OK")
    assert start["rule"] == "default:write"
    assert start["target"]["workflow_id"] == "audited"
    assert start["target"]["workflow_type"] == "Greets"
    assert start["target"]["task_queue"] == "nobody"
    assert start["source"].startswith("127.0.0.1:")
    (terminate,) = server.calls("TerminateWorkflowExecution")
    assert terminate["target"]["workflow_id"] == "audited"
    assert terminate["target"]["reason"].startswith("enough")
    # Workers and readers are not kept unless the configuration asks for it.
    assert not server.calls("PollWorkflowTaskQueue")
    assert not server.calls("DescribeWorkflowExecution")
    (create,) = server.calls("CreateApiKey")
    assert create["principal"]["name"] == "root"
    assert create["target"]["api_key_name"] == "shop"
    assert create["target"]["permissions"] == "default:write"
    assert create["target"]["api_key_id"] == key.split("_")[1]


async def test_administration_and_failures_are_kept(server: AuditedServer):
    authorization = (("authorization", f"Bearer {server.root}"),)
    with grpc.insecure_channel(server.address) as channel:
        stub = operator_service.OperatorServiceStub(channel)
        request = operator.AddSearchAttributesRequest(namespace="default")
        request.search_attributes["Shoe"] = 2
        stub.AddSearchAttributes(request, metadata=authorization, timeout=10)
        with pytest.raises(grpc.RpcError):
            request = messages.DescribeNamespaceRequest(namespace="not-there")
            workflows = service.WorkflowServiceStub(channel)
            workflows.DescribeNamespace(request, metadata=authorization, timeout=10)
    (add,) = server.calls("AddSearchAttributes")
    assert (add["target"], add["outcome"]) == ({"search_attributes": "Shoe"}, "OK")
    assert add["rule"] == "temporal-system:admin"
    failed = server.calls("DescribeNamespace")[-1]
    assert (failed["namespace"], failed["outcome"]) == ("not-there", "NOT_FOUND")


async def test_refusals_are_kept_with_their_reasons(server: AuditedServer):
    reader = await connected(server, key_of(server, "reader", "default:read"))
    with pytest.raises(RPCError):
        await reader.start_workflow(Greets.run, "x", id="no", task_queue="q")
    # Nobody waits for the record of a refusal.
    (denied,) = await wait_for(lambda: server.calls("StartWorkflowExecution"), "the denial")
    assert (denied["decision"], denied["principal"]["name"]) == ("denied", "reader")
    assert denied["target"]["workflow_id"] == "no"
    with grpc.insecure_channel(server.address) as channel:
        stub = service.WorkflowServiceStub(channel)
        for metadata in ((), (("authorization", f"Bearer ltk_x_{CANARY}"),)):
            with pytest.raises(grpc.RpcError):
                request = messages.DescribeNamespaceRequest(namespace="default")
                stub.DescribeNamespace(request, metadata=metadata, timeout=10)

    def refused() -> list[dict]:
        return [
            call for call in server.calls("DescribeNamespace") if call["rule"] != "default:read"
        ]

    await wait_for(lambda: len(refused()) == 2, "both refusals")
    anonymous, unknown = refused()
    assert (anonymous["decision"], anonymous["rule"]) == ("denied", "no credentials")
    assert anonymous["principal"] == {"kind": "anonymous"}
    assert (unknown["decision"], unknown["rule"]) == ("unauthenticated", "no API key is this one")


async def test_records_name_the_run_that_a_call_made_or_reached(server: AuditedServer):
    client = await connected(server, server.root)
    queue = unique("queue")
    async with worker(client, queue, [Notes]):
        handle = await client.start_workflow(Notes.run, id="noted", task_queue=queue)
        first = handle.first_execution_run_id
        # The run is not named in what follows, and is known all the same.
        named = client.get_workflow_handle("noted")
        await named.execute_update(Notes.note, CANARY)
        await named.signal(Notes.go, CANARY)
        await handle.result()
    with grpc.insecure_channel(server.address) as channel:
        stub = service.WorkflowServiceStub(channel)
        reset = stub.ResetWorkflowExecution(
            messages.ResetWorkflowExecutionRequest(
                namespace="default",
                workflow_execution={"workflow_id": "noted", "run_id": first},
                workflow_task_finish_event_id=4,
                request_id="r",
            ),
            metadata=(("authorization", f"Bearer {server.root}"),),
            timeout=10,
        )
    await named.cancel()
    await named.terminate()
    both = await client.start_workflow(
        Notes.run, id="both", task_queue="q", start_signal="go", start_signal_args=[CANARY]
    )
    expected = {
        "StartWorkflowExecution": {"run_id": first},
        "UpdateWorkflowExecution": {"run_id": first},
        "SignalWorkflowExecution": {"run_id": first},
        "ResetWorkflowExecution": {"run_id": first, "new_run_id": reset.run_id},
        "RequestCancelWorkflowExecution": {"run_id": reset.run_id},
        "TerminateWorkflowExecution": {"run_id": reset.run_id},
        "SignalWithStartWorkflowExecution": {"run_id": both.first_execution_run_id},
    }
    for rpc, runs in expected.items():
        (call,) = server.calls(rpc)
        told = {name: run for name, run in call["target"].items() if name.endswith("run_id")}
        assert told == runs, rpc
    assert not any(CANARY in json.dumps(record) for record in server.records())


async def test_a_denial_names_the_policy_that_forbids_it(tmp_path):
    rules = tmp_path / "rules.cedar"
    rules.write_text(
        '@id("no-payments") forbid (principal, action in Action::"starts", resource) '
        'when { context has workflowType && context.workflowType == "Payment" };'
    )
    server = AuditedServer(tmp_path / "server")
    server.settings["global"]["authorization"]["policies"] = {"file": str(rules)}
    with server:
        shop = await connected(server, key_of(server, "shop", "default:write"))
        with pytest.raises(RPCError):
            await shop.start_workflow("Payment", id="no", task_queue="q")
        (denied,) = await wait_for(lambda: server.calls("StartWorkflowExecution"), "the denial")
        assert (denied["decision"], denied["outcome"]) == ("denied", "PERMISSION_DENIED")
        assert denied["rule"] == "policy `rules.cedar/no-payments` forbids it"
        assert denied["target"]["workflow_type"] == "Payment"


async def test_a_command_that_is_denied_is_kept_though_its_worker_s_calls_are_not(
    server: AuditedServer,
):
    key = key_of(server, "worker", "default:write")
    raw, metadata = Raw(server.address), (("authorization", f"Bearer {key}"),)
    queue = unique("queue")
    raw.call("StartWorkflowExecution", metadata=metadata, **start_fields(queue, unique("w")))
    fields = {"task_queue": TaskQueue(name=queue), "identity": "x"}
    task = raw.call("PollWorkflowTaskQueue", metadata=metadata, **fields)
    child = start_child(unique("c"), queue, namespace="other")
    error = raw.error(
        "RespondWorkflowTaskCompleted",
        metadata=metadata,
        task_token=task.task_token,
        commands=[child],
        identity="x",
    )
    assert error.details() == "Request unauthorized."
    responded = "RespondWorkflowTaskCompleted"
    (denied,) = await wait_for(lambda: server.calls(responded), "the denial")
    assert (denied["decision"], denied["outcome"]) == ("denied", "PERMISSION_DENIED")
    assert denied["rule"] == "no rule allows it: StartWorkflowExecution on `other`"
    raw.channel.close()


async def test_a_denial_says_what_the_webhook_says(tmp_path):
    answer = {"allow": False, "reason": "not on Sundays"}
    with Outside(lambda _: json_answer(200, answer)) as outside:
        server = AuditedServer(tmp_path / "server")
        webhook = {"url": outside.url, "cacheTtl": "0s", "timeout": "500ms"}
        server.settings["global"]["authorization"]["webhook"] = webhook
        with server:
            root = await connected(server, server.root)
            rules = []
            for _ in range(2):
                with pytest.raises(RPCError):
                    await root.start_workflow("Payment", id="no", task_queue="q")
                rules.append("")
                calls = await wait_for(
                    lambda: (
                        len(found := server.calls("StartWorkflowExecution")) == len(rules) and found
                    ),
                    "the denial",
                )
                rules[-1] = calls[-1]["rule"]
                outside.answer = lambda _: Answer(500)
            assert rules[0] == "the webhook says no: not on Sundays"
            assert rules[1].startswith("the webhook gives no answer: the answer is 500")


async def test_the_log_is_verified_and_says_which_record_is_damaged(server: AuditedServer):
    await runs_a_workflow(await connected(server, server.root))
    server.stop()
    done = server.verify("--config", str(server.configuration))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"signed by {server.public_key}" in done.stdout
    assert "0 records since the last checkpoint" in done.stdout
    folder = str(server.audit_folder)
    assert server.verify("--public-key", server.public_key, folder).returncode == 0
    other = longtide("audit", "key", "create", str(server.folder / "other.key")).stdout.strip()
    done = server.verify("--public-key", other, folder)
    assert done.returncode == 1 and "is signed by another key" in done.stdout
    (file,) = server.audit_folder.glob("audit-*.jsonl")
    genuine = file.read_bytes()
    lines = genuine.splitlines(keepends=True)
    file.write_bytes(genuine.replace(b'"decision":"allowed"', b'"decision":"Allowed"', 1))
    damaged = next(n for n, line in enumerate(lines, 1) if b'"decision":"allowed"' in line)
    done = server.verify(folder)
    assert done.returncode == 1
    assert f"record {damaged} is damaged: {file}:{damaged}" in done.stdout
    file.write_bytes(b"".join(lines[:1] + lines[2:]))
    assert "record 2 is missing" in server.verify(folder).stdout
    file.write_bytes(b"".join(lines[:-2]))
    last = len(lines)
    assert f"records {last - 1} to {last} are missing" in server.verify(folder).stdout


async def test_the_log_goes_on_after_a_kill(server: AuditedServer):
    client = await connected(server, server.root)
    await client.start_workflow(Greets.run, "x", id="before", task_queue="q")
    server.log.write_text("")
    server.restart_after_kill()
    client = await connected(server, server.root)
    await client.start_workflow(Greets.run, "x", id="after", task_queue="q")
    started = [call["target"]["workflow_id"] for call in server.calls("StartWorkflowExecution")]
    assert started == ["before", "after"]
    assert [record["kind"] for record in server.records()].count("opened") == 2
    server.stop()
    assert server.verify("--config", str(server.configuration)).returncode == 0


async def test_records_are_found(server: AuditedServer):
    client = await connected(server, key_of(server, "shop", "default:write"))
    for number in range(3):
        await client.start_workflow(Greets.run, "x", id=f"found-{number}", task_queue="q")

    def found(*words: str) -> list[dict]:
        done = longtide("audit", "query", "--config", str(server.configuration), *words)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    assert len(found("--principal", "shop", "--rpc", "StartWorkflowExecution")) == 3
    assert [record["rpc"] for record in found("--target", "found-1")] == ["StartWorkflowExecution"]
    assert found("--principal", "shop", "--until", "1h") == []
    assert found("--decision", "denied") == []
    tail = longtide("audit", "tail", "-n", "2", str(server.audit_folder))
    shown = [json.loads(line)["target"]["workflow_id"] for line in tail.stdout.splitlines()]
    assert shown == ["found-1", "found-2"]


async def test_nothing_secret_is_in_the_audit_or_the_log(tmp_path):
    with AuditedServer(tmp_path / "server", data_plane="each") as server:
        key = key_of(server, "shop", "default:write")
        client = await connected(server, key)
        await runs_a_workflow(client)
        handle = await client.start_workflow(
            Greets.run, CANARY, id="secret", task_queue="q", memo={"note": CANARY}
        )
        await handle.signal("s", CANARY)
        await handle.terminate(CANARY, reason="over")
        with pytest.raises(RuntimeError):
            await connected(server, f"Bearer {CANARY}")
        server.stop()
        polls = server.calls("PollWorkflowTaskQueue")
        assert polls and polls[0]["kind"] == "call" and polls[0]["target"]["task_queue"]
        for secret in (CANARY, key.split("_", 2)[2], server.root.split("_", 2)[2]):
            assert secret not in server.log.read_text()
            for file in server.audit_folder.iterdir():
                assert secret not in file.read_text(), file
        assert server.verify("--config", str(server.configuration)).returncode == 0


async def test_traffic_of_workers_is_counted(tmp_path):
    with AuditedServer(tmp_path / "server", data_plane="all") as server:
        await runs_a_workflow(await connected(server, server.root))
        server.stop()
        counted = [record for record in server.records() if record["kind"] == "counted"]
        completed = [it for it in counted if it["rpc"] == "RespondActivityTaskCompleted"]
        assert [(it["count"], it["principal"]["name"]) for it in completed] == [(1, "root")]
        assert not [it for it in server.calls("PollWorkflowTaskQueue") if it["kind"] == "call"]


async def test_a_dead_webhook_blocks_until_it_lives(tmp_path):
    alive = False
    with Outside(lambda request: Answer(200 if alive else 500)) as outside:
        webhook = {"url": f"{outside.url}/audit", "token": CANARY}
        with AuditedServer(tmp_path / "server", webhook=webhook) as server:
            await wait_for(lambda: server.list_namespaces() == REFUSED, "calls are refused")
            alive = True
            await wait_for(lambda: server.list_namespaces() == "OK", "calls are served again")
            server.stop()
            assert "the webhook of the audit log takes no records" in server.log.read_text()
            assert CANARY not in server.log.read_text()
            taken = [request for request in outside.requests if request.body]
            assert all(it.headers["authorization"] == f"Bearer {CANARY}" for it in taken)
            (file,) = server.audit_folder.glob("audit-*.jsonl")
            assert taken[-1].body in file.read_bytes()
            assert b'"closing":true' in taken[-1].body


async def test_a_full_disk_blocks_until_there_is_room(server: AuditedServer):
    assert server.list_namespaces() == "OK"
    (file,) = server.audit_folder.glob("audit-*.jsonl")
    # Room for a part of a record.
    server.limit_files(file.stat().st_size + 50)
    assert server.list_namespaces(1.0).startswith("DEADLINE_EXCEEDED")
    assert server.list_namespaces() == REFUSED
    assert "calls are refused until it can" in server.log.read_text()
    before = len(server.calls("ListNamespaces"))
    server.limit_files()
    await wait_for(lambda: server.list_namespaces() == "OK", "there is room again")
    # The call that nobody waited for any more is there, too.
    assert len(server.calls("ListNamespaces")) == before + 2
    server.stop()
    done = server.verify("--config", str(server.configuration))
    assert done.returncode == 0, done.stdout


async def test_a_full_disk_loses_records_where_calls_are_to_go_on(tmp_path):
    with AuditedServer(tmp_path / "server", on_failure="drop") as server:
        assert server.list_namespaces() == "OK"
        (file,) = await wait_for(
            lambda: (
                server.calls("ListNamespaces") and list(server.audit_folder.glob("audit-*.jsonl"))
            ),
            "the first record",
        )
        server.limit_files(file.stat().st_size + 50)
        assert [server.list_namespaces() for _ in range(5)] == ["OK"] * 5
        await wait_for(lambda: "records are lost" in server.log.read_text(), "it is told")
        server.limit_files()
        server.list_namespaces()

        def lost() -> int:
            return sum(it["count"] for it in server.records() if it["kind"] == "dropped")

        await wait_for(lost, "how many were lost")
        server.stop()
        assert lost() + len(server.calls("ListNamespaces")) == 7
        done = server.verify("--config", str(server.configuration))
        assert done.returncode == 0, done.stdout
        assert f"{lost()} records were lost" in done.stdout


async def test_the_tail_follows(server: AuditedServer):
    words = ["audit", "tail", "--follow", "-n", "0", "--config", str(server.configuration)]
    tail = subprocess.Popen([executable(), *words], stdout=subprocess.PIPE, text=True)
    seen: list[dict] = []
    reading = threading.Thread(
        target=lambda: seen.extend(json.loads(line) for line in tail.stdout), daemon=True
    )
    reading.start()
    client = await connected(server, server.root)

    async def follows() -> bool:
        # What was written before the tail began is not shown.
        await client.count_workflows()
        server.list_namespaces()
        return bool(seen)

    try:
        await wait_for(follows, "a record is shown")
        assert seen[0]["rpc"] == "ListNamespaces"
    finally:
        tail.kill()
        tail.wait()
