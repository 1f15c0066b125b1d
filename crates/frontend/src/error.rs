//! Errors as clients see them: a code, a text, and a detail message (fact sheet section 20).

use api::{
    enums::v1::{NamespaceState, ResourceExhaustedCause, ResourceExhaustedScope},
    errordetails::v1::{
        ActivityExecutionAlreadyStartedFailure, MultiOperationExecutionFailure,
        NamespaceAlreadyExistsFailure, NamespaceInvalidStateFailure, NamespaceNotFoundFailure,
        NexusOperationExecutionAlreadyStartedFailure, NotFoundFailure, PermissionDeniedFailure,
        QueryFailedFailure, ResourceExhaustedFailure, WorkflowExecutionAlreadyStartedFailure,
        WorkflowNotReadyFailure, WorkflowTaskCompletionBufferLostFailure,
        multi_operation_execution_failure::OperationStatus,
    },
    failure::v1::{Failure, MultiOperationExecutionAborted},
};
use deployment::DeploymentError;
use engine::Rejection;
use history::HistoryError;
use namespace::NamespaceError;
use prost::Message;
use prost_types::Any;
use telemetry::ErrorType;
use tonic::{Code, Status};

/// Longest error text that is sent, in bytes, as in the reference.
const MESSAGE_BYTES_MAX: usize = 4000;

/// A refused or failed request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    code: Code,
    kind: ErrorType,
    message: String,
    detail: Option<Box<Any>>,
    /// What decided that a call may not run. Callers never learn it.
    reason: Option<Box<str>>,
}

pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    fn new(code: Code, message: impl Into<String>) -> Self {
        let kind = ErrorType::from_grpc_code(code as i32);
        Self { code, kind, message: message.into(), detail: None, reason: None }
    }

    /// The code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// The text.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What decided that a call may not run, for the audit log.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Notes what decided.
    pub(crate) fn because(self, reason: impl Into<Box<str>>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    fn kind(self, kind: ErrorType) -> Self {
        Self { kind, ..self }
    }

    /// Attaches a message of `temporal.api.errordetails.v1`.
    fn detail(self, name: &str, message: &impl Message) -> Self {
        let any = Any {
            type_url: format!("type.googleapis.com/temporal.api.errordetails.v1.{name}"),
            value: message.encode_to_vec(),
        };
        Self { detail: Some(Box::new(any)), ..self }
    }

    /// The request makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// Nothing has this id.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message).detail("NotFoundFailure", &NotFoundFailure::default())
    }

    /// Something has this name.
    pub(crate) fn already_exists(message: impl Into<String>) -> Self {
        Self::new(Code::AlreadyExists, message)
    }

    /// The state of the thing does not allow it.
    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    /// The run has not got far enough.
    pub(crate) fn not_ready(message: impl Into<String>) -> Self {
        Self::precondition(message).detail("WorkflowNotReadyFailure", &WorkflowNotReadyFailure {})
    }

    /// Not built.
    pub(crate) fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, message)
    }

    /// No rule allows it. The text tells the caller nothing else.
    pub(crate) fn permission_denied() -> Self {
        Self::disabled("Request unauthorized.")
    }

    /// The feature is switched off.
    pub(crate) fn disabled(message: impl Into<String>) -> Self {
        Self::new(Code::PermissionDenied, message)
            .detail("PermissionDeniedFailure", &PermissionDeniedFailure::default())
    }

    /// The server cannot serve this for the moment; the caller tries again.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, message)
    }

    /// The caller's deadline passed.
    pub(crate) fn deadline_exceeded() -> Self {
        Self::new(Code::DeadlineExceeded, "context deadline exceeded")
    }

    /// A bug or a damaged record. What happened goes to the log, not to the caller.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self::new(Code::Internal, "something went wrong, please retry")
    }

    /// A limit was reached.
    pub(crate) fn exhausted(
        cause: ResourceExhaustedCause,
        scope: ResourceExhaustedScope,
        message: impl Into<String>,
    ) -> Self {
        let failure = ResourceExhaustedFailure { cause: cause as i32, scope: scope as i32 };
        Self::new(Code::ResourceExhausted, message).detail("ResourceExhaustedFailure", &failure)
    }

    /// No namespace has this name or id.
    pub(crate) fn namespace_not_found(namespace: &str) -> Self {
        let failure = NamespaceNotFoundFailure { namespace: namespace.to_owned() };
        Self::new(Code::NotFound, format!("Namespace {namespace} is not found."))
            .kind(ErrorType::NamespaceNotFound)
            .detail("NamespaceNotFoundFailure", &failure)
    }

    /// The namespace's name is taken.
    pub(crate) fn namespace_already_exists(namespace: &str) -> Self {
        Self::new(Code::AlreadyExists, format!("Namespace \"{namespace}\" already exists"))
            .detail("NamespaceAlreadyExistsFailure", &NamespaceAlreadyExistsFailure {})
    }

    /// The namespace is deprecated or deleted.
    pub(crate) fn namespace_state(
        namespace: &str,
        state: NamespaceState,
        allowed: &[NamespaceState],
    ) -> Self {
        let names: Vec<&str> = allowed.iter().map(|state| state_name(*state)).collect();
        let text = format!(
            "Namespace has invalid state: {}. Must be {}.",
            state_name(state),
            names.join(" or ")
        );
        let failure = NamespaceInvalidStateFailure {
            namespace: namespace.to_owned(),
            state: state as i32,
            allowed_states: allowed.iter().map(|state| *state as i32).collect(),
        };
        Self::precondition(text).detail("NamespaceInvalidStateFailure", &failure)
    }

    /// The worker's query handler failed.
    pub(crate) fn query_failed(message: impl Into<String>, failure: Option<Failure>) -> Self {
        Self::invalid(message)
            .kind(ErrorType::QueryFailed)
            .detail("QueryFailedFailure", &QueryFailedFailure { failure })
    }

    /// A schedule has this id.
    pub(crate) fn schedule_already_exists(id: &str) -> Self {
        let failure = WorkflowExecutionAlreadyStartedFailure::default();
        Self::new(Code::AlreadyExists, format!("schedule {id:?} is already registered"))
            .kind(ErrorType::WorkflowExecutionAlreadyStarted)
            .detail("WorkflowExecutionAlreadyStartedFailure", &failure)
    }

    /// An activity that no workflow runs has this id.
    pub(crate) fn activity_already_started(
        message: String,
        start_request_id: String,
        run_id: String,
    ) -> Self {
        let failure = ActivityExecutionAlreadyStartedFailure { start_request_id, run_id };
        Self::new(Code::AlreadyExists, message)
            .detail("ActivityExecutionAlreadyStartedFailure", &failure)
    }

    /// A Nexus operation that no workflow waits for has this id.
    pub(crate) fn nexus_operation_already_started(
        message: String,
        start_request_id: String,
        run_id: String,
    ) -> Self {
        let failure = NexusOperationExecutionAlreadyStartedFailure { start_request_id, run_id };
        Self::new(Code::AlreadyExists, message)
            .detail("NexusOperationExecutionAlreadyStartedFailure", &failure)
    }

    /// The same refusal with words before it.
    pub(crate) fn prefixed(self, prefix: &str) -> Self {
        Self { message: format!("{prefix}{}", self.message), ..self }
    }

    /// Something of another kind than a run has this id, for which a run stands in the reference.
    pub(crate) fn already_started(
        message: String,
        failure: &WorkflowExecutionAlreadyStartedFailure,
    ) -> Self {
        Self::new(Code::AlreadyExists, message)
            .kind(ErrorType::WorkflowExecutionAlreadyStarted)
            .detail("WorkflowExecutionAlreadyStartedFailure", failure)
    }

    /// One of several operations was not carried out because another failed.
    pub(crate) fn operation_aborted() -> Self {
        let any = Any {
            type_url: "type.googleapis.com/temporal.api.failure.v1.MultiOperationExecutionAborted"
                .to_owned(),
            value: MultiOperationExecutionAborted {}.encode_to_vec(),
        };
        let error = Self::new(Code::Aborted, "Operation was aborted.");
        Self { detail: Some(Box::new(any)), ..error }
    }

    /// Several operations failed as one; none for an operation that succeeded. The code is that
    /// of the first one that was not just aborted.
    pub(crate) fn multi_operation<const N: usize>(
        message: &str,
        errors: [Option<Self>; N],
    ) -> Self {
        let culprit = errors.iter().flatten().find(|error| !error.is_operation_aborted());
        let (code, kind) =
            culprit.map_or((Code::Aborted, None), |error| (error.code, Some(error.kind)));
        let status = |error: Option<Self>| match error {
            None => OperationStatus::default(),
            Some(error) => OperationStatus {
                code: error.code as i32,
                message: error.message,
                details: error.detail.map(|detail| *detail).into_iter().collect(),
            },
        };
        let statuses = errors.map(status).into();
        let failure = MultiOperationExecutionFailure { statuses };
        let error = Self::new(code, message).detail("MultiOperationExecutionFailure", &failure);
        Self { kind: kind.unwrap_or(error.kind), ..error }
    }

    fn is_operation_aborted(&self) -> bool {
        let detail = self.detail.as_ref();
        detail.is_some_and(|detail| detail.type_url.ends_with(".MultiOperationExecutionAborted"))
    }

    /// What the metrics count.
    pub(crate) const fn error_type(&self) -> ErrorType {
        self.kind
    }

    /// The gRPC status, with `grpc-status-details-bin` when there is a detail.
    pub(crate) fn into_status(mut self) -> Status {
        if self.message.len() > MESSAGE_BYTES_MAX {
            let end = (0..=MESSAGE_BYTES_MAX).rev().find(|end| self.message.is_char_boundary(*end));
            self.message.truncate(end.unwrap_or(0));
        }
        let Some(detail) = self.detail else {
            return Status::new(self.code, self.message);
        };
        let status = api::google::rpc::Status {
            code: self.code as i32,
            message: self.message.clone(),
            details: vec![*detail],
        };
        Status::with_details(self.code, self.message, status.encode_to_vec().into())
    }
}

const fn state_name(state: NamespaceState) -> &'static str {
    match state {
        NamespaceState::Unspecified => "Unspecified",
        NamespaceState::Registered => "Registered",
        NamespaceState::Deprecated => "Deprecated",
        NamespaceState::Deleted => "Deleted",
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let message = rejection.to_string();
        match rejection {
            Rejection::WorkflowNotFound { .. }
            | Rejection::RunNotFound { .. }
            | Rejection::ChainNotFound
            | Rejection::ParentMismatch
            | Rejection::WorkflowClosed
            | Rejection::WorkflowTaskNotFound
            | Rejection::WorkflowTaskHeartbeatTimeout
            | Rejection::ActivityNotFound
            | Rejection::ActivityIdNotFound(_)
            | Rejection::PendingActivityNotFound
            | Rejection::NexusOperationNotFound
            | Rejection::TaskObsolete
            | Rejection::UpdateNotFound(_)
            | Rejection::UpdateAbortedByClosing => Self::not_found(message),
            Rejection::AlreadyStarted {
                start_request_id, run_id, first_execution_run_id, ..
            } => {
                let failure = WorkflowExecutionAlreadyStartedFailure {
                    start_request_id,
                    run_id,
                    first_execution_run_id,
                };
                Self::new(Code::AlreadyExists, message)
                    .kind(ErrorType::WorkflowExecutionAlreadyStarted)
                    .detail("WorkflowExecutionAlreadyStartedFailure", &failure)
            }
            Rejection::InvalidArgument(_) => Self::invalid(message),
            Rejection::BusyWorkflow(_) => Self::exhausted(
                ResourceExhaustedCause::BusyWorkflow,
                ResourceExhaustedScope::Namespace,
                message,
            ),
            Rejection::ConcurrentLimit(_) => Self::exhausted(
                ResourceExhaustedCause::ConcurrentLimit,
                ResourceExhaustedScope::Namespace,
                message,
            ),
            Rejection::WorkflowNotReady(_) => Self::not_ready(message),
            Rejection::FailedPrecondition(_) | Rejection::QueryRejected(_) => {
                Self::precondition(message)
            }
        }
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Rejected(rejection) => rejection.into(),
            HistoryError::Unavailable(message) => Self::unavailable(message),
            HistoryError::Damaged(damage) => {
                tracing::error!(%damage, "a stored record cannot be read");
                Self::new(Code::DataLoss, damage.to_string()).kind(ErrorType::DataLoss)
            }
            HistoryError::ResourceExhausted(message) => Self::exhausted(
                ResourceExhaustedCause::SystemOverloaded,
                ResourceExhaustedScope::System,
                message,
            ),
            HistoryError::CompletionPagesLost(message) => {
                let failure = WorkflowTaskCompletionBufferLostFailure::default();
                Self::new(Code::Aborted, message)
                    .detail("WorkflowTaskCompletionBufferLostFailure", &failure)
            }
            HistoryError::Aborted(message) => Self::new(Code::Aborted, message),
            HistoryError::DeadlineExceeded => Self::deadline_exceeded(),
        }
    }
}

impl From<DeploymentError> for ApiError {
    fn from(error: DeploymentError) -> Self {
        let message = error.to_string();
        match error {
            DeploymentError::NotFound(_)
            | DeploymentError::VersionNotFound { .. }
            | DeploymentError::Missing(_) => Self::not_found(message),
            DeploymentError::Invalid(_) => Self::invalid(message),
            DeploymentError::AlreadyExists(_) => Self::already_exists(message),
            DeploymentError::Precondition(_) => Self::precondition(message),
            DeploymentError::TooMany(_) => Self::exhausted(
                ResourceExhaustedCause::WorkerDeploymentLimits,
                ResourceExhaustedScope::Namespace,
                message,
            ),
            DeploymentError::Unavailable(_) => Self::unavailable(message),
            DeploymentError::Damaged(_) => Self::internal(&message),
        }
    }
}

impl From<NamespaceError> for ApiError {
    fn from(error: NamespaceError) -> Self {
        match error {
            NamespaceError::NotFound(name) => Self::namespace_not_found(&name),
            NamespaceError::AlreadyExists(name) => Self::namespace_already_exists(&name),
            NamespaceError::SystemNamespace => Self::precondition(error.to_string()),
            NamespaceError::TooMany(_) => Self::exhausted(
                ResourceExhaustedCause::Unspecified,
                ResourceExhaustedScope::System,
                error.to_string(),
            ),
            NamespaceError::Unavailable(_) => Self::unavailable(error.to_string()),
            NamespaceError::Damaged(_) => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_its_detail_as_any() {
        let rejection = Rejection::AlreadyStarted {
            message: "Workflow execution is already running.".to_owned(),
            start_request_id: "request".to_owned(),
            run_id: "run".to_owned(),
            first_execution_run_id: "first".to_owned(),
        };
        let status = ApiError::from(rejection).into_status();
        assert_eq!(status.code(), Code::AlreadyExists);
        let details = api::google::rpc::Status::decode(status.details()).unwrap();
        assert_eq!(details.code, 6);
        let any = details.details.first().unwrap();
        assert_eq!(
            any.type_url,
            "type.googleapis.com/temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure"
        );
        let failure = WorkflowExecutionAlreadyStartedFailure::decode(any.value.as_slice()).unwrap();
        assert_eq!(failure.first_execution_run_id, "first");
    }

    #[test]
    fn a_validation_error_has_no_detail() {
        let status = ApiError::invalid("WorkflowId is not set on request.").into_status();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.details().is_empty());
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let status = ApiError::invalid("é".repeat(4001)).into_status();
        assert_eq!(status.message().len(), MESSAGE_BYTES_MAX);
    }
}
