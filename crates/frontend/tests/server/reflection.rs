//! What a client learns that asks the server what it serves.

use futures_util::stream;
use tonic::{Code, transport::Channel};
use tonic_reflection::pb::{
    v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    },
    v1alpha,
};

use crate::harness::start;

async fn ask(channel: Channel, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { message_request: Some(question), ..Default::default() };
    let mut client = ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(stream::iter([request])).await.unwrap();
    answers.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
}

#[tokio::test]
async fn the_services_are_listed() {
    let server = start().await;
    let answer = ask(server.channel().await, MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "temporal.api.operatorservice.v1.OperatorService",
        "temporal.api.workflowservice.v1.WorkflowService",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

#[tokio::test]
async fn a_symbol_is_found_with_its_file_and_an_unknown_one_is_not() {
    let server = start().await;
    let symbol = "temporal.api.workflowservice.v1.WorkflowService";
    let question = MessageRequest::FileContainingSymbol(symbol.to_owned());
    let answer = ask(server.channel().await, question).await;
    assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");

    let mut client = ServerReflectionClient::new(server.channel().await);
    let question = MessageRequest::FileContainingSymbol("coffee.v1.Coffee".to_owned());
    let request = ServerReflectionRequest { message_request: Some(question), ..Default::default() };
    let answers = client.server_reflection_info(stream::iter([request])).await;
    let status = match answers {
        Ok(answers) => answers.into_inner().message().await.unwrap_err(),
        Err(status) => status,
    };
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn older_clients_are_answered_in_the_older_protocol() {
    let server = start().await;
    let question = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request =
        v1alpha::ServerReflectionRequest { message_request: Some(question), ..Default::default() };
    let channel = server.channel().await;
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let answers = client.server_reflection_info(stream::iter([request])).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    assert!(answer.message_response.is_some());
}
