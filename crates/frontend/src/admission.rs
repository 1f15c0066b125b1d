//! What happens to every request before and after its handler.

use std::{
    borrow::Cow,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use api::enums::v1::NamespaceState;
use authz::{
    Access, Caller, Denial, Details, Part, Permit, Policy, Question, Resource, Rpc, authorize,
};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderName};
use model::{RunId, Span, Time};
use namespace::Namespace;
use telemetry::RequestInFlight;
use tonic::{Code, Request, Response, Status};

use crate::{
    auditing::{Asked, NO_RULE, code_name},
    authentication::Consult,
    deadline::client_timeout,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    limits::LongPoll,
    named::Named,
    refusal_lines::RefusalLines,
    target::{Target, Targeted},
    token::{HeldTask, TaskToken},
};

static SUPPORTED_FEATURES: HeaderName = HeaderName::from_static("supported-features");
static CLIENT_NAME: HeaderName = HeaderName::from_static("client-name");

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
    reached: OnceLock<RunId>,
    _long_poll: Option<LongPoll>,
}

/// A request between admission and answer, as the metrics see it.
#[derive(Debug)]
pub(crate) struct InFlight {
    metrics: RequestInFlight,
    started: Span,
    record: Option<audit::Pending>,
}

/// A request's message: what it is about, and what it names.
pub(crate) trait Asking: Targeted + Named + Sync {}

impl<M: Targeted + Named + Sync> Asking for M {}

impl Call {
    /// The namespace. Only a request whose target is one has it.
    pub(crate) fn namespace(&self) -> ApiResult<&Arc<Namespace>> {
        self.namespace.as_ref().ok_or_else(|| ApiError::invalid("Namespace is empty."))
    }

    /// The task that the caller holds. Only a request whose target is a task has it.
    pub(crate) fn token(&self) -> ApiResult<&TaskToken> {
        self.token.as_ref().ok_or_else(|| ApiError::invalid("Task token not set on request."))
    }

    /// Notes which run the call has made or changed: the audit log tells.
    pub(crate) fn reached(&self, run_id: RunId) {
        // A call that reaches several tells of the first.
        let _told = self.reached.set(run_id);
    }
}

impl Frontend {
    /// Identifies the caller and settles namespace, permit and limits.
    pub(crate) async fn admit(
        &self,
        rpc: &'static Rpc,
        request: &Request<Bytes>,
        message: &dyn Asking,
    ) -> Result<(Call, InFlight), Status> {
        let started = self.environment.clock.monotonic();
        let mut known = None;
        let anonymous = Caller::anonymous();
        let caller = request.extensions().get::<Caller>().unwrap_or(&anonymous);
        // Before anything is looked up for the caller: who may not ask does not learn what exists.
        let target = message.target();
        let token = self.read_token(&target);
        let asked_name = self.named(&target, token.as_ref());
        let (details, parts) = (message.details(), message.parts());
        let details = of_task(token.as_ref(), details);
        let resource = Resource::in_namespace(&asked_name).about(details).with_parts(&parts);
        let admitted = match self.permit(rpc, caller, resource).await {
            Ok(permit) => {
                self.settle(permit, request.metadata().as_ref(), target, token.as_ref(), &mut known)
            }
            Err(error) => Err(error),
        };
        let name = known.as_ref().map_or("", |namespace: &Arc<Namespace>| &namespace.name);
        let metrics = self.metrics.request(rpc.name, name).begin();
        let asked = Asked { rpc, extensions: request.extensions(), namespace: &asked_name };
        let permitted = admitted.as_ref().map(|call| &call.permit);
        let record = self.audit(&asked, || message.names(), permitted);
        match admitted {
            Ok(call) => Ok((call, InFlight { metrics, started, record })),
            Err(error) => {
                let latency = self.environment.clock.monotonic() - started;
                metrics.end(latency.to_std(), Some(error.error_type()));
                Err(error.into_status())
            }
        }
    }

    fn settle(
        &self,
        permit: Permit,
        headers: &HeaderMap,
        target: Target<'_>,
        token: Option<&ApiResult<TaskToken>>,
        known: &mut Option<Arc<Namespace>>,
    ) -> ApiResult<Call> {
        let rpc = permit.rpc();
        self.check_audit(rpc, permit.namespace())?;
        let mut held = None;
        let namespace = match target {
            Target::Cluster => None,
            Target::Unchecked(name) => {
                *known = self.namespaces.by_name(name);
                None
            }
            Target::Namespace("") => return Err(ApiError::invalid("Namespace is empty.")),
            Target::Namespace(name) => Some(self.namespace(name)?),
            Target::Task { namespace, .. } => {
                let (found, token) = self.task_target(namespace, token)?;
                held = Some(token);
                Some(found)
            }
        };
        if let Some(namespace) = &namespace {
            *known = Some(Arc::clone(namespace));
            check_state(rpc, namespace)?;
        }
        let long_poll = self.limiter.admit(rpc, known.as_deref(), permit.principal())?;
        let features = headers.get(&SUPPORTED_FEATURES).and_then(|names| names.to_str().ok());
        let follows_next_run_id = features
            .is_some_and(|names| names.split(',').any(|name| name == "follows-next-run-id"));
        let client_name = headers.get(&CLIENT_NAME).and_then(|name| name.to_str().ok());
        Ok(Call {
            permit,
            received: self.now(),
            timeout: client_timeout(headers),
            client_name: client_name.unwrap_or_default().to_owned(),
            follows_next_run_id,
            namespace,
            token: held,
            reached: OnceLock::new(),
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
        let question = Question { caller, rpc, resource };
        decide(&self.policy, self.consult.as_deref(), &self.refusal_lines, question).await
    }

    /// Decides about a call again, once it is known what it does besides.
    pub(crate) async fn permit_further(
        &self,
        call: &Call,
        details: Details<'_>,
        parts: &[Part<'_>],
    ) -> ApiResult<()> {
        let permit = &call.permit;
        let resource = Resource::in_namespace(permit.namespace()).about(details).with_parts(parts);
        self.permit(permit.rpc(), permit.caller(), resource).await.map(drop)
    }

    /// The namespace that a request is about, by its name; empty when there is none, which is
    /// nobody's but the system's.
    fn named<'a>(&self, target: &Target<'a>, token: Option<&ApiResult<TaskToken>>) -> Cow<'a, str> {
        match target {
            Target::Cluster => Cow::Borrowed(""),
            Target::Unchecked(name) | Target::Namespace(name) => Cow::Borrowed(name),
            Target::Task { namespace: "", .. } => {
                let token = token.and_then(|token| token.as_ref().ok());
                let found = token.and_then(|token| self.namespaces.by_id(token.namespace_id));
                found.map_or_else(Cow::default, |namespace| Cow::Owned(namespace.name.clone()))
            }
            Target::Task { namespace, .. } => Cow::Borrowed(namespace),
        }
    }

    /// The token of a request that has one.
    fn read_token(&self, target: &Target<'_>) -> Option<ApiResult<TaskToken>> {
        let Target::Task { token, .. } = target else { return None };
        Some(TaskToken::decode(self.token_keys(), token))
    }

    fn task_target(
        &self,
        namespace: &str,
        token: Option<&ApiResult<TaskToken>>,
    ) -> ApiResult<(Arc<Namespace>, TaskToken)> {
        let named = match namespace {
            "" => None,
            name => Some(self.namespace(name)?),
        };
        let unset = || Err(ApiError::invalid("Task token not set on request."));
        let token = token.cloned().unwrap_or_else(unset)?;
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
    pub(crate) async fn finish(
        &self,
        in_flight: InFlight,
        call: &Call,
        handler: BoxFuture<'_, ApiResult<Bytes>>,
    ) -> Result<Response<Bytes>, Status> {
        let outcome = match AssertUnwindSafe(handler).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(_) => Err(ApiError::internal(&"the request's handler panicked")),
        };
        let latency = self.environment.clock.monotonic() - in_flight.started;
        let failed = outcome.as_ref().err().map(ApiError::error_type);
        in_flight.metrics.end(latency.to_std(), failed);
        if let Some(mut record) = in_flight.record {
            if let Some(run_id) = call.reached.get() {
                record.reached(&run_id.to_string());
            }
            let error = outcome.as_ref().err();
            if let Some(rule) = error.and_then(ApiError::reason) {
                record.deny(rule);
            }
            record.answered(code_name(error.map_or(Code::Ok, ApiError::code))).await;
        }
        outcome.map(Response::new).map_err(ApiError::into_status)
    }
}

/// Asks the policy, and whoever else is to be asked. Whoever may not gets one answer; the log says
/// why.
pub(crate) async fn decide(
    policy: &Policy,
    consult: Option<&dyn Consult>,
    lines: &RefusalLines,
    question: Question<'_>,
) -> ApiResult<Permit> {
    let Question { caller, rpc, resource } = question;
    let permit = authorize(caller, rpc, resource, policy).map_err(|denial| {
        lines.say(|| tracing::warn!(%denial, "denied"));
        ApiError::permission_denied().because(rule_of(denial))
    })?;
    if let Some(consult) = consult
        && rpc.access != Access::Open
        && let Err(reason) = consult.consult(question).await
    {
        let (rpc, namespace) = (rpc.name, resource.namespace);
        lines.say(|| tracing::warn!(reason, rpc, namespace, "denied"));
        return Err(ApiError::permission_denied().because(reason));
    }
    Ok(permit)
}

/// Why nothing allowed a call, for the audit log.
fn rule_of(denial: Denial) -> String {
    match denial {
        Denial::Forbidden { rule, .. } => format!("policy `{rule}` forbids it"),
        Denial::NoEntry { .. } => denial.to_string(),
        _ => NO_RULE.to_owned(),
    }
}

/// What a request names, and what its task token does: whose task it is.
fn of_task<'a>(token: Option<&'a ApiResult<TaskToken>>, details: Details<'a>) -> Details<'a> {
    let Some(Ok(token)) = token else { return details };
    let id = token.run.workflow.workflow_id.as_str();
    match token.task {
        HeldTask::StandaloneActivity(_) => Details { activity_id: id, ..details },
        HeldTask::Workflow(_) | HeldTask::Activity(_) | HeldTask::Query(_) => {
            Details { workflow_id: id, ..details }
        }
        HeldTask::Nexus(_) => details,
    }
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
