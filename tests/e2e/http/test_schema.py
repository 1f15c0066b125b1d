"""What a tool that others wrote makes of the API's own description: no crash, and no answer that is
not described."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from harness.http_api import HttpServer

SCHEMATHESIS = Path(__file__).parents[1] / ".cache/venv-schemas/bin/schemathesis"
REQUESTS_SECONDS = 60
RUN_SECONDS = 240

CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance"
WAITING = "Poll|DeleteNamespace|GetWorkflowExecutionHistory|UpdateWorkflowExecution|QueryWorkflow"
"""Calls that wait, and the one that takes away what the others are about."""


DOTTED = re.compile(r"{(\w+)\.(\w+)}")


def without_dots(document: dict) -> dict:
    """The same with other names in paths: the tool takes `{a.b}` for an attribute."""
    paths = {}
    for path, item in document["paths"].items():
        dotted = {f"{one}.{other}" for one, other in DOTTED.findall(path)}
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter.get("in") == "path" and parameter["name"] in dotted:
                    parameter["name"] = parameter["name"].replace(".", "_")
        paths[DOTTED.sub(r"{\1_\2}", path)] = item
    return document | {"paths": paths}


@pytest.mark.timeout(RUN_SECONDS + 30)
def test_no_answer_is_a_crash_or_undescribed(server: HttpServer, tmp_path: Path) -> None:
    description = tmp_path / "openapi.json"
    document = server.ask("GET", "/swagger.json").json
    description.write_text(json.dumps(without_dots(document)))
    line = [str(SCHEMATHESIS), "run", str(description), "--url", server.url]
    line += ["--include-path-regex", "^/api/v1/", "--exclude-operation-id-regex", WAITING]
    line += ["--phases", "fuzzing", "--max-examples", "3", "--max-time", str(REQUESTS_SECONDS)]
    line += ["--checks", CHECKS, "--request-timeout", "20"]
    line += ["--generation-database", "none", "--suppress-health-check", "all", "--no-color"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout, done.stdout[-4000:]
    # A handler that panics is answered with INTERNAL, which is described: the log tells.
    assert "panicked" not in server.log.read_text(errors="replace")
    assert server.ask("GET", "/api/v1/namespaces/default").status == 200
