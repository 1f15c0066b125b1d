//! The calls that the load generator makes, with an SDK's deadlines and retries.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use api::workflowservice::v1::{
    CountWorkflowExecutionsRequest, DescribeNamespaceRequest, GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse, PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse, PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse,
    RespondActivityTaskCompletedRequest, RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse, SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest, UpdateWorkflowExecutionRequest, UpdateWorkflowExecutionResponse,
    workflow_service_client::WorkflowServiceClient,
};
use tonic::{
    Code, Request, Response, Status,
    transport::{Channel, Endpoint},
};

use crate::in_flight::InFlight;

/// The namespace that a development server has from its start.
pub const NAMESPACE: &str = "default";
/// How the load generator names itself in every request.
pub const IDENTITY: &str = "load-generator";

const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// SDKs give a long poll 70 s; the server answers empty before that.
const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(70);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS_MAX: u32 = 8;
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(20);
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One connection to the server.
#[derive(Debug, Clone)]
pub struct Client {
    grpc: WorkflowServiceClient<Channel>,
    in_flight: Arc<InFlight>,
}

/// A request with the deadline that the server is to know.
fn within<T>(timeout: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(timeout);
    request
}

/// One generated method as one of ours: unary, retried while the server asks for patience.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $method:ident($request:ty) -> $response:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// The server's status, after retries where it can be retried.
        pub async fn $name(&self, message: $request) -> Result<$response, Status> {
            self.retried(|mut grpc| {
                let request = within(CALL_TIMEOUT, message.clone());
                async move { grpc.$method(request).await.map(Response::into_inner) }
            })
            .await
        }
    )*};
}

impl Client {
    /// Connects to `address` (`host:port`).
    ///
    /// # Errors
    /// When nothing serves there.
    pub async fn connect(address: &str, in_flight: Arc<InFlight>) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .connect()
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        let grpc = WorkflowServiceClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { grpc, in_flight })
    }

    calls! {
        /// Signals a workflow.
        signal = signal_workflow_execution(SignalWorkflowExecutionRequest)
            -> api::workflowservice::v1::SignalWorkflowExecutionResponse;
        /// Answers an activity task.
        respond_activity_task = respond_activity_task_completed(RespondActivityTaskCompletedRequest)
            -> api::workflowservice::v1::RespondActivityTaskCompletedResponse;
        /// Answers a workflow task; the answer may bring the next one.
        respond_workflow_task = respond_workflow_task_completed(RespondWorkflowTaskCompletedRequest)
            -> RespondWorkflowTaskCompletedResponse;
        /// Starts a workflow.
        start = start_workflow_execution(StartWorkflowExecutionRequest)
            -> api::workflowservice::v1::StartWorkflowExecutionResponse;
        /// Asks a workflow for an update.
        update = update_workflow_execution(UpdateWorkflowExecutionRequest)
            -> UpdateWorkflowExecutionResponse;
        /// Reads a page of a history.
        history = get_workflow_execution_history(GetWorkflowExecutionHistoryRequest)
            -> GetWorkflowExecutionHistoryResponse;
        /// Counts executions by a visibility query.
        count = count_workflow_executions(CountWorkflowExecutionsRequest)
            -> api::workflowservice::v1::CountWorkflowExecutionsResponse;
    }

    /// One long poll for a workflow task; an empty answer is `None`.
    ///
    /// # Errors
    /// The server's status.
    pub async fn poll_workflow_task(
        &self,
        message: PollWorkflowTaskQueueRequest,
    ) -> Result<Option<PollWorkflowTaskQueueResponse>, Status> {
        let request = within(LONG_POLL_TIMEOUT, message);
        let answer = self.grpc.clone().poll_workflow_task_queue(request).await;
        Ok(self.unless_expired(answer)?.filter(|task| !task.task_token.is_empty()))
    }

    /// One long poll for an activity task; an empty answer is `None`.
    ///
    /// # Errors
    /// The server's status.
    pub async fn poll_activity_task(
        &self,
        message: PollActivityTaskQueueRequest,
    ) -> Result<Option<PollActivityTaskQueueResponse>, Status> {
        let request = within(LONG_POLL_TIMEOUT, message);
        let answer = self.grpc.clone().poll_activity_task_queue(request).await;
        Ok(self.unless_expired(answer)?.filter(|task| !task.task_token.is_empty()))
    }

    /// Whether the server serves its default namespace.
    pub async fn is_serving(&self) -> bool {
        let message =
            DescribeNamespaceRequest { namespace: NAMESPACE.to_owned(), ..Default::default() };
        let request = within(CONNECT_TIMEOUT, message);
        self.grpc.clone().describe_namespace(request).await.is_ok()
    }

    /// A long poll whose deadline passed is the same as an empty answer.
    fn unless_expired<T>(&self, answer: Result<Response<T>, Status>) -> Result<Option<T>, Status> {
        match answer {
            Ok(response) => Ok(Some(response.into_inner())),
            Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => {
                self.in_flight.expired_polls.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            Err(status) => Err(status),
        }
    }

    async fn retried<T, F>(
        &self,
        call: impl Fn(WorkflowServiceClient<Channel>) -> F,
    ) -> Result<T, Status>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let mut delay = FIRST_RETRY_DELAY;
        let mut attempt = 1;
        loop {
            match call(self.grpc.clone()).await {
                Err(status) if attempt < ATTEMPTS_MAX && is_retryable(&status) => {
                    self.in_flight.retries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(delay).await;
                    delay *= 2;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }
}

/// Whether the server asks to try the same again.
pub fn is_retryable(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::Aborted)
}
