"""What a tool that others wrote makes of the API's own description: for an hour of requests in small,
no crash, and no answer that is not described."""

import subprocess
from pathlib import Path

from harness.http_api import HttpServer

SCHEMATHESIS = Path(__file__).parents[1] / ".cache/venv-schemas/bin/schemathesis"
REQUESTS_SECONDS = 60
RUN_SECONDS = 240

CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance"
WAITING = "Poll|DeleteNamespace|GetWorkflowExecutionHistory|UpdateWorkflowExecution|QueryWorkflow"
"""Calls that wait, and the one that takes away what the others are about."""


def test_no_answer_is_a_crash_or_undescribed(server: HttpServer) -> None:
    line = [str(SCHEMATHESIS), "run", server.url + "/openapi.yaml"]
    line += ["--include-path-regex", "^/api/v1/", "--exclude-operation-id-regex", WAITING]
    line += ["--phases", "fuzzing", "--max-examples", "3", "--max-time", str(REQUESTS_SECONDS)]
    line += ["--checks", CHECKS, "--request-timeout", "20", "--wait-for-schema", "60"]
    line += ["--generation-database", "none", "--suppress-health-check", "all", "--no-color"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout, done.stdout[-4000:]
    # A handler that panics is answered with INTERNAL, which is described: the log tells.
    assert "panicked" not in server.log.read_text(errors="replace")
    assert server.ask("GET", "/api/v1/namespaces/default").status == 200
