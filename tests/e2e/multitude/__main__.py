"""Starts many workflows, then measures lists, filtered lists and counts while nothing else runs,
and last a batch that terminates a tenth of them.

The server is the one that `LONGTIDE_E2E_SERVER` names, on a file. No worker runs. The starters are
processes of their own, so that one interpreter is not the limit.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from temporalio.api.batch.v1 import BatchOperationTermination
from temporalio.api.enums.v1 import BatchOperationState
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.converter import PayloadConverter

from harness.raw import Raw
from harness.server import Server

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
STARTERS = 4
AT_ONCE = 32
REPETITIONS = 200
CONVERTER = PayloadConverter.default

LISTS = {
    "list": "",
    "list of a status and a type": "ExecutionStatus = 'Running' AND WorkflowType = 'Kind7'",
    "list of two types": "WorkflowType IN ('Kind7', 'Kind8')",
    "list of all types but one": "WorkflowType != 'Kind7'",
    "list by an attribute": "CustomKeywordField = 'customer-4711'",
    "list by a number's range": "CustomIntField BETWEEN 40 AND 42 AND WorkflowType = 'Kind3'",
    "list by a prefix": "WorkflowId STARTS_WITH 'order-12345'",
    "list of the newest hour": "StartTime > now() - 1h ORDER BY StartTime DESC",
    "list of half of all by number": "CustomIntField >= 500 AND ExecutionStatus = 'Running'",
    "list of two ranges": "CustomIntField < 100 AND CustomDoubleField > 4000",
    "list of two ranges of types": "CustomIntField < 100 AND CustomDoubleField > 9000 "
    "AND WorkflowType IN ('Kind3', 'Kind5')",
    "list by a time": "CustomDatetimeField > '2026-01-20T00:00:00Z' AND TaskQueue = 'nobody-2'",
    "list by one of two": "CustomIntField = 7 OR CustomKeywordField = 'customer-4711'",
    "list by several": "CustomKeywordField IN ('customer-1', 'customer-2', 'customer-3')",
    "list by a keyword's prefix": "CustomKeywordField STARTS_WITH 'customer-12' "
    "AND ExecutionStatus = 'Running'",
    "list without an attribute": "CustomDoubleField IS NULL AND WorkflowType = 'Kind3'",
    "list by a member of a list": "BuildIds = 'build-7' AND WorkflowType = 'Kind7'",
    "list of an hour and a number": "StartTime > now() - 1h AND CustomIntField BETWEEN 40 AND 60",
    "list in a number's order": "CustomIntField >= 500 ORDER BY CustomIntField DESC",
    "list in an attribute's order": "ORDER BY CustomKeywordField",
    "list of two large ranges with few in both": "CustomIntField > 500 AND CustomDoubleField < 20",
    "list in the order of execution": "ORDER BY ExecutionTime DESC",
    "list in the order of ids": "WorkflowType = 'Kind3' ORDER BY WorkflowId",
}
DEEP = "CustomIntField < 500 AND WorkflowType != 'Kind1'"
PAGES = 50
COUNTS = {
    "count": "",
    "count grouped by status": "GROUP BY ExecutionStatus",
    "count of a type": "WorkflowType = 'Kind7'",
    "count of a type by status": "WorkflowType = 'Kind7' GROUP BY ExecutionStatus",
    "count by an attribute": "CustomKeywordField = 'customer-4711'",
    "count of half of all by number": "CustomIntField >= 500 GROUP BY ExecutionStatus",
    "count of nearly all by number": "CustomIntField > 10",
    "count of two large ranges": "CustomIntField > 500 AND CustomDoubleField > 1000",
    "count of two ranges": "CustomIntField < 100 AND CustomDoubleField > 4000",
    "count of a prefix": "CustomKeywordField STARTS_WITH 'customer-12' "
    "AND ExecutionStatus = 'Running' GROUP BY ExecutionStatus",
}


def start(number: int) -> messages.StartWorkflowExecutionRequest:
    request = messages.StartWorkflowExecutionRequest(
        namespace="default", workflow_id=f"order-{number}", request_id=f"start-{number}"
    )
    request.workflow_type.name = f"Kind{number % 20}"
    request.task_queue.name = f"nobody-{number % 5}"
    fields = request.search_attributes.indexed_fields
    for name, kind, value in (
        ("CustomKeywordField", b"Keyword", f"customer-{number % 10_000}"),
        ("CustomIntField", b"Int", number % 1000),
        ("BuildIds", b"KeywordList", [f"build-{number % 50}"]),
        ("CustomDoubleField", b"Double", number * 7919 % 100_003 / 10),
        ("CustomDatetimeField", b"Datetime", f"2026-01-{number % 28 + 1:02}T00:00:00Z"),
    ):
        if kind in (b"Double", b"Datetime") and number % 4:
            continue
        made = CONVERTER.to_payloads([value])[0]
        made.metadata["type"] = kind
        fields[name].CopyFrom(made)
    return request


def start_share(address: str, share: int) -> None:
    raw = Raw(address)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        calls = threads.map(
            lambda number: raw.workflow.StartWorkflowExecution(start(number), timeout=60),
            range(share, RUNS, STARTERS),
        )
        for _ in calls:
            pass


def start_all(address: str) -> None:
    began = time.perf_counter()
    processes = [
        multiprocessing.Process(target=start_share, args=(address, share))
        for share in range(STARTERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError("a starter failed")
    elapsed = time.perf_counter() - began
    print(f"{RUNS:,} runs started in {elapsed:.0f} s", flush=True)


def timed(what: str, call) -> None:
    times = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        answer = call()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    half, last = times[REPETITIONS // 2], times[int(REPETITIONS * 0.99)]
    print(f"{what:42} p50 {half:7.1f} ms  p99 {last:7.1f} ms  {answer}", flush=True)


def listed(raw: Raw, query: str) -> str:
    asked = messages.ListWorkflowExecutionsRequest(namespace="default", query=query)
    return f"{len(raw.workflow.ListWorkflowExecutions(asked).executions)} rows"


def deep(raw: Raw) -> bytes:
    """The token of a late page."""
    token = b""
    for _ in range(PAGES):
        asked = messages.ListWorkflowExecutionsRequest(
            namespace="default", query=DEEP, next_page_token=token
        )
        token = raw.workflow.ListWorkflowExecutions(asked).next_page_token or token
    return token


def page(raw: Raw, token: bytes) -> str:
    asked = messages.ListWorkflowExecutionsRequest(
        namespace="default", query=DEEP, next_page_token=token
    )
    return f"{len(raw.workflow.ListWorkflowExecutions(asked).executions)} rows"


def counted(raw: Raw, query: str) -> str:
    asked = messages.CountWorkflowExecutionsRequest(namespace="default", query=query)
    return f"{raw.workflow.CountWorkflowExecutions(asked).count:,}"


def terminate_a_tenth(raw: Raw) -> None:
    query = "WorkflowType IN ('Kind1', 'Kind2')"
    count = messages.CountWorkflowExecutionsRequest(namespace="default", query=query)
    expected = raw.workflow.CountWorkflowExecutions(count).count
    began = time.perf_counter()
    raw.workflow.StartBatchOperation(
        messages.StartBatchOperationRequest(
            namespace="default",
            visibility_query=query,
            job_id="tenth",
            reason="measured",
            max_operations_per_second=100_000,
            termination_operation=BatchOperationTermination(),
        )
    )
    described = messages.DescribeBatchOperationRequest(namespace="default", job_id="tenth")
    while True:
        job = raw.workflow.DescribeBatchOperation(described)
        if job.state != BatchOperationState.BATCH_OPERATION_STATE_RUNNING:
            break
        time.sleep(0.5)
    elapsed = time.perf_counter() - began
    done, failed = job.complete_operation_count, job.failure_operation_count
    print(f"batch terminate of {expected:,} runs: {done:,} done, {failed} failed, {elapsed:.0f} s")


def memory(pid: int) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return f"{kib // 1024} MiB"


def measure(server: Server) -> None:
    raw = Raw(server.address)
    start_all(server.address)
    print(f"memory: {memory(server.process.pid)}", flush=True)
    for what, query in LISTS.items():
        timed(what, lambda query=query: listed(raw, query))
    token = deep(raw)
    timed(f"page {PAGES}", lambda: page(raw, token))
    for what, query in COUNTS.items():
        timed(what, lambda query=query: counted(raw, query))
    terminate_a_tenth(raw)
    server.kill()
    began = time.perf_counter()
    server.start()
    print(f"serving {time.perf_counter() - began:.1f} s after a kill", flush=True)
    print(f"memory: {memory(server.process.pid)}")


if __name__ == "__main__":
    where = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(dir=where) as directory:
        with Server(db_filename=Path(directory) / "server.db") as server:
            measure(server)
