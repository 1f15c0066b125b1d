//! Workers that handle Nexus operations: some they do at once, for the others they start workflows
//! that tell their callers.

use std::sync::Arc;

use api::{
    common::v1::{Callback, WorkflowType, callback},
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    history::v1::WorkflowExecutionStartedEventAttributes,
    nexus::v1::{
        CancelOperationRequest, CancelOperationResponse, Response, StartOperationRequest,
        StartOperationResponse, request, response,
        start_operation_response::{Async, Sync, Variant},
    },
    taskqueue::v1::TaskQueue,
};
use engine::{Rejection, RequestCancel, Start, StartPolicy};
use history::{
    CancelRequest, Execution, HistoryError, NexusDelivery, NexusTaskAnswer, StartRequest,
};
use model::Span;

use crate::{
    cluster::CallError,
    dice::Dice,
    operation::{is_endless, workflow_id},
    payload::{payload, payloads},
    script::{QUEUE, input},
    worker::{
        dies,
        poll::{Poll, poll_nexus_task},
        rest, work,
    },
    world::World,
};

/// The queue that the endpoint of workers points to.
pub(crate) const NEXUS_QUEUE: &str = "nexus";

/// How long a workflow waits to be cancelled whose caller may have forgotten it. Who has not, asks
/// for its end long before.
const ENDLESS_MAX: Span = Span::from_secs(5 * 60);

#[derive(Debug)]
struct Worker {
    world: Arc<World>,
    dice: Dice,
    identity: String,
}

/// Starts a worker.
pub(crate) fn start(world: &Arc<World>, number: u64) {
    let identity = format!("nexus worker {number}");
    let dice = Dice::new(world.seed, &identity);
    let worker = Worker { world: Arc::clone(world), dice, identity };
    tokio::spawn(worker.run());
}

/// Hands a worker's answer to the one who asked. Nobody may be waiting any more.
pub(crate) async fn respond(world: &World, dice: &Dice, task: &NexusDelivery, answer: Response) {
    let answer = NexusTaskAnswer::Completed(answer);
    let answered = world.call(dice, |life| async move {
        Ok(life.history.respond_nexus_task(&life.permit, &task.task_id, answer))
    });
    drop(answered.await);
}

impl Worker {
    async fn run(self) {
        self.world.sleep(self.world.profile.workers_from).await;
        while !self.world.is_done() {
            rest(&self.world, &self.dice).await;
            let poll = Poll::draw(&self.world, &self.dice, NEXUS_QUEUE, &self.identity);
            let request = poll.clone();
            let polled = self
                .world
                .call(&self.dice, |life| async move { poll_nexus_task(&life, &request).await });
            match polled.await {
                Ok(Some(task)) => self.work_on(*task).await,
                Ok(None) => poll.check_patience(&self.world),
                Err(_) => self.world.sleep(self.dice.span(5, 200)).await,
            }
        }
    }

    async fn work_on(&self, task: NexusDelivery) {
        if dies(&self.world, &self.dice) {
            self.world.trace.note(&format!("{}: worker dies", self.identity));
            return;
        }
        work(&self.world, &self.dice).await;
        let answer = match &task.request.variant {
            Some(request::Variant::StartOperation(start)) => self.start_operation(start).await,
            Some(request::Variant::CancelOperation(cancel)) => self.cancel_operation(cancel).await,
            None => None,
        };
        // Without an answer it is asked again.
        let Some(variant) = answer else { return };
        respond(&self.world, &self.dice, &task, Response { variant: Some(variant) }).await;
    }

    async fn start_operation(&self, start: &StartOperationRequest) -> Option<response::Variant> {
        let name = &start.operation;
        // The same request is answered the same.
        let dice = Dice::new(self.world.seed, &format!("operation {}", start.request_id));
        let variant = if !is_endless(name) && dice.chance(400) {
            Variant::SyncSuccess(Sync { payload: Some(payload(name)), ..Sync::default() })
        } else {
            let operation_token = self.start_workflow(start).await?;
            Variant::AsyncSuccess(Async { operation_token, ..Async::default() })
        };
        let started = StartOperationResponse { variant: Some(variant) };
        Some(response::Variant::StartOperation(started))
    }

    /// Starts the workflow that does an operation; its id, or none when that may not have worked.
    async fn start_workflow(&self, start: &StartOperationRequest) -> Option<String> {
        let workflow_id = workflow_id(&start.operation, &start.request_id);
        let nexus =
            callback::Nexus { url: start.callback.clone(), header: start.callback_header.clone() };
        let attributes = WorkflowExecutionStartedEventAttributes {
            workflow_id: workflow_id.clone(),
            workflow_type: Some(WorkflowType { name: "operation".to_owned() }),
            task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..TaskQueue::default() }),
            input: Some(payloads(&input(&start.operation, 0))),
            workflow_run_timeout: is_endless(&start.operation).then(|| ENDLESS_MAX.to_proto()),
            completion_callbacks: vec![Callback {
                variant: Some(callback::Variant::Nexus(nexus)),
                ..Callback::default()
            }],
            ..WorkflowExecutionStartedEventAttributes::default()
        };
        let request = StartRequest {
            start: Start { request_id: start.request_id.clone(), attributes, ..Start::default() },
            policy: StartPolicy {
                reuse: WorkflowIdReusePolicy::RejectDuplicate,
                conflict: WorkflowIdConflictPolicy::Fail,
            },
            eager: None,
            attach: None,
        };
        let started = self.world.call(&self.dice, |life| async move {
            life.history.start_workflow(&life.permit, &life.namespace(), request).await
        });
        let started = started.await;
        self.world.note(&self.identity, &format!("start {workflow_id}"), &started);
        match started {
            Ok(_)
            | Err(CallError::Answered(HistoryError::Rejected(Rejection::AlreadyStarted {
                ..
            }))) => Some(workflow_id),
            Err(_) => None,
        }
    }

    async fn cancel_operation(&self, cancel: &CancelOperationRequest) -> Option<response::Variant> {
        let execution = Execution::current(&cancel.operation_token);
        let request = CancelRequest { input: RequestCancel::default(), ..CancelRequest::default() };
        let cancelled = self.world.call(&self.dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            life.history.request_cancel(permit, namespace, &execution, request).await
        });
        let cancelled = cancelled.await;
        let what = format!("cancel {}", cancel.operation_token);
        self.world.note(&self.identity, &what, &cancelled);
        match cancelled {
            Err(error) if !error.is_rejection() => None,
            // One that has ended needs no cancelling.
            _ => Some(response::Variant::CancelOperation(CancelOperationResponse::default())),
        }
    }
}
