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
    metadata::{Ascii, MetadataValue},
    transport::{Channel, ClientTlsConfig, Endpoint},
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

/// Where a server is, and what it wants to see.
#[derive(Debug, Clone)]
pub struct Access {
    /// `host:port`
    pub address: String,
    /// What a secured server wants to see.
    pub credentials: Option<Credentials>,
}

/// What proves who calls.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The authority that is trusted, and the certificate that is shown.
    pub tls: ClientTlsConfig,
    /// The value of the header `authorization`.
    pub token: MetadataValue<Ascii>,
}

impl Access {
    /// A server that wants to see nothing.
    pub fn plain(address: impl Into<String>) -> Self {
        Self { address: address.into(), credentials: None }
    }

    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let address = &self.address;
        let Some(credentials) = &self.credentials else {
            return Ok(Endpoint::from_shared(format!("http://{address}"))?);
        };
        let endpoint = Endpoint::from_shared(format!("https://{address}"))?;
        Ok(endpoint.tls_config(credentials.tls.clone())?)
    }
}

/// One connection to the server.
#[derive(Debug, Clone)]
pub struct Client {
    grpc: WorkflowServiceClient<Channel>,
    token: Option<MetadataValue<Ascii>>,
    in_flight: Arc<InFlight>,
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
                let request = self.within(CALL_TIMEOUT, message.clone());
                async move { grpc.$method(request).await.map(Response::into_inner) }
            })
            .await
        }
    )*};
}

impl Client {
    /// Connects to a server.
    ///
    /// # Errors
    /// When nothing serves there.
    pub async fn connect(access: &Access, in_flight: Arc<InFlight>) -> anyhow::Result<Self> {
        let channel = access
            .endpoint()?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .connect()
            .await
            .with_context(|| format!("cannot connect to {}", access.address))?;
        let grpc = WorkflowServiceClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let token = access.credentials.as_ref().map(|credentials| credentials.token.clone());
        Ok(Self { grpc, token, in_flight })
    }

    /// A request with the deadline that the server is to know, and with what proves who asks.
    fn within<T>(&self, timeout: Duration, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
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
        let request = self.within(LONG_POLL_TIMEOUT, message);
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
        let request = self.within(LONG_POLL_TIMEOUT, message);
        let answer = self.grpc.clone().poll_activity_task_queue(request).await;
        Ok(self.unless_expired(answer)?.filter(|task| !task.task_token.is_empty()))
    }

    /// Whether the server serves its default namespace.
    pub async fn is_serving(&self) -> bool {
        let message =
            DescribeNamespaceRequest { namespace: NAMESPACE.to_owned(), ..Default::default() };
        let request = self.within(CONNECT_TIMEOUT, message);
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
