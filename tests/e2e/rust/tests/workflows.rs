//! The workflows and activities of the tests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use temporalio_client::RetryPolicy;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, ApplicationFailure, ContinueAsNewOptions, SyncWorkflowContext, WorkerOptions,
    WorkflowContext, WorkflowContextView, WorkflowResult,
    activities::{ActivityContext, ActivityError},
    workflow_replayer::WorkflowReplayerOptionsBuilder,
};

/// Everything that a worker of these tests can run.
pub fn worker_options(task_queue: &str, cached_workflows: usize) -> Result<WorkerOptions> {
    Ok(WorkerOptions::new(task_queue)
        .max_cached_workflows(cached_workflows)
        .register_activities(Activities::default())
        .register_workflow::<Greeting>()?
        .register_workflow::<Flaky>()?
        .register_workflow::<Sleeper>()?
        .register_workflow::<Counter>()?
        .register_workflow::<Countdown>()?
        .register_workflow::<Failing>()?
        .build())
}

/// The same workflows for the replayer.
pub fn register_for_replay(
    options: WorkflowReplayerOptionsBuilder,
) -> Result<WorkflowReplayerOptionsBuilder> {
    Ok(options
        .register_workflow::<Greeting>()?
        .register_workflow::<Flaky>()?
        .register_workflow::<Sleeper>()?
        .register_workflow::<Counter>()?
        .register_workflow::<Countdown>()?
        .register_workflow::<Failing>()?)
}

#[derive(Default)]
pub struct Activities {
    attempts: AtomicU32,
}

#[activities]
impl Activities {
    #[activity]
    pub async fn greet(_ctx: ActivityContext, name: String) -> Result<String, ActivityError> {
        Ok(format!("hello {name}"))
    }

    /// Fails twice, then says how often it was tried.
    #[activity]
    pub async fn third_time_lucky(
        self: Arc<Self>,
        _ctx: ActivityContext,
        _input: (),
    ) -> Result<u32, ActivityError> {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        if attempt < 3 {
            let failure = ApplicationFailure::new(anyhow::anyhow!("attempt {attempt}"));
            return Err(ActivityError::application(failure));
        }
        Ok(attempt)
    }
}

fn within(seconds: u64) -> ActivityOptions {
    ActivityOptions::start_to_close_timeout(Duration::from_secs(seconds))
}

/// One activity.
#[workflow]
#[derive(Default)]
pub struct Greeting;

#[workflow_methods]
impl Greeting {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, name: String) -> WorkflowResult<String> {
        Ok(ctx.execute_activity(Activities::greet, name, within(10)).await?)
    }
}

/// An activity that is retried.
#[workflow]
#[derive(Default)]
pub struct Flaky;

#[workflow_methods]
impl Flaky {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, _input: ()) -> WorkflowResult<u32> {
        let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(10))
            .retry_policy(
                RetryPolicy::builder().initial_interval(Duration::from_millis(50)).build(),
            )
            .build();
        Ok(ctx.execute_activity(Activities::third_time_lucky, (), options).await?)
    }
}

/// One timer.
#[workflow]
#[derive(Default)]
pub struct Sleeper;

#[workflow_methods]
impl Sleeper {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, millis: u64) -> WorkflowResult<String> {
        ctx.timer(Duration::from_millis(millis)).await;
        Ok("awake".to_owned())
    }
}

/// Waits for signals, answers queries.
#[workflow]
#[derive(Default)]
pub struct Counter {
    count: i32,
}

#[workflow_methods]
impl Counter {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, target: i32) -> WorkflowResult<i32> {
        ctx.wait_condition(|counter| counter.count >= target).await?;
        Ok(ctx.state(|counter| counter.count))
    }

    #[signal]
    pub fn add(&mut self, _ctx: &mut SyncWorkflowContext<Self>, amount: i32) {
        self.count += amount;
    }

    #[query]
    pub fn count(&self, _ctx: &WorkflowContextView) -> i32 {
        self.count
    }
}

/// Continues as new until its number is zero.
#[workflow]
#[derive(Default)]
pub struct Countdown;

#[workflow_methods]
impl Countdown {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, number: u32) -> WorkflowResult<String> {
        if number > 0 {
            ctx.continue_as_new(number - 1, ContinueAsNewOptions::default())?;
        }
        Ok("lift-off".to_owned())
    }
}

/// Fails at once.
#[workflow]
#[derive(Default)]
pub struct Failing;

#[workflow_methods]
impl Failing {
    #[run]
    pub async fn run(_ctx: &mut WorkflowContext<Self>, text: String) -> WorkflowResult<()> {
        Err(ApplicationFailure::new(anyhow::anyhow!(text)).into())
    }
}
