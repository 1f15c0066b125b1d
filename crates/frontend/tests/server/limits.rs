//! Limits on requests and polls.

use api::{
    enums::v1::{ResourceExhaustedCause, ResourceExhaustedScope},
    errordetails::v1::ResourceExhaustedFailure,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        CountWorkflowExecutionsRequest, GetSystemInfoRequest, PollWorkflowTaskQueueRequest,
    },
};
use authz::Policy;
use frontend::{NamespaceLimits, RateLimit, RequestLimits};
use prost::Message;
use tonic::{Code, Status};

use crate::harness::{NAMESPACE, start_with};

fn failure(status: &Status) -> ResourceExhaustedFailure {
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = api::google::rpc::Status::decode(status.details()).unwrap();
    ResourceExhaustedFailure::decode(details.details.first().unwrap().value.as_slice()).unwrap()
}

fn poll() -> PollWorkflowTaskQueueRequest {
    PollWorkflowTaskQueueRequest {
        namespace: NAMESPACE.to_owned(),
        task_queue: Some(TaskQueue { name: "queue".to_owned(), ..TaskQueue::default() }),
        ..PollWorkflowTaskQueueRequest::default()
    }
}

#[tokio::test]
async fn a_request_above_the_rate_says_which_limit_it_met() {
    let once = Some(RateLimit { per_second: 1, burst: 1 });
    let namespace = NamespaceLimits { visibility: once, ..NamespaceLimits::DEVELOPMENT };
    let limits = RequestLimits { namespace, ..RequestLimits::DEVELOPMENT };
    let server = start_with(Policy::AllowAll, limits).await;
    let mut client = server.client().await;
    let request = || CountWorkflowExecutionsRequest {
        namespace: NAMESPACE.to_owned(),
        ..CountWorkflowExecutionsRequest::default()
    };
    client.count_workflow_executions(request()).await.unwrap();
    let failure = failure(&client.count_workflow_executions(request()).await.unwrap_err());
    assert_eq!(failure.cause(), ResourceExhaustedCause::RpsLimit);
    assert_eq!(failure.scope(), ResourceExhaustedScope::Namespace);
    client.get_system_info(GetSystemInfoRequest {}).await.unwrap();
}

#[tokio::test]
async fn one_poll_too_many_is_refused_until_another_ends() {
    let namespace = NamespaceLimits { long_polls_max: 1, ..NamespaceLimits::DEVELOPMENT };
    let limits = RequestLimits { namespace, ..RequestLimits::DEVELOPMENT };
    let server = start_with(Policy::AllowAll, limits).await;
    let mut first = server.client().await;
    let waiting = tokio::spawn(async move { first.poll_workflow_task_queue(poll()).await });
    let mut client = server.client().await;
    let refused = loop {
        let mut request = tonic::Request::new(poll());
        request.set_timeout(std::time::Duration::from_millis(2010));
        match client.poll_workflow_task_queue(request).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(status) => break status,
        }
    };
    assert_eq!(failure(&refused).cause(), ResourceExhaustedCause::ConcurrentLimit);
    server.stop.cancel();
    assert!(waiting.await.unwrap().unwrap().into_inner().task_token.is_empty());
}
