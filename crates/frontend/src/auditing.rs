//! What the audit log is told of calls.

use std::{net::SocketAddr, sync::Arc};

use audit::{Call, Decision, Keep, Names, Pending, Who};
use authz::{Caller, Permit, Rpc};
use tonic::Code;

use crate::{
    error::{ApiError, ApiResult},
    frontend::Frontend,
};

/// Where a request came from, among its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) SocketAddr);

/// The rule of calls that nothing allowed.
pub(crate) const NO_RULE: &str = "no rule allows it";

/// Methods that a handler may still deny a part of; denials are kept of those that are not, too.
const DENIED_LATE: &[&str] = &["PatchSchedule", "RespondWorkflowTaskCompleted"];

/// The rule of calls without credentials.
const NO_CREDENTIALS: &str = "no credentials";

/// What is known of a call before it is decided.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) rpc: &'static Rpc,
    pub(crate) extensions: &'a http::Extensions,
    pub(crate) namespace: &'a str,
}

impl Frontend {
    /// Refuses while nothing may happen because nobody could see it.
    pub(crate) fn check_audit(&self, rpc: &Rpc, namespace: &str) -> ApiResult<()> {
        let Some(log) = self.audit.as_ref().filter(|log| log.is_blocked()) else { return Ok(()) };
        if log.keep(rpc, namespace) == Keep::Nothing {
            return Ok(());
        }
        Err(ApiError::unavailable("the audit log cannot be written"))
    }

    /// A call that was allowed or failed: the log hears of it when it is answered. One that was
    /// denied it hears of at once.
    pub(crate) fn audit(
        &self,
        asked: &Asked<'_>,
        names: impl FnOnce() -> Names,
        decided: Result<&Permit, &ApiError>,
    ) -> Option<Pending> {
        let log = self.audit.as_ref()?;
        let refused = decided.err().map(ApiError::code);
        if refused == Some(Code::PermissionDenied) {
            let rule = decided.err().and_then(ApiError::reason).unwrap_or(NO_RULE);
            log.tell(asked.call(names(), Decision::Denied, rule, Code::PermissionDenied));
            return None;
        }
        let keep = log.keep(asked.rpc, asked.namespace);
        // Nothing has happened while nothing may: those who try again are not worth the place.
        if (keep == Keep::Nothing && !DENIED_LATE.contains(&asked.rpc.name))
            || (refused.is_some() && log.is_blocked())
        {
            return None;
        }
        let names = if keep == Keep::Each { names() } else { Names::default() };
        let rule = decided.map(Permit::rule).unwrap_or_default();
        // Callers that go away leave no other word.
        let outcome = refused.unwrap_or(Code::Cancelled);
        let call = asked.call(names, Decision::Allowed, &rule, outcome);
        Some(Pending::new(Arc::clone(log), keep, call))
    }

    /// A call of somebody who cannot be told from others, or whose credentials are not taken.
    pub(crate) fn audit_refusal(
        &self,
        rpc: Option<&'static Rpc>,
        address: SocketAddr,
        reason: Option<&str>,
    ) {
        let Some(log) = &self.audit else { return };
        log.tell(Call {
            principal: who(&Caller::anonymous()),
            source: address.to_string(),
            rpc: rpc.map_or("unknown", |rpc| rpc.name),
            service: rpc.map_or("", |rpc| rpc.service.name()),
            namespace: String::new(),
            target: Names::default(),
            decision: match reason {
                Some(_) => Decision::Unauthenticated,
                None => Decision::Denied,
            },
            rule: reason.unwrap_or(NO_CREDENTIALS).chars().take(200).collect(),
            outcome: code_name(Code::PermissionDenied),
        });
    }
}

impl Asked<'_> {
    fn call(&self, target: Names, decision: Decision, rule: &str, outcome: Code) -> Call {
        let anonymous = Caller::anonymous();
        let caller = self.extensions.get::<Caller>().unwrap_or(&anonymous);
        let source = self.extensions.get::<Source>();
        Call {
            principal: who(caller),
            source: source.map(|source| source.0.to_string()).unwrap_or_default(),
            rpc: self.rpc.name,
            service: self.rpc.service.name(),
            namespace: self.namespace.to_owned(),
            target,
            decision,
            rule: rule.to_owned(),
            outcome: code_name(outcome),
        }
    }
}

pub(crate) fn who(caller: &Caller) -> Who {
    Who::from(caller.principal())
}

/// A code by its name in the protocol.
pub(crate) const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
