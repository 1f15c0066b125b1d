//! Admission of requests over HTTP, and errors as Nexus says them.

use std::sync::Arc;

use audit::{Names, Pending};
use authz::{Caller, Permit, Resource, Rpc, authorize};
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
pub(super) fn caller_of(parts: &http::request::Parts) -> Caller {
    parts.extensions.get().cloned().unwrap_or_else(Caller::anonymous)
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
    /// Settles permit and limits of a request over HTTP to a namespace.
    pub(super) fn admit_http(
        &self,
        rpc: &'static Rpc,
        parts: &http::request::Parts,
        namespace: &Arc<Namespace>,
    ) -> Result<Admitted, HandlerError> {
        let started = self.environment.clock.monotonic();
        let metrics = self.metrics.request(rpc.name, &namespace.name).begin();
        let admitted = self.settle_http(rpc, &caller_of(parts), namespace, started);
        let decided = admitted.as_ref().map_err(|(error, _)| error);
        let asked = Asked { rpc, extensions: &parts.extensions, namespace: &namespace.name };
        let record = self.audit(&asked, Names::default, decided);
        match admitted {
            Ok(permit) => Ok(Admitted { permit, metrics, started, record }),
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
        rpc: &'static Rpc,
        caller: &Caller,
        namespace: &Arc<Namespace>,
        started: Span,
    ) -> Result<Permit, (ApiError, bool)> {
        let resource = Resource::in_namespace(&namespace.name);
        let permit = authorize(caller, rpc, resource, &self.policy).map_err(|denial| {
            tracing::warn!(%denial, "denied");
            (ApiError::permission_denied(), false)
        })?;
        self.check_audit(rpc, &namespace.name).map_err(|error| (error, true))?;
        check_state(rpc, namespace).map_err(|error| (error, false))?;
        let admitted = self.limiter.admit(rpc, namespace.id, started);
        // None of these methods is a long poll, so that there is nothing to hold.
        drop(admitted.map_err(|error| (error, true))?);
        Ok(permit)
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
