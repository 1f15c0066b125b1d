"""The audit log over HTTP: who may look into it, what is found, and that looking is in it, too."""

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.http_api import Answer, ask
from harness.sdk import unique
from harness.secured import SecuredServer
from harness.server import free_port
from harness.tokens import SigningKey, trusting


class Audited(SecuredServer):
    """A server with an audit log whose files are small, and callers of a few kinds."""

    def __init__(self, folder: Path, *, has_log: bool = True) -> None:
        self.key = SigningKey(folder, "first")
        self.log_folder = folder / "audit"
        port = free_port()
        self.url = f"http://localhost:{port}"
        authorization = trusting(folder, self.key) | {"claimMapper": "default"}
        settings = {
            "global": {"authorization": authorization},
            "http": {"listen": f"127.0.0.1:{port}"},
        }
        if has_log:
            log = {"directory": str(self.log_folder), "rotate_bytes": 65536}
            settings["audit"] = log
        super().__init__(folder / "server", settings)

    def ask(self, who: str | None, method: str, path: str, body: object = None) -> Answer:
        """A request of somebody; `who` is a name and permissions."""
        headers = {}
        if who is not None:
            name, *permissions = who.split()
            headers["Authorization"] = f"Bearer {self.key.token(*permissions, sub=name)}"
        return ask(method, self.url + path, body, headers)

    def look(self, who: str | None, **filters: object) -> Answer:
        query = urllib.parse.urlencode(filters)
        return self.ask(who, "GET", f"/ui-api/audit?{query}")

    def begin(self, who: str, namespace: str = "default") -> str:
        """Somebody starts a workflow, or is refused."""
        workflow = unique("audited")
        start = {"workflowType": {"name": "X"}, "taskQueue": {"name": "q"}, "requestId": "r"}
        self.ask(who, "POST", f"/api/v1/namespaces/{namespace}/workflows/{workflow}", start)
        return workflow

    def lines(self) -> list[str]:
        files = sorted(self.log_folder.glob("audit-*.jsonl"))
        return [line for file in files for line in file.read_text().splitlines()]


ADMIN = "root temporal-system:admin"
WRITER = "alice default:write other:write"
READER = "bob default:read"
OWNER = "carol other:admin"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with Audited(tmp_path_factory.mktemp("audited")) as running:
        yield running


def test_an_administrator_finds_records_as_they_were_written(server: Audited) -> None:
    mine, theirs = server.begin(WRITER), server.begin(READER)
    found = server.look(ADMIN, rpc="StartWorkflowExecution", target=mine).json["records"]
    assert [record["principal"]["name"] for record in found] == ["alice"]
    assert (found[0]["decision"], found[0]["rule"]) == ("allowed", "default:write")
    (denied,) = server.look(ADMIN, target=theirs, decision="denied").json["records"]
    assert (denied["principal"]["name"], denied["outcome"]) == ("bob", "PERMISSION_DENIED")
    assert server.look(ADMIN, target=theirs, decision="allowed").json["records"] == []
    # Bytes and all: the hash is that of the line.
    answer = server.look(ADMIN, target=mine)
    started = [line for line in server.lines() if mine in line]
    (line,) = [line for line in started if json.loads(line)["rpc"] == "StartWorkflowExecution"]
    assert line.encode() in answer.body
    time = found[0]["time"]
    assert server.look(ADMIN, target=mine, since=time).json["records"]
    assert not server.look(ADMIN, target=mine, until=time).json["records"]


def test_pages_go_back_over_all_files(server: Audited) -> None:
    while len(list(server.log_folder.glob("audit-*.jsonl"))) < 3:
        server.begin(WRITER)
    started = [
        record["seq"]
        for record in map(json.loads, server.lines())
        if record.get("rpc") == "StartWorkflowExecution"
    ]
    filters = {"rpc": "StartWorkflowExecution", "pageSize": 50}
    numbers, token = [], {}
    for _ in range(len(started)):
        page = server.look(ADMIN, **filters, **token).json
        assert len(page["records"]) <= 50
        numbers += [record["seq"] for record in page["records"]]
        if "nextPageToken" not in page:
            break
        token = {"nextPageToken": page["nextPageToken"]}
    assert numbers == sorted(started, reverse=True)
    # What the log says of itself is there when it is asked for.
    kinds = {record["kind"] for record in server.look(ADMIN, pageSize=500).json["records"]}
    assert kinds == {"call"}
    every = server.look(ADMIN, pageSize=500, all="true").json["records"]
    assert "opened" in {record["kind"] for record in every}


def test_others_see_nothing_and_owners_see_their_namespace(server: Audited) -> None:
    here, there = server.begin(WRITER), server.begin(WRITER, "other")
    for who in [WRITER, READER, OWNER, "dave", None]:
        for filters in [{}, {"namespace": "default"}, {"principal": "alice"}]:
            answer = server.look(who, **filters)
            assert answer.status in (401, 403), (who, filters, answer.body)
            assert here.encode() not in answer.body
    assert server.look(WRITER, namespace="other").status == 403
    seen = server.look(OWNER, namespace="other", pageSize=500)
    assert seen.status == 200
    assert {record["namespace"] for record in seen.json["records"]} == {"other"}
    assert there.encode() in seen.body and here.encode() not in seen.body


def test_looking_is_recorded(server: Audited) -> None:
    workflow = server.begin(WRITER)
    server.look(ADMIN, target=workflow, decision="allowed")
    server.look(READER, target=workflow)
    records = server.look(ADMIN, rpc="ReadAuditLog").json["records"]
    refused, allowed = records[:2]
    assert (allowed["principal"]["name"], allowed["outcome"]) == ("root", "OK")
    assert allowed["target"] == {"search": f"decision=allowed target={workflow}"}
    assert allowed["rule"] == "temporal-system:admin"
    assert (refused["principal"]["name"], refused["decision"]) == ("bob", "denied")
    found = server.look(ADMIN, target=workflow).json["records"]
    assert {record["rpc"] for record in found} == {"StartWorkflowExecution"}


def test_what_makes_no_sense_is_refused(server: Audited) -> None:
    for filters in [
        {"since": "noon"},
        {"decision": "maybe"},
        {"pageSize": "many"},
        {"nextPageToken": "../../etc/passwd"},
    ]:
        answer = server.look(ADMIN, **filters)
        assert (answer.status, answer.json["code"]) == (400, 3), answer.body
    assert server.ask(ADMIN, "POST", "/ui-api/audit", {}).status in (404, 405, 501)


def test_permissions_name_what_decides(server: Audited) -> None:
    def told(who: str, namespace: str) -> dict:
        answer = server.ask(who, "GET", f"/ui-api/permissions?namespace={namespace}").json
        return {
            name: (decision["allowed"], decision["rule"])
            for name, decision in answer["decisions"].items()
        } | {"roles": answer["roles"], "auditLog": answer["auditLog"]}

    reader = told(READER, "default")
    assert (reader["roles"], reader["auditLog"]) == (["default:read"], True)
    assert reader["ListWorkflowExecutions"] == (True, "default:read")
    assert reader["StartWorkflowExecution"] == (False, None)
    assert reader["GetSystemInfo"] == (True, "the method is open")
    assert told(OWNER, "other")["ReadAuditLog"] == (True, "other:admin")
    assert told(OWNER, "")["ReadAuditLog"] == (False, None)
    assert told(ADMIN, "")["ReadAuditLog"] == (True, "temporal-system:admin")


def test_a_server_without_a_log_says_so(tmp_path: Path) -> None:
    with Audited(tmp_path, has_log=False) as plain:
        answer = plain.look(ADMIN)
        assert (answer.status, answer.json["code"]) == (501, 12), answer.body
        assert plain.look(READER).status == 403
        told = plain.ask(READER, "GET", "/ui-api/permissions?namespace=default").json
        assert told["auditLog"] is False
