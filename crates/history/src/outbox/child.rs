//! Starting children.

use api::{
    common::v1::WorkflowExecution,
    enums::v1::{
        ParentClosePolicy, StartChildWorkflowExecutionFailedCause, WorkflowIdConflictPolicy,
        WorkflowIdReusePolicy,
    },
    history::v1::WorkflowExecutionStartedEventAttributes,
};
use engine::{
    Child, Inherited, Outcome, Rejection, Shared, Start, StartPolicy, State, merged_priority,
};
use matching::TaskQueueKey;
use model::RunId;

use super::{Source, closing};
use crate::{History, HistoryError, requests::start::StartRequest, versions};

/// Starts a child. Its run id follows from the event that asked for it, so that it is started once,
/// however often the parent asks. A parent that has closed before it knew of the start does not
/// start the child; one that is there all the same is dealt with by its policy.
pub(super) async fn start(
    history: &History,
    source: &Source,
    initiated_event_id: i64,
) -> Result<Outcome, HistoryError> {
    let released = Outcome::ChildReleased { initiated_event_id };
    let Some(child) = source.state.children.get(&initiated_event_id) else { return Ok(released) };
    let run_id = source.request_id(initiated_event_id);
    if !source.state.is_running() {
        let (workflow_id, policy) = (child.workflow_id(), child.parent_close_policy());
        if policy != ParentClosePolicy::Abandon {
            closing::close_child(history, source, workflow_id, &run_id.to_string(), policy).await?;
        }
        return Ok(released);
    }
    if !override_is_served(history, source, child) {
        let cause = StartChildWorkflowExecutionFailedCause::InvalidVersioningOverride;
        return Ok(Outcome::ChildStartFailed { initiated_event_id, cause });
    }
    let inherited = inherited(history, source, child);
    let request = request(source, initiated_event_id, child, run_id, inherited);
    match history.start_derived(&source.caller(), run_id, request).await {
        Ok(()) => Ok(Outcome::ChildStarted { initiated_event_id, run_id: run_id.to_string() }),
        Err(HistoryError::Rejected(rejection)) => {
            let cause = match rejection {
                Rejection::AlreadyStarted { .. } => {
                    StartChildWorkflowExecutionFailedCause::WorkflowAlreadyExists
                }
                other => return Err(HistoryError::Rejected(other)),
            };
            Ok(Outcome::ChildStartFailed { initiated_event_id, cause })
        }
        Err(error) => Err(error),
    }
}

/// A child can be moved only to a version whose workers poll its task queue.
fn override_is_served(history: &History, source: &Source, child: &Child) -> bool {
    let Some(initiated) = &child.initiated else { return true };
    let chosen = initiated.versioning_override.as_ref();
    let name = initiated.task_queue.as_ref().map_or("", |task_queue| &task_queue.name);
    let key = TaskQueueKey::workflow(source.namespace.id, name);
    let routes = history.node.matching.routes();
    chosen.is_none_or(|chosen| versions::override_refusal(chosen, &key, &routes.routes).is_none())
}

/// What the child takes over of its parent's version, which must serve the child's task queue.
fn inherited(history: &History, source: &Source, child: &Child) -> Inherited {
    let state = &source.state;
    let task_queue = child.initiated.as_ref().and_then(|initiated| initiated.task_queue.as_ref());
    let name = task_queue.map_or("", |task_queue| &task_queue.name);
    let key = TaskQueueKey::workflow(source.namespace.id, name);
    let serves = name == state.task_queue()
        || state.effective_version().is_some_and(|version| {
            let routes = history.node.matching.routes();
            routes.routes.serves(&versions::worker_version(version), &key)
        });
    Inherited::by_child(state, serves)
}

fn request(
    source: &Source,
    initiated_event_id: i64,
    child: &Child,
    run_id: RunId,
    inherited: Inherited,
) -> StartRequest {
    let initiated = child.initiated.as_ref().map(Shared::to_owned_message).unwrap_or_default();
    let parent = source.execution();
    let policy = StartPolicy {
        reuse: WorkflowIdReusePolicy::try_from(initiated.workflow_id_reuse_policy)
            .unwrap_or_default(),
        conflict: WorkflowIdConflictPolicy::Fail,
    };
    let attributes = WorkflowExecutionStartedEventAttributes {
        workflow_id: initiated.workflow_id,
        workflow_type: initiated.workflow_type,
        parent_workflow_namespace: source.namespace.name.clone(),
        parent_workflow_namespace_id: source.namespace.id_text.clone(),
        root_workflow_execution: Some(root(&source.state, &parent)),
        parent_workflow_execution: Some(parent),
        parent_initiated_event_id: initiated_event_id,
        task_queue: initiated.task_queue,
        input: initiated.input,
        workflow_execution_timeout: initiated.workflow_execution_timeout,
        workflow_run_timeout: initiated.workflow_run_timeout,
        workflow_task_timeout: initiated.workflow_task_timeout,
        retry_policy: initiated.retry_policy,
        cron_schedule: initiated.cron_schedule,
        memo: initiated.memo,
        search_attributes: initiated.search_attributes,
        header: initiated.header,
        time_skipping_config: initiated.time_skipping_config,
        time_skipping_state_propagation: initiated.time_skipping_state_propagation,
        priority: merged_priority(initiated.priority.as_ref(), source.state.priority.as_ref()),
        inherited_pinned_version: inherited.pinned_version,
        inherited_auto_upgrade_info: inherited.auto_upgrade,
        versioning_override: initiated.versioning_override.or(inherited.versioning_override),
        ..Default::default()
    };
    let start = Start {
        namespace_id: source.namespace.id_text.clone(),
        run_id: run_id.to_string(),
        // As the reference names it: the last number is the event's version.
        request_id: format!("{}:{initiated_event_id}:0", source.key.run_id),
        attributes,
        links: Vec::new(),
        user_metadata: child.user_metadata.as_ref().map(Shared::to_owned_message),
        signal: None,
        update: None,
    };
    StartRequest { start, policy, attach: None, eager: None }
}

/// The workflow at the top of the tree of parents and children.
fn root(parent: &State, parent_execution: &WorkflowExecution) -> WorkflowExecution {
    parent
        .started
        .as_ref()
        .and_then(|started| started.root_workflow_execution.clone())
        .unwrap_or_else(|| parent_execution.clone())
}
