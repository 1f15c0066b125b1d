//! What schedules do outside of themselves.

use ::entity::Watcher;
use api::{
    common::v1::WorkflowExecution,
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    history::v1::WorkflowExecutionStartedEventAttributes,
};
use engine::{RequestCancel, Start, StartPolicy, Terminate};
use schedule::{Done, Schedule, StartWork, Work};

use super::{EntityScope, Perform};
use crate::{Execution, History, HistoryError, StartRequest, context::Caller};

impl Perform for Schedule {
    async fn perform(
        history: &History,
        scope: &EntityScope,
        number: u64,
        work: Work,
    ) -> Result<Done, HistoryError> {
        match work {
            Work::Start(work) => start(history, scope, number, *work).await,
            Work::Cancel(run) => {
                let input = engine::Input::RequestCancel(RequestCancel {
                    reason: "cancelled by schedule overlap policy".to_owned(),
                    identity: identity(scope),
                    ..RequestCancel::default()
                });
                stop(history, scope, &run, input).await
            }
            Work::Terminate(run) => {
                let input = engine::Input::Terminate(Terminate {
                    reason: "terminated by schedule overlap policy".to_owned(),
                    identity: identity(scope),
                    ..Terminate::default()
                });
                stop(history, scope, &run, input).await
            }
            Work::Look(runs) => {
                for run in &runs {
                    history.node.tell_if_closed(scope.namespace.id, run).await?;
                }
                Ok(Done::Looked)
            }
        }
    }
}

fn identity(scope: &EntityScope) -> String {
    format!("temporal-scheduler-{}-{}", scope.namespace.name, scope.key.id)
}

async fn start(
    history: &History,
    scope: &EntityScope,
    number: u64,
    work: StartWork,
) -> Result<Done, HistoryError> {
    let StartWork { workflow, allow_duplicate, last_completion_result, continued_failure } = work;
    let run_id = scope.derived_id(number);
    let watcher = Watcher { key: scope.key.clone(), instance: scope.instance };
    let attributes = WorkflowExecutionStartedEventAttributes {
        workflow_id: workflow.workflow_id,
        workflow_type: workflow.workflow_type,
        task_queue: workflow.task_queue,
        input: workflow.input,
        workflow_execution_timeout: workflow.workflow_execution_timeout,
        workflow_run_timeout: workflow.workflow_run_timeout,
        workflow_task_timeout: workflow.workflow_task_timeout,
        identity: identity(scope),
        retry_policy: workflow.retry_policy,
        memo: workflow.memo,
        search_attributes: workflow.search_attributes,
        header: workflow.header,
        versioning_override: workflow.versioning_override,
        priority: workflow.priority,
        last_completion_result,
        continued_failure,
        completion_callbacks: vec![watcher.to_callback()],
        ..WorkflowExecutionStartedEventAttributes::default()
    };
    let reuse = if allow_duplicate {
        WorkflowIdReusePolicy::AllowDuplicate
    } else {
        WorkflowIdReusePolicy::RejectDuplicate
    };
    let request = StartRequest {
        start: Start {
            request_id: run_id.to_string(),
            attributes,
            user_metadata: workflow.user_metadata,
            ..Start::default()
        },
        policy: StartPolicy { reuse, conflict: WorkflowIdConflictPolicy::Fail },
        attach: None,
        eager: None,
    };
    let caller = Caller::server(&scope.namespace);
    match history.start_derived(&caller, run_id, request).await {
        Ok(()) => Ok(Done::Started { run_id: run_id.to_string(), start_time: history.node.now() }),
        Err(HistoryError::Rejected(rejection)) => {
            tracing::debug!(%rejection, "a schedule could not start a workflow");
            Ok(Done::NotStarted)
        }
        Err(error) => Err(error),
    }
}

/// A run that has closed is told nothing.
async fn stop(
    history: &History,
    scope: &EntityScope,
    run: &WorkflowExecution,
    input: engine::Input,
) -> Result<Done, HistoryError> {
    let caller = Caller::server(&scope.namespace);
    let execution = Execution::current(run.workflow_id.as_str());
    match history.apply_checked(&caller, &execution, &run.run_id, input).await {
        Ok(_) | Err(HistoryError::Rejected(_)) => Ok(Done::Stopped),
        Err(error) => Err(error),
    }
}
