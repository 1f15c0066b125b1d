//! What all commands of one answer share.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    enums::v1::WorkflowTaskFailedCause,
    protocol::v1::Message,
    sdk::v1::{EventGroupMarker, UserMetadata},
};

use crate::{
    Context, StartedActivity,
    commands::CommandError,
    draft::EventExtras,
    input::{CompleteWorkflowTask, SearchAttributesRefusal},
};

/// The answer that a command belongs to.
#[derive(Debug)]
pub(crate) struct CommandScope {
    /// The event that says that the task completed: command events refer to it.
    pub(crate) completed_event_id: i64,
    /// The worker.
    pub(crate) identity: String,
    /// Where it takes commands; empty when it takes none.
    pub(crate) worker_control_task_queue: String,
    /// The id under which eager activities are started.
    pub(crate) request_id: String,
    /// Summary and details of the command at hand.
    pub(crate) user_metadata: Option<UserMetadata>,
    /// How the workflow groups the event of the command at hand.
    pub(crate) event_group_markers: Vec<EventGroupMarker>,
    /// Why the search attributes of the command at hand are refused, if they are.
    pub(crate) search_attributes_refusal: Option<SearchAttributesRefusal>,
    /// The same for its versioning override.
    pub(crate) versioning_override_refusal: Option<String>,
    /// Why the server does not take what the command at hand asks of it, if it does not.
    pub(crate) nexus_operation_refusal: Option<String>,
    /// Activities that start at the worker itself.
    pub(crate) eager_activities: Vec<StartedActivity>,
    /// Workflow ids of the children that commands of this answer start.
    pub(crate) initiated_children: BTreeSet<String>,
    /// Ids of Nexus endpoints by name.
    pub(crate) nexus_endpoints: BTreeMap<String, String>,
    /// Messages that no command has named yet.
    pub(crate) messages: Vec<Message>,
    /// Updates that this answer rejects.
    pub(crate) rejected_updates: BTreeSet<String>,
    /// Other task queues that the run's version serves.
    pub(crate) version_task_queues: BTreeSet<String>,
    id_length_max: usize,
    blob_bytes_max: usize,
}

impl CommandScope {
    pub(crate) fn new(
        completed_event_id: i64,
        input: &CompleteWorkflowTask,
        context: &Context<'_>,
    ) -> Self {
        Self {
            completed_event_id,
            identity: input.identity.clone(),
            worker_control_task_queue: input.worker_control_task_queue.clone(),
            request_id: input.request_id.clone(),
            user_metadata: None,
            event_group_markers: Vec::new(),
            search_attributes_refusal: None,
            versioning_override_refusal: None,
            nexus_operation_refusal: None,
            eager_activities: Vec::new(),
            initiated_children: BTreeSet::new(),
            nexus_endpoints: input.nexus_endpoints.clone(),
            messages: input.messages.clone(),
            rejected_updates: BTreeSet::new(),
            version_task_queues: input.version_task_queues.clone(),
            id_length_max: context.limits.id_length_max,
            blob_bytes_max: context.limits.blob_bytes_max,
        }
    }

    /// Longest name or id, in bytes.
    pub(crate) const fn id_length_max(&self) -> usize {
        self.id_length_max
    }

    /// What the command's event carries besides its attributes.
    pub(crate) fn extras(&self) -> EventExtras {
        EventExtras {
            user_metadata: self.user_metadata.clone(),
            event_group_markers: self.event_group_markers.clone(),
            ..Default::default()
        }
    }

    /// The command's search attributes must have names that the namespace knows.
    pub(crate) fn check_search_attributes_known(&self) -> Result<(), CommandError> {
        match &self.search_attributes_refusal {
            Some(SearchAttributesRefusal::Unknown(text)) => {
                let cause = WorkflowTaskFailedCause::BadSearchAttributes;
                Err(CommandError::new(cause, text.clone()))
            }
            Some(SearchAttributesRefusal::Unfit(_)) | None => Ok(()),
        }
    }

    /// The command's search attributes must fit the namespace; `said` makes the text of what is
    /// wrong.
    pub(crate) fn check_search_attributes_fit(
        &self,
        said: impl FnOnce(&str) -> String,
    ) -> Result<(), CommandError> {
        match &self.search_attributes_refusal {
            Some(SearchAttributesRefusal::Unfit(text)) => {
                let cause = WorkflowTaskFailedCause::BadSearchAttributes;
                Err(CommandError::new(cause, said(text)))
            }
            Some(SearchAttributesRefusal::Unknown(_)) | None => Ok(()),
        }
    }

    /// An id must be there and must not be too long.
    pub(crate) fn check_id(
        &self,
        cause: WorkflowTaskFailedCause,
        field: &str,
        command: &str,
        id: &str,
    ) -> Result<(), CommandError> {
        if id.is_empty() {
            return Err(CommandError::new(cause, format!("{field} is not set on {command}.")));
        }
        self.check_length(cause, field, command, id)
    }

    /// An id must not be too long.
    pub(crate) fn check_length(
        &self,
        cause: WorkflowTaskFailedCause,
        field: &str,
        command: &str,
        id: &str,
    ) -> Result<(), CommandError> {
        if id.len() > self.id_length_max {
            let text = format!(
                "{field} on {command} exceeds length limit. {field}={id} Length={} Limit={}",
                id.len(),
                self.id_length_max
            );
            return Err(CommandError::new(cause, text));
        }
        Ok(())
    }

    /// A payload that is too large ends the run: sending it again would not make it smaller.
    pub(crate) fn check_blob(
        &self,
        cause: WorkflowTaskFailedCause,
        field: &str,
        bytes: usize,
    ) -> Result<(), CommandError> {
        if bytes > self.blob_bytes_max {
            return Err(CommandError::terminating(cause, format!("{field} exceeds size limit.")));
        }
        Ok(())
    }
}
