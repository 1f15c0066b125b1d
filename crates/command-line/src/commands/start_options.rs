//! How a workflow is started.

use api::{
    common::v1::{Memo, Payload, Priority, SearchAttributes, WorkflowType},
    sdk::v1::UserMetadata,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::StartWorkflowExecutionRequest,
};
use clap::Args;

use super::payload_input::some_header;
use crate::{
    context::Context,
    values::{self, Length},
};

/// What is started, and with which limits.
#[derive(Debug, Clone, Args)]
pub(crate) struct SharedStart {
    /// Workflow id; made up when missing.
    #[arg(long, short = 'w', value_name = "ID")]
    pub(crate) workflow_id: Option<String>,
    /// Workflow type.
    #[arg(long = "type", alias = "name", value_name = "NAME")]
    pub(crate) workflow_type: String,
    /// Task queue.
    #[arg(long, short = 't', value_name = "NAME")]
    pub(crate) task_queue: String,
    /// How long a run may take.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    pub(crate) run_timeout: Option<Length>,
    /// How long all its runs may take.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    pub(crate) execution_timeout: Option<Length>,
    /// How long a workflow task may take.
    #[arg(long, value_name = "DURATION", value_parser = values::length, default_value = "10s")]
    pub(crate) task_timeout: Length,
    /// Search attribute, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    pub(crate) search_attribute: Vec<(String, Payload)>,
    /// Header, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    pub(crate) headers: Vec<(String, Payload)>,
    /// Entry of the memo, its value as JSON. May be repeated.
    #[arg(long, value_name = "KEY=JSON", value_parser = values::json_pair)]
    pub(crate) memo: Vec<(String, Payload)>,
    /// What the run is for, in one line.
    #[arg(long, value_name = "TEXT")]
    pub(crate) static_summary: Option<String>,
    /// What the run is for, at length.
    #[arg(long, value_name = "TEXT")]
    pub(crate) static_details: Option<String>,
    /// Priority, 1 (highest) to 5.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub(crate) priority_key: i32,
    /// Whom the run's tasks belong to, for fairness.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) fairness_key: String,
    /// The weight of that key.
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, hide_default_value = true)]
    pub(crate) fairness_weight: f32,
}

/// What becomes of other runs with the same id, and when the run begins.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StartPolicy {
    /// Cron schedule.
    #[arg(long, value_name = "TEXT", hide = true)]
    pub(crate) cron: Option<String>,
    /// Fail when the workflow is there already.
    #[arg(long)]
    pub(crate) fail_existing: bool,
    /// How long to wait before the first workflow task.
    #[arg(long, value_name = "DURATION", value_parser = values::length)]
    pub(crate) start_delay: Option<Length>,
    /// When the id of a closed run may be used again: AllowDuplicate, AllowDuplicateFailedOnly,
    /// RejectDuplicate or TerminateIfRunning.
    #[arg(long, value_name = "POLICY", value_parser = values::id_reuse_policy)]
    pub(crate) id_reuse_policy: Option<i32>,
    /// What to do with an open run of the id: Fail, UseExisting or TerminateExisting.
    #[arg(long, value_name = "POLICY", value_parser = values::id_conflict_policy)]
    pub(crate) id_conflict_policy: Option<i32>,
}

impl SharedStart {
    pub(crate) fn memo(&self) -> Option<Memo> {
        (!self.memo.is_empty()).then(|| Memo { fields: self.memo.iter().cloned().collect() })
    }

    pub(crate) fn search_attributes(&self) -> Option<SearchAttributes> {
        search_attributes(&self.search_attribute)
    }

    pub(crate) fn user_metadata(&self) -> Option<UserMetadata> {
        user_metadata(self.static_summary.as_deref(), self.static_details.as_deref())
    }

    pub(crate) fn priority(&self) -> Option<Priority> {
        priority(self.priority_key, &self.fairness_key, self.fairness_weight)
    }

    pub(crate) fn workflow_type(&self) -> Option<WorkflowType> {
        Some(WorkflowType { name: self.workflow_type.clone() })
    }

    /// The request that starts the workflow, without its input.
    pub(crate) fn request(
        &self,
        policy: &StartPolicy,
        context: &Context,
    ) -> StartWorkflowExecutionRequest {
        StartWorkflowExecutionRequest {
            namespace: context.namespace(),
            workflow_id: self.workflow_id.clone().unwrap_or_else(|| context.id()),
            workflow_type: self.workflow_type(),
            task_queue: Some(task_queue(&self.task_queue)),
            workflow_execution_timeout: values::or_zero(self.execution_timeout),
            workflow_run_timeout: values::or_zero(self.run_timeout),
            workflow_task_timeout: self.task_timeout.proto(),
            identity: context.identity(),
            request_id: context.id(),
            workflow_id_reuse_policy: policy.id_reuse_policy.unwrap_or_default(),
            workflow_id_conflict_policy: policy.id_conflict_policy.unwrap_or_default(),
            cron_schedule: policy.cron.clone().unwrap_or_default(),
            memo: self.memo(),
            search_attributes: self.search_attributes(),
            header: Some(some_header(&self.headers)),
            workflow_start_delay: policy.start_delay.and_then(Length::proto),
            user_metadata: self.user_metadata(),
            priority: self.priority(),
            ..StartWorkflowExecutionRequest::default()
        }
    }
}

pub(crate) fn task_queue(name: &str) -> TaskQueue {
    TaskQueue { name: name.to_owned(), kind: 1, ..TaskQueue::default() }
}

pub(crate) fn search_attributes(pairs: &[(String, Payload)]) -> Option<SearchAttributes> {
    let fields = || pairs.iter().cloned().collect();
    (!pairs.is_empty()).then(|| SearchAttributes { indexed_fields: fields() })
}

pub(crate) fn user_metadata(summary: Option<&str>, details: Option<&str>) -> Option<UserMetadata> {
    let payload = |text: &str| values::json_payload(&text.into());
    (summary.is_some() || details.is_some())
        .then(|| UserMetadata { summary: summary.map(payload), details: details.map(payload) })
}

pub(crate) fn priority(key: i32, fairness_key: &str, fairness_weight: f32) -> Option<Priority> {
    let priority =
        Priority { priority_key: key, fairness_key: fairness_key.to_owned(), fairness_weight };
    (priority != Priority::default()).then_some(priority)
}
