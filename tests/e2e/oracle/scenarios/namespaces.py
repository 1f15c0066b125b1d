"""Namespaces, search attributes, Nexus endpoints and the cluster."""

from oracle.normal import plain
from oracle.scenarios.registry import Registry
from oracle.world import World, seconds

SCENARIOS = Registry()


@SCENARIOS
def default_namespace(world: World) -> None:
    world.call("DescribeNamespace")


@SCENARIOS
def registered_updated_and_deleted(world: World) -> None:
    name = world.name("namespace")
    world.call(
        "RegisterNamespace",
        namespace=name,
        description="d",
        owner_email="o@example.com",
        data={"k": "v"},
        workflow_execution_retention_period=seconds(86_400 * 3),
    )
    world.call("DescribeNamespace", namespace=name)
    world.call(
        "UpdateNamespace",
        namespace=name,
        update_info={"description": "new", "data": {"l": "w"}},
        config={"workflow_execution_retention_ttl": seconds(86_400 * 5)},
    )
    world.call("DescribeNamespace", namespace=name)
    world.operator("DeleteNamespace", namespace=name)


@SCENARIOS
def registered_twice(world: World) -> None:
    for _ in range(2):
        world.call(
            "RegisterNamespace",
            namespace=world.name("namespace"),
            workflow_execution_retention_period=seconds(86_400 * 3),
        )


@SCENARIOS
def update_with_a_short_retention(world: World) -> None:
    world.call(
        "UpdateNamespace",
        namespace="default",
        config={"workflow_execution_retention_ttl": seconds(60)},
    )


@SCENARIOS
def deprecated(world: World) -> None:
    name = world.name("namespace")
    world.call(
        "RegisterNamespace",
        namespace=name,
        workflow_execution_retention_period=seconds(86_400 * 3),
    )
    world.call("DeprecateNamespace", namespace=name)
    world.call("DescribeNamespace", namespace=name)


@SCENARIOS
def delete_the_system_namespace(world: World) -> None:
    world.operator("DeleteNamespace", namespace="temporal-system")


@SCENARIOS
def delete_an_unknown_namespace(world: World) -> None:
    world.operator("DeleteNamespace", namespace=world.name("nobody"))
    world.operator("DeleteNamespace")


@SCENARIOS
def system_info(world: World) -> None:
    info = world.call("GetSystemInfo", silent=True)
    world.record.append(("capabilities", plain(info.capabilities, str)))


@SCENARIOS
def cluster_info(world: World) -> None:
    info = world.call("GetClusterInfo", silent=True)
    world.record.append(("fields", sorted(plain(info, str))))


@SCENARIOS
def search_attributes_of_the_namespace(world: World) -> None:
    listed = world.operator("ListSearchAttributes", namespace="default")
    if listed:
        kinds = plain(listed, str)
        world.record.append(("system", kinds.get("system_attributes")))


def added(world: World, attributes: dict) -> None:
    world.operator("AddSearchAttributes", namespace="default", search_attributes=attributes)


SCENARIOS.table(
    "add-search-attributes",
    {
        "known-with-another-type": {"CustomIntField": "INDEXED_VALUE_TYPE_TEXT"},
        "system": {"WorkflowType": "INDEXED_VALUE_TYPE_TEXT"},
        "unspecified-type": {"Another": "INDEXED_VALUE_TYPE_UNSPECIFIED"},
        "none": {},
    },
    added,
)


@SCENARIOS
def remove_search_attributes(world: World) -> None:
    world.operator("RemoveSearchAttributes", namespace="default", search_attributes=["Nope"])
    world.operator(
        "RemoveSearchAttributes", namespace="default", search_attributes=["WorkflowType"]
    )
    world.operator("RemoveSearchAttributes", namespace="default")


def endpoint(world: World, spec: dict) -> None:
    spec = {
        key: value.format(own=world.tag) if key == "name" else value for key, value in spec.items()
    }
    created = world.operator("CreateNexusEndpoint", spec=spec)
    if created:
        world.operator("GetNexusEndpoint", id=created.endpoint.id)
        world.operator("CreateNexusEndpoint", spec=spec)
        world.operator("DeleteNexusEndpoint", id=created.endpoint.id, version=99)
        world.operator(
            "DeleteNexusEndpoint", id=created.endpoint.id, version=created.endpoint.version
        )


WORKER = {"worker": {"namespace": "default", "task_queue": "q"}}

SCENARIOS.table(
    "nexus-endpoint",
    {
        "worker": {"name": "e-{own}", "target": WORKER},
        "external": {"name": "x-{own}", "target": {"external": {"url": "http://127.0.0.1:9"}}},
        "no-name": {"target": WORKER},
        "bad-name": {"name": "a b", "target": WORKER},
        "no-target": {"name": "n-{own}"},
        "unknown-namespace": {
            "name": "u-{own}",
            "target": {"worker": {"namespace": "nowhere", "task_queue": "q"}},
        },
        "no-queue": {"name": "q-{own}", "target": {"worker": {"namespace": "default"}}},
        "bad-url": {"name": "b-{own}", "target": {"external": {"url": "nope"}}},
    },
    endpoint,
)


@SCENARIOS
def nexus_endpoint_unknown(world: World) -> None:
    nobody = "3f1f4e9c-0c0e-4c39-9d50-fb8dfd3c2d6f"
    world.operator("GetNexusEndpoint", id=nobody)
    world.operator("GetNexusEndpoint")
    world.operator("DeleteNexusEndpoint", id=nobody, version=1)
