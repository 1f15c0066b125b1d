"""Every scenario by its name. A scenario is a function that acts on a `World`."""

from oracle.scenarios import (
    activities,
    children,
    commands,
    deployments,
    lists,
    namespaces,
    nexus,
    operations,
    pauses,
    queries,
    refusals,
    runs,
    schedules,
    standalone,
    starts,
    task_queues,
    tasks,
    update_with_start,
    updates,
)
from oracle.scenarios.registry import Scenario

GROUPS = (
    starts,
    refusals,
    commands,
    tasks,
    runs,
    activities,
    queries,
    updates,
    update_with_start,
    children,
    nexus,
    lists,
    schedules,
    operations,
    standalone,
    pauses,
    task_queues,
    deployments,
    namespaces,
)

SCENARIOS: dict[str, Scenario] = {
    f"{group.__name__.rpartition('.')[2]}/{name}": run
    for group in GROUPS
    for name, run in group.SCENARIOS.items()
}
