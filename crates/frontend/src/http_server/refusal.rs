//! Admission of requests over HTTP, and errors as Nexus says them.

use std::sync::Arc;

use authz::{Caller, Permit, Resource, Rpc, authorize};
use model::Span;
use namespace::Namespace;
use nexus_protocol::{HandlerError, HandlerErrorKind as Kind};
use telemetry::RequestInFlight;
use tonic::Code;

use super::Answer;
use crate::{admission::check_state, error::ApiError, frontend::Frontend};

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
}

impl Frontend {
    /// Settles permit and limits of a request over HTTP to a namespace.
    pub(super) fn admit_http(
        &self,
        rpc: &'static Rpc,
        caller: &Caller,
        namespace: &Arc<Namespace>,
    ) -> Result<Admitted, HandlerError> {
        let started = self.environment.clock.monotonic();
        let metrics = self.metrics.request(rpc.name, &namespace.name).begin();
        let admitted = self.settle_http(rpc, caller, namespace, started);
        match admitted {
            Ok(permit) => Ok(Admitted { permit, metrics, started }),
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
        check_state(rpc, namespace).map_err(|error| (error, false))?;
        let admitted = self.limiter.admit(rpc, namespace.id, started);
        // None of these methods is a long poll, so that there is nothing to hold.
        drop(admitted.map_err(|error| (error, true))?);
        Ok(permit)
    }

    /// Counts a request that was admitted.
    pub(super) fn finish_http(&self, admitted: Admitted, answer: Answer) -> Answer {
        let latency = self.environment.clock.monotonic() - admitted.started;
        let status = answer.status();
        let failed = (status.is_client_error() && status.as_u16() != 424)
            .then_some(telemetry::ErrorType::InvalidArgument)
            .or_else(|| status.is_server_error().then_some(telemetry::ErrorType::Internal));
        admitted.metrics.end(latency.to_std(), failed);
        answer
    }
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
