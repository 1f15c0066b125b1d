//! What happens to every request before and after its handler.

use std::{borrow::Cow, future::Future, panic::AssertUnwindSafe, sync::Arc};

use api::enums::v1::NamespaceState;
use authz::{Access, Caller, Permit, Question, Resource, Rpc, authorize};
use futures_util::FutureExt;
use model::{Span, Time};
use namespace::Namespace;
use telemetry::RequestInFlight;
use tonic::{Code, Request, Response, Status};

use crate::{
    auditing::{Asked, code_name},
    deadline::client_timeout,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    limits::LongPoll,
    named::Named,
    target::{Target, Targeted},
    token::TaskToken,
};

/// An admitted request, as its handler sees it.
#[derive(Debug)]
pub(crate) struct Call {
    /// The proof that it may run.
    pub(crate) permit: Permit,
    /// When it was received.
    pub(crate) received: Time,
    /// What the client allows.
    pub(crate) timeout: Option<Span>,
    /// What kind of client it is, such as `temporal-cli`; empty when it does not say.
    pub(crate) client_name: String,
    /// Finds the next run of a chain in whatever event closed this one.
    pub(crate) follows_next_run_id: bool,
    namespace: Option<Arc<Namespace>>,
    token: Option<TaskToken>,
    _long_poll: Option<LongPoll>,
}

/// A request between admission and answer, as the metrics see it.
#[derive(Debug)]
pub(crate) struct InFlight {
    metrics: RequestInFlight,
    started: Span,
    record: Option<audit::Pending>,
}

impl Call {
    /// The namespace. Only a request whose target is one has it.
    pub(crate) fn namespace(&self) -> ApiResult<&Arc<Namespace>> {
        self.namespace.as_ref().ok_or_else(|| ApiError::invalid("Namespace is empty."))
    }

    /// The task that the caller holds. Only a request whose target is a task has it.
    pub(crate) fn token(&self) -> ApiResult<&TaskToken> {
        self.token.as_ref().ok_or_else(|| ApiError::invalid("Task token not set on request."))
    }
}

impl Frontend {
    /// Identifies the caller and settles namespace, permit and limits.
    pub(crate) async fn admit<R: Targeted + Named>(
        &self,
        rpc: &'static Rpc,
        request: &Request<R>,
    ) -> Result<(Call, InFlight), Status> {
        let started = self.environment.clock.monotonic();
        let mut known = None;
        let anonymous = Caller::anonymous();
        let caller = request.extensions().get::<Caller>().unwrap_or(&anonymous);
        // Before anything is looked up for the caller: who may not ask does not learn what exists.
        let name = self.named(&request.get_ref().target());
        let resource = Resource::in_namespace(&name).about(request.get_ref().details());
        let admitted = match self.permit(rpc, caller, resource).await {
            Ok(permit) => self.settle(permit, request, &mut known),
            Err(error) => Err(error),
        };
        let name = known.as_ref().map_or("", |namespace: &Arc<Namespace>| &namespace.name);
        let metrics = self.metrics.request(rpc.name, name).begin();
        let record = self.record(rpc, request, admitted.as_ref().map(|call| &call.permit));
        match admitted {
            Ok(call) => Ok((call, InFlight { metrics, started, record })),
            Err(error) => {
                let latency = self.environment.clock.monotonic() - started;
                metrics.end(latency.to_std(), Some(error.error_type()));
                Err(error.into_status())
            }
        }
    }

    /// Tells the audit log of a request.
    fn record<R: Targeted + Named>(
        &self,
        rpc: &'static Rpc,
        request: &Request<R>,
        decided: Result<&Permit, &ApiError>,
    ) -> Option<audit::Pending> {
        self.audit.as_ref()?;
        let namespace = self.named(&request.get_ref().target());
        let asked = Asked { rpc, extensions: request.extensions(), namespace: &namespace };
        self.audit(&asked, || request.get_ref().names(), decided)
    }

    fn settle<R: Targeted>(
        &self,
        permit: Permit,
        request: &Request<R>,
        known: &mut Option<Arc<Namespace>>,
    ) -> ApiResult<Call> {
        let (rpc, target) = (permit.rpc(), request.get_ref().target());
        self.check_audit(rpc, permit.namespace())?;
        let mut token = None;
        let namespace = match target {
            Target::Cluster => None,
            Target::Unchecked(name) => {
                *known = self.namespaces.by_name(name);
                None
            }
            Target::Namespace("") => return Err(ApiError::invalid("Namespace is empty.")),
            Target::Namespace(name) => Some(self.namespace(name)?),
            Target::Task { namespace, token: encoded } => {
                let (found, decoded) = self.task_target(namespace, encoded)?;
                token = Some(decoded);
                Some(found)
            }
        };
        if let Some(namespace) = &namespace {
            *known = Some(Arc::clone(namespace));
            check_state(rpc, namespace)?;
        }
        let long_poll = self.limiter.admit(rpc, known.as_deref(), permit.principal())?;
        let headers = request.metadata().as_ref();
        let features = headers.get("supported-features").and_then(|names| names.to_str().ok());
        let follows_next_run_id = features
            .is_some_and(|names| names.split(',').any(|name| name == "follows-next-run-id"));
        let client_name = headers.get("client-name").and_then(|name| name.to_str().ok());
        Ok(Call {
            permit,
            received: self.now(),
            timeout: client_timeout(headers),
            client_name: client_name.unwrap_or_default().to_owned(),
            follows_next_run_id,
            namespace,
            token,
            _long_poll: long_poll,
        })
    }

    /// Asks the policy, and whoever else is to be asked.
    pub(crate) async fn permit(
        &self,
        rpc: &'static Rpc,
        caller: &Caller,
        resource: Resource<'_>,
    ) -> ApiResult<Permit> {
        let permit = authorize(caller, rpc, resource, &self.policy).map_err(denied)?;
        if let Some(consult) = &self.consult
            && rpc.access != Access::Open
        {
            let question = Question { caller, rpc, resource };
            if let Err(reason) = consult.consult(question).await {
                let (rpc, namespace) = (rpc.name, resource.namespace);
                tracing::warn!(reason, rpc, namespace, "denied");
                return Err(ApiError::permission_denied());
            }
        }
        Ok(permit)
    }

    /// The namespace that a request is about, by its name; empty when there is none, which is
    /// nobody's but the system's.
    fn named<'a>(&self, target: &Target<'a>) -> Cow<'a, str> {
        match target {
            Target::Cluster => Cow::Borrowed(""),
            Target::Unchecked(name) | Target::Namespace(name) => Cow::Borrowed(name),
            Target::Task { namespace: "", token } => {
                let token = TaskToken::decode(self.token_keys(), token).ok();
                let found = token.and_then(|token| self.namespaces.by_id(token.namespace_id));
                found.map_or_else(Cow::default, |namespace| Cow::Owned(namespace.name.clone()))
            }
            Target::Task { namespace, .. } => Cow::Borrowed(namespace),
        }
    }

    fn task_target(
        &self,
        namespace: &str,
        encoded: &[u8],
    ) -> ApiResult<(Arc<Namespace>, TaskToken)> {
        let named = match namespace {
            "" => None,
            name => Some(self.namespace(name)?),
        };
        let token = TaskToken::decode(self.token_keys(), encoded)?;
        let namespace = match named {
            None => self.namespace_by_id(token.namespace_id)?,
            Some(named) if named.id == token.namespace_id => named,
            Some(_) => {
                return Err(ApiError::invalid(
                    "Operation requested with a token from a different namespace.",
                ));
            }
        };
        Ok((namespace, token))
    }

    /// Runs the handler. A panic in it ends this request and nothing else.
    pub(crate) async fn finish<R>(
        &self,
        in_flight: InFlight,
        handler: impl Future<Output = ApiResult<R>>,
    ) -> Result<Response<R>, Status> {
        let outcome = match AssertUnwindSafe(handler).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(_) => Err(ApiError::internal(&"the request's handler panicked")),
        };
        let latency = self.environment.clock.monotonic() - in_flight.started;
        let failed = outcome.as_ref().err().map(ApiError::error_type);
        in_flight.metrics.end(latency.to_std(), failed);
        if let Some(record) = in_flight.record {
            let code = outcome.as_ref().err().map_or(Code::Ok, ApiError::code);
            record.answered(code_name(code)).await;
        }
        outcome.map(Response::new).map_err(ApiError::into_status)
    }
}

/// The one answer to whoever may not; the log says why.
fn denied(denial: authz::Denial) -> ApiError {
    tracing::warn!(%denial, "denied");
    ApiError::permission_denied()
}

/// New runs need a registered namespace; a deprecated one serves all else.
pub(crate) fn check_state(rpc: &Rpc, namespace: &Namespace) -> ApiResult<()> {
    const STARTS: &[NamespaceState] = &[NamespaceState::Registered];
    const OTHERS: &[NamespaceState] = &[NamespaceState::Registered, NamespaceState::Deprecated];
    let allowed = match rpc.name {
        "StartWorkflowExecution" | "SignalWithStartWorkflowExecution" | "ExecuteMultiOperation" => {
            STARTS
        }
        _ => OTHERS,
    };
    if allowed.contains(&namespace.state) {
        return Ok(());
    }
    Err(ApiError::namespace_state(&namespace.name, namespace.state, allowed))
}
