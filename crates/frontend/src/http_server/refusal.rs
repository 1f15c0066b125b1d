//! Admission of requests over HTTP, and errors as Nexus says them.

use std::sync::Arc;

use audit::{Names, Pending};
use authz::{Caller, Permit, Resource, Rpc};
use http::StatusCode;
use model::Span;
use namespace::Namespace;
use nexus_protocol::{HandlerError, HandlerErrorKind as Kind};
use telemetry::RequestInFlight;
use tonic::Code;

use super::Answer;
use crate::{
    admission::check_state,
    auditing::{Asked, code_name},
    error::ApiError,
    frontend::Frontend,
};

/// Who calls, as the connection has found out.
pub(super) fn caller_of(extensions: &http::Extensions) -> Caller {
    extensions.get().cloned().unwrap_or_else(Caller::anonymous)
}

/// A request between admission and answer.
#[derive(Debug)]
pub(super) struct Admitted {
    /// The proof that it may run.
    pub(super) permit: Permit,
    metrics: RequestInFlight,
    started: Span,
    record: Option<Pending>,
}

impl Frontend {
    /// Decides whether a request may run, before anything is looked up for the caller: who may not
    /// ask does not learn what exists. `namespace` is empty when the request leads to none, which
    /// is nobody's business but the system's.
    pub(super) async fn permit_http(
        &self,
        rpc: &'static Rpc,
        extensions: &http::Extensions,
        resource: Resource<'_>,
    ) -> Result<Permit, HandlerError> {
        let caller = caller_of(extensions);
        let permitted = self.permit(rpc, &caller, resource).await;
        permitted.map_err(|error| {
            let asked = Asked { rpc, extensions, namespace: resource.namespace };
            // What was denied is told at once: there is nothing to wait for.
            drop(self.audit(&asked, || names_of(resource), Err(&error)));
            let metrics = self.metrics.request(rpc.name, "");
            metrics.begin().end(std::time::Duration::ZERO, Some(error.error_type()));
            to_handler_error(&error, false)
        })
    }

    /// Settles the limits of a request over HTTP to a namespace.
    pub(super) fn admit_http(
        &self,
        permit: Permit,
        parts: &http::request::Parts,
        namespace: &Arc<Namespace>,
        names: Names,
    ) -> Result<Admitted, HandlerError> {
        let started = self.environment.clock.monotonic();
        let rpc = permit.rpc();
        let metrics = self.metrics.request(rpc.name, &namespace.name).begin();
        let settled = self.settle_http(&permit, namespace);
        let decided = settled.as_ref().map(|()| &permit).map_err(|(error, _)| error);
        let asked = Asked { rpc, extensions: &parts.extensions, namespace: &namespace.name };
        let record = self.audit(&asked, || names, decided);
        match settled {
            Ok(()) => Ok(Admitted { permit, metrics, started, record }),
            Err((error, is_told)) => {
                let latency = self.environment.clock.monotonic() - started;
                metrics.end(latency.to_std(), Some(error.error_type()));
                Err(to_handler_error(&error, is_told))
            }
        }
    }

    /// The error, and whether its text is the caller's business.
    fn settle_http(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
    ) -> Result<(), (ApiError, bool)> {
        self.check_audit(permit.rpc(), &namespace.name).map_err(|error| (error, true))?;
        check_state(permit.rpc(), namespace).map_err(|error| (error, false))?;
        let namespace = Some(namespace.as_ref());
        let admitted = self.limiter.admit(permit.rpc(), namespace, permit.principal());
        // None of these methods is a long poll, so that there is nothing to hold.
        drop(admitted.map_err(|error| (error, true))?);
        Ok(())
    }

    /// Counts a request that was admitted.
    pub(super) async fn finish_http(&self, admitted: Admitted, answer: Answer) -> Answer {
        let latency = self.environment.clock.monotonic() - admitted.started;
        let status = answer.status();
        let failed = (status.is_client_error() && status.as_u16() != 424)
            .then_some(telemetry::ErrorType::InvalidArgument)
            .or_else(|| status.is_server_error().then_some(telemetry::ErrorType::Internal));
        admitted.metrics.end(latency.to_std(), failed);
        if let Some(record) = admitted.record {
            record.answered(outcome_of(status)).await;
        }
        answer
    }
}

/// What a request names, for the audit log.
fn names_of(resource: Resource<'_>) -> Names {
    let details = resource.details;
    let mut names = Names::default();
    names.add("workflow_id", details.workflow_id);
    names.add("operation_id", details.operation_id);
    names.add("task_queue", details.task_queue);
    names.add("endpoint", details.endpoint);
    names
}

/// A status of HTTP as the audit log has outcomes.
fn outcome_of(status: StatusCode) -> &'static str {
    code_name(match status.as_u16() {
        200..=299 => Code::Ok,
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        // The operation has failed, and the call has not.
        424 => Code::Ok,
        429 => Code::ResourceExhausted,
        501 => Code::Unimplemented,
        503 => Code::Unavailable,
        408 | 504 | 520 => Code::DeadlineExceeded,
        _ => Code::Internal,
    })
}

/// An error as a handler's; its text only where the caller may know it.
pub(super) fn to_handler_error(error: &ApiError, is_told: bool) -> HandlerError {
    let (kind, general) = match error.code() {
        Code::AlreadyExists
        | Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::OutOfRange => (Kind::BadRequest, "bad request"),
        Code::Aborted | Code::Unavailable => (Kind::Unavailable, "service unavailable"),
        Code::Cancelled => (Kind::Internal, "canceled"),
        Code::Unauthenticated => (Kind::Unauthenticated, "authentication failed"),
        Code::PermissionDenied => (Kind::Unauthorized, "permission denied"),
        Code::NotFound => (Kind::NotFound, "not found"),
        Code::ResourceExhausted => (Kind::ResourceExhausted, "resource exhausted"),
        Code::Unimplemented => (Kind::NotImplemented, "not implemented"),
        Code::DeadlineExceeded => (Kind::UpstreamTimeout, "request timeout"),
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            (Kind::Internal, "internal error")
        }
    };
    HandlerError::new(kind, if is_told { error.message() } else { general })
}
