//! End-to-end tests with the unmodified Rust SDK.

mod history;
mod server;
mod workflows;

use std::future::Future;

use anyhow::Result;
use history::{assert_history, wait_for_event};
use server::Server;
use temporalio_client::{
    Client, WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowGetResultOptions,
    WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions, WorkflowTerminateOptions,
    errors::WorkflowGetResultError,
};
use temporalio_sdk::{Runtime, Worker};
use tokio::time::{Duration, timeout};
use uuid::Uuid;
use workflows::{Countdown, Counter, Failing, Flaky, Greeting, Sleeper, worker_options};

/// How many workflows a worker keeps when it uses a sticky queue.
const CACHED: usize = 100;

/// How long one test may take.
const TEST: Duration = Duration::from_secs(90);

fn unique() -> WorkflowStartOptions {
    WorkflowStartOptions::new("queue", format!("workflow-{}", Uuid::new_v4())).build()
}

/// Runs `test` while a worker polls.
async fn with_worker(
    client: &Client,
    cached_workflows: usize,
    test: impl Future<Output = Result<()>>,
) -> Result<()> {
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let options = worker_options("queue", cached_workflows)?;
    let mut worker = Worker::new(&runtime, client.clone(), options)?;
    let shut_down = worker.shutdown_handle();
    let test = async {
        let outcome = timeout(TEST, test).await;
        shut_down();
        outcome
    };
    let (worker, outcome) = tokio::join!(worker.run(), test);
    outcome??;
    Ok(worker?)
}

fn result() -> WorkflowGetResultOptions {
    WorkflowGetResultOptions::default()
}

async fn greet(cached_workflows: usize) -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, cached_workflows, async {
        let handle = client.start_workflow(Greeting::run, "tide".to_owned(), unique()).await?;
        assert_eq!(handle.get_result(result()).await?, "hello tide");
        assert_history(&handle, "Started WorkflowTask Activity WorkflowTask Completed").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_gets_its_activity_s_result() -> Result<()> {
    greet(CACHED).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_a_cache_replays_the_history_for_each_task() -> Result<()> {
    greet(0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_is_retried_without_a_trace_of_the_failed_attempts() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, CACHED, async {
        let handle = client.start_workflow(Flaky::run, (), unique()).await?;
        assert_eq!(handle.get_result(result()).await?, 3);
        assert_history(&handle, "Started WorkflowTask Activity WorkflowTask Completed").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_fires() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, CACHED, async {
        let handle = client.start_workflow(Sleeper::run, 300, unique()).await?;
        assert_eq!(handle.get_result(result()).await?, "awake");
        let sequence = "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed";
        assert_history(&handle, sequence).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_arrive_and_queries_see_them() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, CACHED, async {
        let handle = client.start_workflow(Counter::run, 5, unique()).await?;
        wait_for_event(&handle, "WorkflowTaskCompleted", 1).await?;
        let query = || handle.query(Counter::count, (), WorkflowQueryOptions::default());
        assert_eq!(query().await?, 0);
        handle.signal(Counter::add, 2, WorkflowSignalOptions::default()).await?;
        wait_for_event(&handle, "WorkflowTaskCompleted", 2).await?;
        assert_eq!(query().await?, 2);
        handle.signal(Counter::add, 3, WorkflowSignalOptions::default()).await?;
        assert_eq!(handle.get_result(result()).await?, 5);
        assert_eq!(query().await?, 5);
        let sequence = "Started WorkflowTask Signaled WorkflowTask Signaled WorkflowTask Completed";
        assert_history(&handle, sequence).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_workflow_ends_cancelled() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, CACHED, async {
        let handle = client.start_workflow(Counter::run, 5, unique()).await?;
        wait_for_event(&handle, "WorkflowTaskCompleted", 1).await?;
        handle.cancel(WorkflowCancelOptions::default()).await?;
        let outcome = handle.get_result(result()).await;
        assert!(matches!(outcome, Err(WorkflowGetResultError::Cancelled { .. })), "{outcome:?}");
        assert_history(&handle, "Started WorkflowTask CancelRequested WorkflowTask Canceled").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_workflow_ends_at_once() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, CACHED, async {
        let handle = client.start_workflow(Counter::run, 5, unique()).await?;
        wait_for_event(&handle, "WorkflowTaskCompleted", 1).await?;
        handle.terminate(WorkflowTerminateOptions::default()).await?;
        let outcome = handle.get_result(result()).await;
        assert!(matches!(outcome, Err(WorkflowGetResultError::Terminated { .. })), "{outcome:?}");
        assert_history(&handle, "Started WorkflowTask Terminated").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_reaches_the_caller() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, CACHED, async {
        let handle = client.start_workflow(Failing::run, "no luck".to_owned(), unique()).await?;
        let Err(error) = handle.get_result(result()).await else { panic!("it did not fail") };
        assert!(matches!(error, WorkflowGetResultError::Failed(_)), "{error:?}");
        assert!(error.to_string().contains("no luck"), "{error}");
        assert_history(&handle, "Started WorkflowTask Failed").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_continues_as_new_until_it_completes() -> Result<()> {
    let mut server = Server::start().await?;
    let client = server.client().await?;
    with_worker(&client, CACHED, async {
        let first = client.start_workflow(Countdown::run, 2, unique()).await?;
        assert_eq!(first.get_result(result()).await?, "lift-off");
        let last = client.get_workflow_handle::<Countdown>(&first.info().workflow_id);
        assert_history(&last, "Started WorkflowTask Completed").await?;
        let description = last.describe(WorkflowDescribeOptions::default()).await?;
        assert_ne!(Some(description.run_id()), first.info().first_execution_run_id.as_deref());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_goes_on_where_it_was() -> Result<()> {
    let mut server = Server::start_durable().await?;
    let client = server.client().await?;
    let restarted = async {
        let counter = client.start_workflow(Counter::run, 3, unique()).await?;
        let sleeper = client.start_workflow(Sleeper::run, 1000, unique()).await?;
        wait_for_event(&counter, "WorkflowTaskCompleted", 1).await?;
        wait_for_event(&sleeper, "TimerStarted", 1).await?;
        counter.signal(Counter::add, 1, WorkflowSignalOptions::default()).await?;
        wait_for_event(&counter, "WorkflowTaskCompleted", 2).await?;
        server.restart_after_kill().await?;
        counter.signal(Counter::add, 2, WorkflowSignalOptions::default()).await?;
        assert_eq!(counter.get_result(result()).await?, 3);
        assert_eq!(sleeper.get_result(result()).await?, "awake");
        let sequence = "Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed";
        assert_history(&sleeper, sequence).await
    };
    with_worker(&client, CACHED, restarted).await
}
