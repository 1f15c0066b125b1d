"""Tokens with real workers: every algorithm, rotation of keys, claims as providers send them."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from flows import runs_a_workflow
from harness.secured import SecuredServer
from harness.tokens import AUDIENCE, ISSUER, SigningKey, publish
from harness.waiting import wait_for


def authorization(*sources: str, **more) -> dict:
    provider = {"keySourceURIs": list(sources), "refreshInterval": "1h"}
    rules = {"authorizer": "default", "jwtKeyProvider": provider} | more
    return {"global": {"authorization": rules}}


async def connected(server: SecuredServer, token: str, **options) -> Client:
    return await Client.connect(server.address, api_key=token, tls=False, **options)


async def refused(server: SecuredServer, token: str) -> bool:
    """True when a call with this token is not authorized."""
    try:
        client = await connected(server, token, lazy=True)
        await client.count_workflows()
    except (RPCError, RuntimeError) as error:
        assert "Request unauthorized." in str(error)
        return True
    return False


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, SigningKey]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: SigningKey(folder, name, name) for name in ("RS256", "PS256", "ES256", "EdDSA")}


@pytest.fixture(scope="module")
def server(keys, tmp_path_factory) -> Iterator[SecuredServer]:
    folder = tmp_path_factory.mktemp("tokens")
    publish(folder / "keys.json", *keys.values())
    with SecuredServer(folder / "server", authorization(f"file://{folder}/keys.json")) as running:
        yield running


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_workers_run_with_tokens_of_every_algorithm(server, keys, algorithm):
    key = keys[algorithm]
    worker = await connected(server, key.token("default:worker", sub="a worker"))
    starter = await connected(server, key.token("default:write", sub="a user"))
    await runs_a_workflow(worker, starter)


async def test_events_say_who_asked(server, keys):
    client = await connected(server, keys["ES256"].token("default:write", sub="alice"))
    handle = await client.start_workflow("w", id="principal", task_queue="nobody")
    event = (await handle.fetch_history()).events[0]
    assert (event.principal.type, event.principal.name) == ("jwt", "alice")


async def test_a_reader_looks_and_changes_nothing(server, keys):
    client = await connected(server, keys["RS256"].token("default:read"))
    await client.count_workflows()
    with pytest.raises(RPCError) as denied:
        await client.start_workflow("w", id="reader", task_queue="queue")
    assert denied.value.status == RPCStatusCode.PERMISSION_DENIED
    assert denied.value.message == "Request unauthorized."


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": 1_700_000_000},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"permissions": {"default": "admin"}},
    ],
)
async def test_tokens_that_say_too_little_are_refused(server, keys, claims):
    assert await refused(server, keys["RS256"].token("default:admin", **claims))


async def test_made_up_headers_are_refused(server, keys):
    key = keys["RS256"]
    good = key.token("default:admin")
    headers = [{"kid": None}, {"kid": "other"}, {"alg": "RS512"}, {"alg": "none"}, {"kid": "ES256"}]
    for header in headers:
        assert await refused(server, key.token("default:admin", header=header)), header
    body = good.split(".")
    for token in ("x", "a.b.c", ".".join(body[:2]) + ".", good[:-3] + "AAA", "ltk_a_b"):
        assert await refused(server, token), token
    assert not await refused(server, good)


async def test_the_cli_shows_a_token(server, keys, cli):
    token = keys["ES256"].token("default:read")
    words = ("workflow", "list", "--address", server.address, "--tls=false")
    assert cli(*words, TEMPORAL_API_KEY=token).returncode == 0
    assert "unauthorized" in cli(*words, TEMPORAL_API_KEY="nothing").stderr.lower()


async def test_claims_as_azure_sends_them(keys, tmp_path):
    publish(tmp_path / "keys.json", keys["RS256"])
    tenant = "https://login.microsoftonline.test/tenant/v2.0"
    more = {"permissionsClaimName": "roles", "issuers": [tenant], "audience": "api://temporal"}
    settings = authorization(f"file://{tmp_path}/keys.json", **more)
    shape = {
        "iss": tenant,
        "aud": "api://temporal",
        "sub": "AAAA",
        "oid": "0000",
        "tid": "tenant",
        "ver": "2.0",
        "permissions": None,
        "roles": ["default:write", "temporal-system:read"],
    }
    with SecuredServer(tmp_path / "server", settings) as server:
        client = await connected(server, keys["RS256"].token(**shape))
        await runs_a_workflow(client)
        assert await refused(server, keys["RS256"].token(**shape | {"aud": "api://other"}))


class Issuer:
    """An identity provider as far as the server sees it: discovery and keys, over HTTP."""

    def __init__(self) -> None:
        self.keys: list[SigningKey] = []
        self.reads = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/.well-known/openid-configuration":
                    answer = {"issuer": outer.name, "jwks_uri": f"{outer.name}/keys"}
                elif self.path == "/keys":
                    outer.reads += 1
                    answer = {"keys": [key.jwk() for key in outer.keys]}
                else:
                    self.send_error(404)
                    return
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


async def test_keys_are_discovered_and_rotate_while_workers_run(tmp_path: Path):
    issuer = Issuer()
    first = SigningKey(tmp_path, "2026-01", "ES256")
    issuer.keys = [first]
    settings = authorization(oidcIssuers=[issuer.name])
    with SecuredServer(tmp_path / "server", settings) as server:
        client = await connected(server, first.token("default:write", iss=issuer.name))
        await runs_a_workflow(client)
        second = SigningKey(tmp_path, "2026-02", "RS256")
        issuer.keys = [second]
        client.api_key = second.token("default:write", iss=issuer.name)
        await runs_a_workflow(client)
        assert await refused(server, first.token("default:write", iss=issuer.name))
        assert await refused(server, second.token("default:write", iss=ISSUER))
        # Made-up key ids cost the issuer next to nothing.
        before = issuer.reads
        made_up = [second.token(iss=issuer.name, header={"kid": f"k{n}"}) for n in range(5)]
        answers = await asyncio.gather(*[refused(server, token) for token in made_up])
        assert all(answers) and issuer.reads - before <= 1
    issuer.server.shutdown()


async def test_a_source_that_is_down_at_the_start_is_read_later(tmp_path: Path):
    key = SigningKey(tmp_path, "late", "ES256")
    source = tmp_path / "keys.json"
    settings = authorization(f"file://{source}")
    with SecuredServer(tmp_path / "server", settings) as server:
        token = key.token("default:read", aud=AUDIENCE)
        assert await refused(server, token)
        publish(source, key)

        async def taken() -> bool:
            return not await refused(server, token)

        await wait_for(taken, "the keys are read")
