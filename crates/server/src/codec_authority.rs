//! What a server says of API keys to a codec server.
//!
//! It is shown the caller's own credential with a call that cannot do anything: a permitted one is
//! refused for what it lacks, any other because it is not permitted. That works with every server that
//! decides before it looks at a request.

use std::time::Duration;

use api::workflowservice::v1::{
    GetSystemInfoRequest, GetSystemInfoResponse, GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse, RecordActivityTaskHeartbeatRequest,
    RecordActivityTaskHeartbeatResponse, SignalWorkflowExecutionRequest,
    SignalWorkflowExecutionResponse,
};
use codec_server::{Authority, Verdict};
use futures_util::future::BoxFuture;
use http::{HeaderValue, uri::PathAndQuery};
use prost::Message;
use tokio::sync::watch;
use tonic::{Code, Request, Status, client::Grpc, metadata::MetadataMap, transport::Channel};
use tonic_prost::ProstCodec;

/// How long the server may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A server that is asked.
#[derive(Debug)]
pub(crate) struct AskedServer {
    channel: watch::Receiver<Channel>,
}

impl AskedServer {
    pub(crate) fn new(channel: watch::Receiver<Channel>) -> Self {
        Self { channel }
    }

    async fn verdict(
        &self,
        authorization: &HeaderValue,
        namespace: &str,
        writes: bool,
    ) -> Result<Verdict, String> {
        let namespace = namespace.to_owned();
        let allowed = if writes {
            let request = SignalWorkflowExecutionRequest {
                namespace: namespace.clone(),
                ..Default::default()
            };
            self.is_permitted::<_, SignalWorkflowExecutionResponse>(
                "SignalWorkflowExecution",
                request,
                authorization,
            )
            .await?
        } else {
            let request = GetWorkflowExecutionHistoryRequest {
                namespace: namespace.clone(),
                ..Default::default()
            };
            self.is_permitted::<_, GetWorkflowExecutionHistoryResponse>(
                "GetWorkflowExecutionHistory",
                request,
                authorization,
            )
            .await?
        };
        if allowed {
            return Ok(Verdict::Allowed);
        }
        let heartbeat = RecordActivityTaskHeartbeatRequest { namespace, ..Default::default() };
        let is_worker = self
            .is_permitted::<_, RecordActivityTaskHeartbeatResponse>(
                "RecordActivityTaskHeartbeat",
                heartbeat,
                authorization,
            )
            .await?;
        if is_worker {
            return Ok(Verdict::Allowed);
        }
        let open = self
            .is_permitted::<_, GetSystemInfoResponse>(
                "GetSystemInfo",
                GetSystemInfoRequest::default(),
                authorization,
            )
            .await?;
        Ok(if open { Verdict::NoRight } else { Verdict::NotTaken })
    }

    async fn is_permitted<Q, A>(
        &self,
        method: &'static str,
        request: Q,
        authorization: &HeaderValue,
    ) -> Result<bool, String>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut request = Request::new(request);
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::AUTHORIZATION, authorization.clone());
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        request.set_timeout(TIMEOUT);
        let path = format!("/temporal.api.workflowservice.v1.WorkflowService/{method}");
        let path = path.parse::<PathAndQuery>().map_err(|error| error.to_string())?;
        let mut grpc = Grpc::new(self.channel.borrow().clone());
        grpc.ready().await.map_err(|error| error.to_string())?;
        let codec = ProstCodec::<Q, A>::default();
        match grpc.unary(request, path, codec).await {
            Ok(_) => Ok(true),
            Err(status) => permitted(&status),
        }
    }
}

/// Whether a refusal is for another reason than that the caller may not.
fn permitted(status: &Status) -> Result<bool, String> {
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated => Ok(false),
        // A namespace that does not exist has nothing to read; the caller may be anybody.
        Code::NotFound => Ok(false),
        Code::InvalidArgument => Ok(true),
        code => Err(format!("the server answered {code:?}: {}", status.message())),
    }
}

impl Authority for AskedServer {
    fn asked<'a>(
        &'a self,
        authorization: &'a HeaderValue,
        namespace: &'a str,
        writes: bool,
    ) -> BoxFuture<'a, Result<Verdict, String>> {
        Box::pin(self.verdict(authorization, namespace, writes))
    }
}
