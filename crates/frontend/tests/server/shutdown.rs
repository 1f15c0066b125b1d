//! A graceful end.

use std::time::Duration;

use api::{
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{
        GetSystemInfoRequest, PollActivityTaskQueueRequest, PollWorkflowTaskQueueRequest,
    },
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::harness::{NAMESPACE, start};

const PATIENCE: Duration = Duration::from_secs(5);

fn task_queue() -> Option<TaskQueue> {
    Some(TaskQueue { name: "queue".to_owned(), ..TaskQueue::default() })
}

#[tokio::test]
async fn waiting_polls_answer_empty_when_the_server_stops() {
    let server = start().await;
    let (mut one, mut two) = (server.client().await, server.client().await);
    let workflow = tokio::spawn(async move {
        let request = PollWorkflowTaskQueueRequest {
            namespace: NAMESPACE.to_owned(),
            task_queue: task_queue(),
            ..PollWorkflowTaskQueueRequest::default()
        };
        one.poll_workflow_task_queue(request).await
    });
    let activity = tokio::spawn(async move {
        let request = PollActivityTaskQueueRequest {
            namespace: NAMESPACE.to_owned(),
            task_queue: task_queue(),
            ..PollActivityTaskQueueRequest::default()
        };
        two.poll_activity_task_queue(request).await
    });
    // Both are calls under way, whether or not they have reached their queue yet.
    server.client().await.get_system_info(GetSystemInfoRequest {}).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.cancel();
    let workflow = tokio::time::timeout(PATIENCE, workflow).await.unwrap().unwrap().unwrap();
    assert!(workflow.into_inner().task_token.is_empty());
    let activity = tokio::time::timeout(PATIENCE, activity).await.unwrap().unwrap().unwrap();
    assert!(activity.into_inner().task_token.is_empty());
    tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_watches_the_health_hears_of_the_end_first() {
    let server = start().await;
    let mut health = HealthClient::new(server.channel().await);
    let watch = HealthCheckRequest::default();
    let mut states = health.watch(watch).await.unwrap().into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status, 1);
    server.stop.cancel();
    assert_eq!(states.message().await.unwrap().unwrap().status, 2);
    // The watch never ends by itself: it is cut off, and the server ends all the same.
    tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn nobody_connects_to_a_server_that_has_ended() {
    let server = start().await;
    server.stop.cancel();
    server.ended.await.unwrap();
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
}
