//! What one RPC is.

use std::fmt;

/// A row of the table: everything that the edge needs to know about a method before it runs.
#[derive(Debug, PartialEq, Eq)]
pub struct Rpc {
    /// The bare name, such as `StartWorkflowExecution`.
    pub name: &'static str,
    /// The HTTP/2 path, such as `/temporal.api.workflowservice.v1.WorkflowService/…`.
    pub path: &'static str,
    /// The service that the method belongs to.
    pub service: Service,
    /// What a permission must cover.
    pub scope: Scope,
    /// The least right that is needed.
    pub access: Access,
    /// What the method works on.
    pub resource: ResourceKind,
    /// Whether it changes anything or waits.
    pub kind: Kind,
    /// How urgent it is under load.
    pub rate: RateClass,
    /// What the audit log keeps of a call.
    pub audit: Audit,
}

/// A service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// `temporal.api.workflowservice.v1.WorkflowService`.
    Workflow,
    /// `temporal.api.operatorservice.v1.OperatorService`.
    Operator,
    /// What only HTTP has: Nexus requests and completions from outside.
    Nexus,
    /// `longtide.admin.v1.AdminService`, of this server alone.
    Admin,
}

/// What a permission must cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole cluster.
    Cluster,
    /// The namespace that the request names.
    Namespace,
}

/// The least right that a call needs. `Admin` includes `Write`, which includes `Read` and
/// `Worker`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// None: clients ask before they have an identity.
    Open,
    /// Look, change nothing.
    Read,
    /// Poll for tasks and answer them. The reference asks for `Write` here.
    Worker,
    /// Start and change executions.
    Write,
    /// Change the namespace or the cluster itself.
    Admin,
}

/// What a method works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// The cluster.
    Cluster,
    /// A namespace.
    Namespace,
    /// One workflow.
    Workflow,
    /// Executions that a query selects.
    Executions,
    /// An activity.
    Activity,
    /// A task queue.
    TaskQueue,
    /// A worker process.
    Worker,
    /// A worker deployment or one of its versions.
    Deployment,
    /// A schedule.
    Schedule,
    /// A batch operation.
    Batch,
    /// A workflow rule.
    Rule,
    /// A Nexus operation.
    NexusOperation,
    /// A Nexus endpoint.
    NexusEndpoint,
    /// The search attributes of a namespace.
    SearchAttributes,
    /// An API key.
    ApiKey,
}

/// Whether a method changes anything, and whether it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Changes nothing, answers at once.
    Read,
    /// Changes something, answers at once.
    Write,
    /// May wait for something to happen, up to the caller's deadline.
    LongPoll,
}

/// How urgent a call is when there are more than the server takes (fact sheet section 21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateClass {
    /// What clients need to connect at all.
    System,
    /// Starts, signals and the completion of work: losing them loses work.
    Progress,
    /// Cancellations, resets, other changes, and reads of history.
    Change,
    /// Descriptions, queries and reported failures.
    Describe,
    /// Polls: a delayed one costs nothing but latency.
    Poll,
    /// Lists and counts; they have a rate of their own.
    Visibility,
    /// Changes of namespaces and of the cluster; they have a rate of their own.
    Operator,
}

impl RateClass {
    /// The priority under load; smaller numbers are served first.
    pub const fn priority(self) -> u8 {
        match self {
            Self::System => 0,
            Self::Progress => 1,
            Self::Change => 2,
            Self::Describe => 3,
            Self::Poll => 4,
            Self::Visibility => 5,
            Self::Operator => 6,
        }
    }
}

/// What the audit log keeps of a call's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audit {
    /// A count per principal and minute: worker traffic. Denials are kept each.
    Count,
    /// One record: who, what, verdict.
    Each,
    /// One record with the names that the request chose and its reason.
    Detail,
}

impl Service {
    /// The full name, as in the descriptor set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workflow => "temporal.api.workflowservice.v1.WorkflowService",
            Self::Operator => "temporal.api.operatorservice.v1.OperatorService",
            Self::Nexus => "temporal.api.nexusservice.v1.NexusService",
            Self::Admin => "longtide.admin.v1.AdminService",
        }
    }
}

impl fmt::Display for Rpc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}
