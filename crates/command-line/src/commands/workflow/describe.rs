//! `workflow describe`.

use api::{
    enums::v1::WorkflowExecutionStatus,
    history::v1::HistoryEvent,
    workflow::v1::WorkflowExecutionInfo,
    workflowservice::v1::{DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse},
};
use clap::Args;
use serde_json::{Value, json};

use super::{history, outcome};
use crate::{
    columns::{self, Column, enumeration, plain, time},
    commands::{go, target::WorkflowReference},
    context::Context,
    error::Result,
    paint::paint_of,
    proto_json,
    values::camel,
};

/// See `workflow describe`.
#[derive(Debug, Args)]
pub struct Describe {
    #[command(flatten)]
    workflow: WorkflowReference,
    /// Show the points to which a reset by build id goes, and nothing else.
    #[arg(long)]
    reset_points: bool,
    /// Show the answer as the server sent it.
    #[arg(long)]
    raw: bool,
}

const POINTS: &[Column] = &[
    plain("BinaryChecksum", "/BinaryChecksum"),
    time("CreateTime", "/CreateTime"),
    plain("RunId", "/RunId"),
    plain("EventId", "/EventId"),
];

const ACTIVITIES: &[Column] = &[
    plain("ActivityId", "/activityId"),
    plain("Type", "/activityType/name"),
    enumeration("State", "/state", "PENDING_ACTIVITY_STATE_"),
    plain("Attempt", "/attempt"),
    plain("MaximumAttempts", "/maximumAttempts"),
    time("ScheduledTime", "/scheduledTime"),
    time("LastStartedTime", "/lastStartedTime"),
    plain("LastWorkerIdentity", "/lastWorkerIdentity"),
    plain("LastFailure", "/lastFailure/message"),
];

const CHILDREN: &[Column] = &[
    plain("WorkflowId", "/workflowId"),
    plain("RunId", "/runId"),
    plain("Type", "/workflowTypeName"),
    plain("InitiatedId", "/initiatedId"),
    enumeration("ParentClosePolicy", "/parentClosePolicy", "PARENT_CLOSE_POLICY_"),
];

const OPERATIONS: &[Column] = &[
    plain("Endpoint", "/endpoint"),
    plain("Service", "/service"),
    plain("Operation", "/operation"),
    plain("OperationToken", "/operationToken"),
    enumeration("State", "/state", "PENDING_NEXUS_OPERATION_STATE_"),
    plain("Attempt", "/attempt"),
    plain("LastAttemptFailure", "/lastAttemptFailure/message"),
];

const CALLBACKS: &[Column] = &[
    plain("URL", "/callback/nexus/url"),
    enumeration("State", "/state", "CALLBACK_STATE_"),
    plain("Attempt", "/attempt"),
    time("RegistrationTime", "/registrationTime"),
    plain("LastAttemptFailure", "/lastAttemptFailure/message"),
];

impl Describe {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let request = DescribeWorkflowExecutionRequest {
            namespace: context.namespace(),
            execution: self.workflow.execution(),
        };
        let answer = context.call(request).await?;
        let info = answer.workflow_execution_info.clone().unwrap_or_default();
        if self.reset_points {
            return reset_points(context, &answer);
        }
        let close = if info.status() == WorkflowExecutionStatus::Running
            || info.status() == WorkflowExecutionStatus::Paused
        {
            None
        } else {
            let execution = info.execution.clone().unwrap_or_default();
            Some(history::closing_event_of_run(context, execution).await?)
        };
        let mut value = context.json(&answer)?;
        if context.output.is_data() {
            if let (Some(event), Value::Object(object)) = (&close, &mut value) {
                object.insert("closeEvent".to_owned(), context.json(event)?);
                if let Some(result) = outcome::result(context, event)? {
                    object.insert("result".to_owned(), result);
                }
            }
            return context.output.data(&value);
        }
        if self.raw {
            return context.output.document(&value);
        }
        print(context, &info, &value, close.as_ref())
    }
}

fn reset_points(context: &mut Context, answer: &DescribeWorkflowExecutionResponse) -> Result {
    let info = answer.workflow_execution_info.as_ref();
    let points = info.and_then(|info| info.auto_reset_points.as_ref());
    // The names of the reference's answer, which is no message of the API.
    let points = points.iter().flat_map(|points| &points.points).map(|point| {
        json!({
            "BinaryChecksum": point.binary_checksum,
            "CreateTime": go::time(point.create_time.as_ref()),
            "RunId": point.run_id,
            "EventId": point.first_workflow_task_completed_id,
        })
    });
    let points: Vec<_> = points.collect();
    if context.output.is_data() {
        return context.output.data(&points.into());
    }
    context.output.heading(&format!("Auto Reset Points: {}", points.len()))?;
    context.output.list(POINTS, &points)
}

/// The description for people.
fn print(
    context: &mut Context,
    info: &WorkflowExecutionInfo,
    value: &Value,
    close: Option<&HistoryEvent>,
) -> Result {
    let at = |path: &str| columns::text(value.pointer(path).unwrap_or(&Value::Null));
    let when = |context: &Context, path: &str| {
        let text = at(path);
        if text.is_empty() { text } else { context.output.time(&text) }
    };
    let of_info = |path: &str| at(&format!("/workflowExecutionInfo{path}"));
    let status = info.status().as_str_name();
    let status = camel(status.strip_prefix("WORKFLOW_EXECUTION_STATUS_").unwrap_or(status));
    let status = context.output.paint(&status, paint_of(&status));
    context.output.heading("Execution Info:")?;
    let fields = [
        ("WorkflowId", of_info("/execution/workflowId")),
        ("RunId", of_info("/execution/runId")),
        ("Type", of_info("/type/name")),
        ("Status", status),
        ("Namespace", context.namespace()),
        ("TaskQueue", of_info("/taskQueue")),
        ("StartTime", when(context, "/workflowExecutionInfo/startTime")),
        ("CloseTime", when(context, "/workflowExecutionInfo/closeTime")),
        ("ExecutionTime", when(context, "/workflowExecutionInfo/executionTime")),
        ("Memo", entries(info.memo.as_ref().map(|memo| &memo.fields))),
        ("SearchAttributes", entries(info.search_attributes.as_ref().map(|it| &it.indexed_fields))),
        ("StateTransitionCount", of_info("/stateTransitionCount")),
        ("HistoryLength", of_info("/historyLength")),
        ("HistorySize", of_info("/historySizeBytes")),
        ("ParentWorkflowId", of_info("/parentExecution/workflowId")),
        ("ParentRunId", of_info("/parentExecution/runId")),
        ("RootWorkflowId", of_info("/rootExecution/workflowId")),
        ("RootRunId", of_info("/rootExecution/runId")),
        ("Behavior", of_info("/versioningInfo/behavior")),
        ("DeploymentName", of_info("/versioningInfo/deploymentVersion/deploymentName")),
        ("BuildId", of_info("/versioningInfo/deploymentVersion/buildId")),
    ];
    context.output.card(&fields)?;
    context.output.heading("Extended Execution Info:")?;
    let extended = [
        ("CancelRequested", at("/workflowExtendedInfo/cancelRequested")),
        ("RunExpirationTime", when(context, "/workflowExtendedInfo/runExpirationTime")),
        ("OriginalStartTime", when(context, "/workflowExtendedInfo/originalStartTime")),
        ("LastResetTime", when(context, "/workflowExtendedInfo/lastResetTime")),
        ("PausedBy", at("/workflowExtendedInfo/pauseInfo/identity")),
        ("PauseReason", at("/workflowExtendedInfo/pauseInfo/reason")),
        ("PausedTime", when(context, "/workflowExtendedInfo/pauseInfo/pausedTime")),
        ("StaticSummary", at("/executionConfig/userMetadata/summary")),
        ("StaticDetails", at("/executionConfig/userMetadata/details")),
    ];
    context.output.card(&extended)?;
    let lists = [
        ("Callbacks", "/callbacks", CALLBACKS, false),
        ("Pending Activities", "/pendingActivities", ACTIVITIES, close.is_none()),
        ("Pending Child Workflows", "/pendingChildren", CHILDREN, close.is_none()),
        ("Pending Nexus Operations", "/pendingNexusOperations", OPERATIONS, close.is_none()),
    ];
    for (heading, path, columns, always) in lists {
        let rows = value.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
        if always || !rows.is_empty() {
            context.output.heading(&format!("{heading}: {}", rows.len()))?;
            context.output.list(columns, &rows)?;
        }
    }
    match close {
        Some(event) => outcome::print(context, event, run_time(info)),
        None => Ok(()),
    }
}

/// Payloads by name, for people.
fn entries(
    fields: Option<&std::collections::BTreeMap<String, api::common::v1::Payload>>,
) -> String {
    let fields = fields.into_iter().flatten();
    let fields = fields.map(|(name, payload)| format!("{name}={}", proto_json::value(payload)));
    fields.collect::<Vec<_>>().join(" ")
}

fn run_time(info: &WorkflowExecutionInfo) -> Option<i64> {
    let millis =
        |time: &prost_types::Timestamp| time.seconds * 1000 + i64::from(time.nanos) / 1_000_000;
    Some(millis(info.close_time.as_ref()?) - millis(info.start_time.as_ref()?))
}
