//! Messages of any size and encoding.

use api::{
    common::v1::{Payload, Payloads, WorkflowExecution},
    workflowservice::v1::{GetSystemInfoRequest, SignalWorkflowExecutionRequest},
};
use tonic::{Code, codec::CompressionEncoding};

use crate::harness::{NAMESPACE, start};

fn signal_of(bytes: usize) -> SignalWorkflowExecutionRequest {
    let payload = Payload { data: vec![b'x'; bytes].into(), ..Payload::default() };
    SignalWorkflowExecutionRequest {
        namespace: NAMESPACE.to_owned(),
        workflow_execution: Some(WorkflowExecution {
            workflow_id: "nobody".to_owned(),
            ..WorkflowExecution::default()
        }),
        signal_name: "signal".to_owned(),
        input: Some(Payloads { payloads: vec![payload] }),
        ..SignalWorkflowExecutionRequest::default()
    }
}

#[tokio::test]
async fn an_oversize_message_is_refused_for_good() {
    let server = start().await;
    let mut client = server.client().await;
    let status = client.signal_workflow_execution(signal_of(5 << 20)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status.message().starts_with("grpc: received message larger than max ("),
        "{}",
        status.message()
    );
    client.get_system_info(GetSystemInfoRequest {}).await.unwrap();
}

#[tokio::test]
async fn a_small_message_that_unpacks_to_a_large_one_is_refused_too() {
    let server = start().await;
    let mut client = server.client().await.send_compressed(CompressionEncoding::Gzip);
    let status = client.signal_workflow_execution(signal_of(50 << 20)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status.message().starts_with("grpc: received message after decompression larger than max"),
        "{}",
        status.message()
    );
}

#[tokio::test]
async fn compressed_messages_are_taken() {
    let server = start().await;
    let mut client = server.client().await.send_compressed(CompressionEncoding::Gzip);
    let status = client.signal_workflow_execution(signal_of(1 << 20)).await.unwrap_err();
    assert_eq!(status.message(), "workflow not found for ID: nobody");
}

#[tokio::test]
async fn answers_are_compressed_when_the_request_was() {
    let server = start().await;
    let accepts = server.client().await.accept_compressed(CompressionEncoding::Gzip);
    for (compresses, encoding) in [(false, None), (true, Some("gzip"))] {
        let mut client = accepts.clone();
        if compresses {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let answer = client.get_system_info(GetSystemInfoRequest {}).await.unwrap();
        let found = answer.metadata().get("grpc-encoding");
        assert_eq!(found.map(|found| found.to_str().unwrap()), encoding);
        assert!(!answer.into_inner().server_version.is_empty());
    }
}
