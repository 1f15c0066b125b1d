"""The SDK's own ways in: its local environment, health checks, namespaces, search attributes."""

import uuid

from temporalio import workflow
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    GetSystemInfoRequest,
    ListNamespacesRequest,
    RegisterNamespaceRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from harness.sdk import worker
from harness.server import Server, executable
from harness.waiting import wait_for


@workflow.defn
class Echoes:
    @workflow.run
    async def run(self, what: str) -> str:
        return what


async def test_the_sdk_starts_the_server_itself(queue: str, workflow_id: str):
    key = SearchAttributeKey.for_keyword("StartedWith")
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=executable(),
        namespace="of-the-sdk",
        search_attributes=[key],
    ) as environment:
        client = environment.client
        assert client.namespace == "of-the-sdk"
        async with worker(client, queue, [Echoes]):
            result = await client.execute_workflow(
                Echoes.run,
                "through the environment",
                id=workflow_id,
                task_queue=queue,
                search_attributes=TypedSearchAttributes([SearchAttributePair(key, "yes")]),
            )
        assert result == "through the environment"


async def test_the_health_check_says_serving(client: Client):
    assert await client.service_client.check_health()


async def test_a_lazy_client_connects_at_its_first_call(server: Server):
    lazy = await Client.connect(server.address, lazy=True)
    assert await lazy.service_client.check_health()


async def test_the_system_info_names_what_sdks_gate_on(client: Client):
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    capabilities = info.capabilities
    assert capabilities.signal_and_query_header
    assert capabilities.internal_error_differentiation
    assert capabilities.activity_failure_include_heartbeat
    assert capabilities.encoded_failure_attributes
    assert capabilities.upsert_memo
    assert capabilities.eager_workflow_start
    assert capabilities.sdk_metadata
    assert capabilities.count_group_by_execution_status
    assert info.server_version


async def test_a_registered_namespace_can_be_used(server: Server, client: Client, queue: str):
    name = f"namespace-{uuid.uuid4()}"
    request = RegisterNamespaceRequest(namespace=name, description="of a test")
    request.workflow_execution_retention_period.FromSeconds(86_400)
    await client.workflow_service.register_namespace(request)
    described = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=name)
    )
    assert described.namespace_info.name == name
    assert described.namespace_info.description == "of a test"
    assert described.config.workflow_execution_retention_ttl.seconds == 86_400
    try:
        await client.workflow_service.register_namespace(request)
        raise AssertionError("a namespace was registered twice")
    except RPCError as error:
        assert error.status == RPCStatusCode.ALREADY_EXISTS
    listed = await client.workflow_service.list_namespaces(ListNamespacesRequest(page_size=100))
    names = {found.namespace_info.name for found in listed.namespaces}
    assert {"default", name} <= names
    there = await Client.connect(server.address, namespace=name)

    async def started() -> bool:
        try:
            await there.start_workflow(Echoes.run, "hello", id="one", task_queue=queue)
        except RPCError as error:
            assert error.status == RPCStatusCode.NOT_FOUND
            return False
        return True

    await wait_for(started, "the namespace in use", seconds=30)
    async with worker(there, queue, [Echoes]):
        assert await there.get_workflow_handle("one").result() == "hello"
    try:
        await client.get_workflow_handle("one").describe()
        raise AssertionError("a run of another namespace was found")
    except RPCError as error:
        assert error.status == RPCStatusCode.NOT_FOUND


async def test_a_search_attribute_can_be_added_while_serving(
    client: Client, queue: str, workflow_id: str
):
    name = "Added" + uuid.uuid4().hex[:8]
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace="default",
            search_attributes={name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
        )
    )

    async def listed() -> bool:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace="default")
        )
        return name in known.custom_attributes

    await wait_for(listed, "the new search attribute")
    pair = SearchAttributePair(SearchAttributeKey.for_keyword(name), "value")
    handle = await client.start_workflow(
        Echoes.run,
        "x",
        id=workflow_id,
        task_queue=queue,
        search_attributes=TypedSearchAttributes([pair]),
    )

    async def found() -> bool:
        return (await client.count_workflows(f"{name} = 'value'")).count == 1

    await wait_for(found, "the run by its new attribute")
    await handle.terminate()


async def test_an_unknown_search_attribute_is_refused(client: Client, queue: str, workflow_id: str):
    pair = SearchAttributePair(SearchAttributeKey.for_keyword("Unregistered"), "value")
    try:
        await client.start_workflow(
            Echoes.run,
            "x",
            id=workflow_id,
            task_queue=queue,
            search_attributes=TypedSearchAttributes([pair]),
        )
        raise AssertionError("an unknown search attribute was accepted")
    except RPCError as error:
        assert error.status == RPCStatusCode.INVALID_ARGUMENT
        assert "no mapping defined for search attribute Unregistered" in error.message
