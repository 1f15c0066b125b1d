//! What a call is about.

/// What a call is about, as far as the request says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resource<'a> {
    /// The namespace's name; empty when the request names none.
    pub namespace: &'a str,
    /// What it names in it.
    pub details: Details<'a>,
    /// What else the call does, as if each were a call of its own: whoever may not make those may
    /// not make this.
    pub parts: &'a [Part<'a>],
}

/// A call that another does as a part of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The method's bare name.
    pub rpc: &'static str,
    /// What it names.
    pub details: Details<'a>,
}

/// What a request names in its namespace. Empty texts stand for what it does not name: a signal by
/// a workflow's id says nothing of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Details<'a> {
    /// The type of the workflow that is started.
    pub workflow_type: &'a str,
    /// The workflow's id.
    pub workflow_id: &'a str,
    /// The task queue.
    pub task_queue: &'a str,
    /// The type of the activity that is started.
    pub activity_type: &'a str,
    /// The signal's name.
    pub signal_name: &'a str,
    /// The query's name.
    pub query_name: &'a str,
    /// The update's name.
    pub update_name: &'a str,
    /// The schedule's id.
    pub schedule_id: &'a str,
    /// The id of an activity that no workflow runs, or that its workflow gave it.
    pub activity_id: &'a str,
    /// The id of a Nexus operation that no workflow waits for.
    pub operation_id: &'a str,
    /// The name of a Nexus endpoint.
    pub endpoint: &'a str,
    /// The name of a worker deployment.
    pub deployment_name: &'a str,
    /// The query that finds what a batch operation is about.
    pub visibility_query: &'a str,
}

impl<'a> Resource<'a> {
    /// The cluster itself.
    pub const CLUSTER: Self = Self::in_namespace("");

    /// Something in a namespace.
    pub const fn in_namespace(namespace: &'a str) -> Self {
        let details = Details {
            workflow_type: "",
            workflow_id: "",
            task_queue: "",
            activity_type: "",
            signal_name: "",
            query_name: "",
            update_name: "",
            schedule_id: "",
            activity_id: "",
            operation_id: "",
            endpoint: "",
            deployment_name: "",
            visibility_query: "",
        };
        Self { namespace, details, parts: &[] }
    }

    /// The same, with what the request names.
    #[must_use]
    pub const fn about(self, details: Details<'a>) -> Self {
        Self { details, ..self }
    }

    /// The same, with what else the call does.
    #[must_use]
    pub const fn with_parts(self, parts: &'a [Part<'a>]) -> Self {
        Self { parts, ..self }
    }
}

impl<'a> Details<'a> {
    /// What is named, each with its name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        [
            ("workflowType", self.workflow_type),
            ("workflowId", self.workflow_id),
            ("taskQueue", self.task_queue),
            ("activityType", self.activity_type),
            ("signalName", self.signal_name),
            ("queryName", self.query_name),
            ("updateName", self.update_name),
            ("scheduleId", self.schedule_id),
            ("activityId", self.activity_id),
            ("operationId", self.operation_id),
            ("endpoint", self.endpoint),
            ("deploymentName", self.deployment_name),
            ("visibilityQuery", self.visibility_query),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }
}

/// The names that [`Details::named`] gives.
pub const DETAIL_NAMES: &[&str] = &[
    "workflowType",
    "workflowId",
    "taskQueue",
    "activityType",
    "signalName",
    "queryName",
    "updateName",
    "scheduleId",
    "activityId",
    "operationId",
    "endpoint",
    "deploymentName",
    "visibilityQuery",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_the_list() {
        let details = Details {
            workflow_type: "x",
            workflow_id: "x",
            task_queue: "x",
            activity_type: "x",
            signal_name: "x",
            query_name: "x",
            update_name: "x",
            schedule_id: "x",
            activity_id: "x",
            operation_id: "x",
            endpoint: "x",
            deployment_name: "x",
            visibility_query: "x",
        };
        let names: Vec<&str> = details.named().map(|(name, _)| name).collect();
        assert_eq!(names, DETAIL_NAMES);
        assert_eq!(Details::default().named().count(), 0);
    }
}
