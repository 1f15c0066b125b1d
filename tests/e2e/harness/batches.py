"""Batch operations as one starts them beside other tests."""

from temporalio.api.workflowservice.v1 import StartBatchOperationRequest
from temporalio.service import RPCError, RPCStatusCode, WorkflowService

from harness.waiting import wait_for


async def start_in_turn(service: WorkflowService, request: StartBatchOperationRequest) -> None:
    """Starts a batch operation once the namespace has place for it: it has one at a time."""

    async def started() -> bool:
        try:
            await service.start_batch_operation(request)
        except RPCError as error:
            if error.status != RPCStatusCode.RESOURCE_EXHAUSTED:
                raise
            return False
        return True

    await wait_for(started, "the batch operation's turn")
