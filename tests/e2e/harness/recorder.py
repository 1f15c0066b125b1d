"""A server that writes down what it is asked, and answers what it was told to."""

import re
from collections.abc import Callable
from concurrent import futures

import grpc
from google.protobuf import json_format
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator_messages
from temporalio.api.operatorservice.v1 import service_pb2_grpc as operator
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Recorder:
    """Listens on loopback while a block runs; `answers` has the answers that are not empty, or
    what makes them of requests."""

    def __init__(self, answers: dict[str, dict | Callable[[dict], dict]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict]] = []
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        for kind, add, names in (
            (
                service.WorkflowServiceServicer,
                service.add_WorkflowServiceServicer_to_server,
                messages,
            ),
            (
                operator.OperatorServiceServicer,
                operator.add_OperatorServiceServicer_to_server,
                operator_messages,
            ),
        ):
            add(self._servicer(kind, names), self.server)
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"

    def _servicer(self, kind: type, names: object) -> object:
        methods = {}
        for name in dir(kind):
            if name[0].isupper() and hasattr(names, f"{name}Response"):
                methods[name] = self._method(name, getattr(names, f"{name}Response"))
        return type("Recording", (kind,), methods)()

    def _method(self, name: str, answer: type):
        def call(_, request, context):
            asked = json_format.MessageToDict(request)
            self.asked.append((name, asked))
            told = self.answers.get(name, {})
            return json_format.ParseDict(told(asked) if callable(told) else told, answer())

        return call

    def __enter__(self) -> "Recorder":
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop(None)

    def taken(self) -> list[tuple[str, dict]]:
        """What was asked since the last time, without ids that are made up."""
        taken, self.asked = self.asked, []
        return [(name, without_ids(request)) for name, request in taken]


def without_ids(value):
    """The same with each id that was made up as `<id>`."""
    match value:
        case dict():
            return {key: without_ids(part) for key, part in value.items()}
        case list():
            return [without_ids(part) for part in value]
        case str():
            return ID.sub("<id>", value)
        case _:
            return value
