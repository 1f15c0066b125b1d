//! Methods that exist, and those that do not.

use api::workflowservice::v1::{
    GetSystemInfoRequest, GetSystemInfoResponse, ListNamespacesRequest,
    ListWorkflowExecutionsRequest,
};
use authz::Policy;
use frontend::RequestLimits;
use prost::Message;
use tonic::{Code, Request, client::Grpc, codegen::http::uri::PathAndQuery};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_prost::ProstCodec;

use crate::harness::{NAMESPACE, start, start_with};

async fn text_of(path: &'static str) -> (Code, String) {
    let server = start().await;
    let mut grpc = Grpc::new(server.channel().await);
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<GetSystemInfoRequest, GetSystemInfoResponse>::default();
    let path = PathAndQuery::from_static(path);
    let status = grpc.unary(Request::new(GetSystemInfoRequest {}), path, codec).await.unwrap_err();
    (status.code(), status.message().to_owned())
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_named() {
    let (code, text) = text_of("/temporal.api.workflowservice.v1.WorkflowService/MakeCoffee").await;
    assert_eq!(code, Code::Unimplemented);
    assert_eq!(
        text,
        "unknown method MakeCoffee for service temporal.api.workflowservice.v1.WorkflowService"
    );
}

#[tokio::test]
async fn a_service_that_nobody_knows_is_named() {
    let (code, text) = text_of("/coffee.v1.Coffee/Make").await;
    assert_eq!((code, text.as_str()), (Code::Unimplemented, "unknown service coffee.v1.Coffee"));
}

#[tokio::test]
async fn without_a_policy_only_the_open_method_answers() {
    let server = start_with(Policy::DenyAll, RequestLimits::DEVELOPMENT).await;
    let mut client = server.client().await;
    client.get_system_info(GetSystemInfoRequest {}).await.unwrap();
    let status = client.list_namespaces(ListNamespacesRequest::default()).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::PermissionDenied, "Request unauthorized.")
    );
    let details = api::google::rpc::Status::decode(status.details()).unwrap();
    let detail = details.details.first().unwrap();
    assert!(detail.type_url.ends_with("PermissionDeniedFailure"), "{}", detail.type_url);
}

#[tokio::test]
async fn health_checks_know_the_services() {
    let server = start().await;
    let mut health = HealthClient::new(server.channel().await);
    for service in [
        "",
        "temporal.api.workflowservice.v1.WorkflowService",
        "temporal.api.operatorservice.v1.OperatorService",
    ] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status, 1, "{service}");
    }
    let request = HealthCheckRequest { service: "coffee".to_owned() };
    assert_eq!(health.check(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_list_shows_nothing_but_what_is_there() {
    let server = start().await;
    let request =
        ListWorkflowExecutionsRequest { namespace: NAMESPACE.to_owned(), ..Default::default() };
    let page = server.client().await.list_workflow_executions(request).await.unwrap();
    assert!(page.into_inner().executions.is_empty());
}
