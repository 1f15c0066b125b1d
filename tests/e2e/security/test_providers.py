"""Workers of two languages with tokens of an identity provider, and over mutual TLS."""

import asyncio
import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig
from test_api_keys import SETTINGS as KEYS
from test_api_keys import admin, made
from test_tokens import Issuer, connected, refused

from flows import Greets, greet
from harness.certificates import Authority
from harness.node import Provider, TypeScriptWorker
from harness.sdk import unique, wait_for_event, worker
from harness.secured import SecuredServer
from harness.tokens import SigningKey

pytestmark = pytest.mark.timeout(180)


@workflow.defn
class Waits:
    """Greets once itself and once through a child of another worker; before and after a signal."""

    def __init__(self) -> None:
        self.goes_on = False

    @workflow.signal
    def go_on(self) -> None:
        self.goes_on = True

    @workflow.run
    async def run(self, other_queue: str) -> list[str]:
        said = await self.greetings(other_queue)
        await workflow.wait_condition(lambda: self.goes_on)
        return said + await self.greetings(other_queue)

    async def greetings(self, other_queue: str) -> list[str]:
        own = await workflow.execute_activity(
            greet, "you", start_to_close_timeout=timedelta(seconds=20)
        )
        other = await workflow.execute_child_workflow(
            "greets", "you", id=f"{workflow.uuid4()}", task_queue=other_queue, result_type=str
        )
        return [own, other]


SAID = "hello you from TypeScript"

GREETINGS = ["hello you", SAID]


def claims(token: str) -> dict:
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


async def runs_both(cli, server: SecuredServer, python: str, typescript: str, *words, **variables):
    """The CLI runs a workflow on each of two queues, with workers of two languages."""
    for kind, queue, said in (("Greets", python, "hello you"), ("greets", typescript, SAID)):
        done = await asyncio.to_thread(
            cli,
            *("workflow", "execute", "--type", kind, "--task-queue", queue, "--input", '"you"'),
            *("--workflow-id", unique("cli"), "--address", server.address, *words),
            **variables,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f'"{said}"' in done.stdout, done.stdout


async def test_keys_rotate_at_the_provider_while_workers_of_two_languages_work(tmp_path: Path, cli):
    with Provider(tmp_path / "provider.log") as provider:
        rules = {
            "authorizer": "default",
            "oidcIssuers": [provider.issuer],
            "audience": "temporal",
            "jwtKeyProvider": {"refreshInterval": "1s"},
        }
        settings = {"global": {"authorization": rules}}
        with SecuredServer(tmp_path / "server", settings) as server:
            first = provider.token()
            client = await connected(server, first)
            queue, other = unique("python"), unique("typescript")
            theirs = TypeScriptWorker(
                tmp_path / "worker.log",
                address=server.address,
                taskQueue=other,
                issuer=provider.issuer,
            )
            over = asyncio.Event()

            async def refresh() -> None:
                while not over.is_set():
                    client.api_key = await asyncio.to_thread(provider.token)
                    await asyncio.sleep(0.2)  # a worker asks again before its token ends

            refreshing = asyncio.create_task(refresh())
            with theirs:
                async with worker(client, queue, [Waits, Greets], [greet]):
                    handle = await client.start_workflow(
                        Waits.run, other, id=unique("waits"), task_queue=queue
                    )
                    await wait_for_event(handle, "ChildWorkflowExecutionCompleted")
                    await asyncio.to_thread(provider.rotate)
                    second = await asyncio.to_thread(provider.token)
                    await theirs.has_another_token()
                    await handle.signal(Waits.go_on)
                    assert await handle.result() == GREETINGS * 2
                    fresh = await asyncio.to_thread(provider.token)
                    await runs_both(
                        cli, server, queue, other, "--tls=false", TEMPORAL_API_KEY=fresh
                    )
                    over.set()
                    await refreshing
                theirs.stop()
            assert claims(second)["sub"] == claims(first)["sub"] == "worker"
            event = (await handle.fetch_history()).events[0]
            assert (event.principal.type, event.principal.name) == ("jwt", "worker")
            assert await refused(server, first), "a token of the former key still counts"
            assert not await refused(server, second)


def mutual(authority: Authority, **authorization: object) -> dict:
    """Settings that want to see a client's certificate."""
    pair = authority.server("providers", names="DNS:tls-sample")
    server = {
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        "requireClientAuth": True,
        "clientCaFiles": [str(authority.own.certificate)],
    }
    tree = {"frontend": {"server": server, "client": {"serverName": "tls-sample"}}}
    return {"global": {"tls": tree, "authorization": authorization}}


async def test_workers_of_two_languages_and_the_cli_work_with_api_keys(tmp_path: Path, cli):
    server = SecuredServer(tmp_path / "server", KEYS)
    data = ("--data-directory", server.settings["data_directory"])
    server.root = made("create", "--name", "root", "--permission", "temporal-system:admin", *data)
    with server:
        for_worker = made(
            "create", "--name", "w", "--permission", "default:worker", **admin(server)
        )
        for_user = made("create", "--name", "u", "--permission", "default:write", **admin(server))
        client = await connected(server, for_worker)
        queue, other = unique("python"), unique("typescript")
        options = {"address": server.address, "taskQueue": other, "token": for_worker}
        with TypeScriptWorker(tmp_path / "worker.log", **options) as theirs:
            async with worker(client, queue, [Greets], [greet]):
                words = ("--tls=false",)
                await runs_both(cli, server, queue, other, *words, TEMPORAL_API_KEY=for_user)
            theirs.stop()


async def test_workers_of_two_languages_and_the_cli_work_over_mutual_tls(
    authority: Authority, tmp_path: Path, cli
):
    rules = [{"commonName": "both-worker", "permissions": ["default:worker"]}]
    rules += [{"commonName": "both-user", "permissions": ["default:write"]}]
    settings = mutual(authority, authorizer="default", clientCertificates=rules)
    works, user = authority.client("both-worker"), authority.client("both-user")
    root = str(authority.own.certificate)
    with SecuredServer(tmp_path / "server", settings) as server:
        client = await Client.connect(
            server.address,
            tls=TLSConfig(
                server_root_ca_cert=authority.root,
                domain="tls-sample",
                client_cert=works.certificate.read_bytes(),
                client_private_key=works.key.read_bytes(),
            ),
        )
        queue, other = unique("python"), unique("typescript")
        options = {"address": server.address, "taskQueue": other, "serverName": "tls-sample"}
        shown = {"root": root, "certificate": str(works.certificate), "key": str(works.key)}
        with TypeScriptWorker(tmp_path / "worker.log", **options, **shown) as theirs:
            async with worker(client, queue, [Greets], [greet]):
                words = ["--tls-ca-path", root, "--tls-server-name", "tls-sample"]
                words += ["--tls-cert-path", str(user.certificate)]
                words += ["--tls-key-path", str(user.key)]
                await runs_both(cli, server, queue, other, *words)
            theirs.stop()


async def test_the_set_up_with_azure(authority: Authority, tmp_path: Path, cli):
    """Tokens as Azure's directory makes them, keys from its address, certificates of an authority
    of one's own, and a server that is not called as its address is."""
    tenant = "11111111-2222-3333-4444-555555555555"
    application = "66666666-7777-8888-9999-000000000000"
    azure, key = Issuer(), SigningKey(tmp_path / "azure", "nOo3ZDrODXEK1jKWhXslHR_KXEg")
    azure.keys = [key]
    issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
    settings = mutual(
        authority,
        authorizer="default",
        claimMapper="default",
        permissionsClaimName="roles",
        jwtKeyProvider={"keySourceURIs": [f"{azure.name}/keys"], "refreshInterval": "1m"},
    )

    def token(*roles: str, **changed: object) -> str:
        said = {
            "aud": f"api://{application}",
            "iss": issuer,
            "nbf": 1_700_000_000,
            "aio": "AWQAm/8TAAAA",
            "azp": application,
            "azpacr": "1",
            "name": "Alice Example",
            "oid": "aaaaaaaa-0000-0000-0000-000000000001",
            "preferred_username": "alice@example.com",
            "rh": "0.AAAA",
            "roles": list(roles),
            "scp": "default",
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "tid": tenant,
            "uti": "fqiBqXLPj0eQa82S-IYFAA",
            "ver": "2.0",
            "permissions": None,
        }
        return key.token(**said | changed)

    shown = authority.client("azure-client")
    root, certificate, private = authority.root, shown.certificate, shown.key

    async def client(api_key: str | None) -> Client:
        tls = TLSConfig(
            server_root_ca_cert=root,
            domain="tls-sample",
            client_cert=certificate.read_bytes(),
            client_private_key=private.read_bytes(),
        )
        return await Client.connect(server.address, tls=tls, api_key=api_key)

    with SecuredServer(tmp_path / "server", settings) as server:
        good = token("system:read", "default:write")
        alice, queue, other = await client(good), unique("queue"), unique("typescript")
        with TypeScriptWorker(
            tmp_path / "worker.log",
            address=server.address,
            taskQueue=other,
            root=str(authority.own.certificate),
            certificate=str(certificate),
            key=str(private),
            serverName="tls-sample",
            token=good,
        ) as theirs:
            async with worker(alice, queue, [Waits], [greet]):
                handle = await alice.start_workflow(
                    Waits.run,
                    other,
                    id=unique("azure"),
                    task_queue=queue,
                    start_signal="go_on",
                )
                assert await handle.result() == GREETINGS * 2
            theirs.stop()
        event = (await handle.fetch_history()).events[0]
        assert (event.principal.type, event.principal.name) == ("jwt", claims(good)["sub"])
        words = ("--address", server.address, "--tls-server-name", "tls-sample")
        words += ("--tls-ca-path", str(authority.own.certificate))
        words += ("--tls-cert-path", str(certificate), "--tls-key-path", str(private))
        done = cli("workflow", "list", *words, TEMPORAL_API_KEY=good)
        assert done.returncode == 0 and handle.id in done.stdout, done.stderr
        # What a user was not given, somebody without roles, and nobody at all.
        with pytest.raises(RPCError):
            await (await client(token("system:read"))).start_workflow("w", id="no", task_queue="q")
        for bad in (token(), token(roles=None), None):
            with pytest.raises((RPCError, RuntimeError)):
                await (await client(bad)).count_workflows()
        assert azure.reads <= 3
    azure.server.shutdown()
