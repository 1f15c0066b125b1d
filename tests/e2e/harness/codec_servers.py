"""A codec server as the Python SDK's encryption sample is one."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads

from harness.encryption_codec import codec_of


@contextmanager
def samples_codec_server(keys: Path) -> Iterator[HTTPServer]:
    """Serves until the block ends; as the sample does, it answers 500 to what it cannot decode."""
    codec = codec_of(keys)

    class Samples(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            payloads = json_format.Parse(body, Payloads()).payloads
            way = codec.encode if self.path.endswith("/encode") else codec.decode
            try:
                status, coded = 200, asyncio.run(way(payloads))
            except Exception:
                status, coded = 500, []
            answer = json_format.MessageToJson(Payloads(payloads=coded)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Samples)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
