//! `longtide auth explain`: who may call what, and which rule says so.

use std::path::PathBuf;

use anyhow::{Context, bail};
use authz::{
    Access, Caller, Claims, Details, Part, Principal, Question, Resource, Rpc, Rules as _, Ruling,
    Scope,
};
use clap::Args;
use environment::Environment;
use http::{HeaderMap, HeaderValue};
use listener::Peer;
use tokio_util::sync::CancellationToken;

use crate::{
    configured, output,
    security::{Rules, Security},
};

/// See [`crate::auth_commands::AuthCommand::Explain`].
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The configuration of the server.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Who calls, as KIND:NAME, such as `jwt:alice`, `certificate:CN=worker` or `api-key:ci`.
    #[arg(long, conflicts_with = "token", required_unless_present = "token")]
    principal: Option<String>,
    /// What the caller's credentials say it may do, such as `orders:write`.
    #[arg(long = "permission", conflicts_with = "token", value_name = "NAMESPACE:ROLE")]
    permissions: Vec<String>,
    /// The caller's token, which is checked as the server would.
    #[arg(long)]
    token: Option<String>,
    /// The method, such as `StartWorkflowExecution`.
    #[arg(long)]
    rpc: String,
    /// The namespace; none for methods of the cluster.
    #[arg(long, default_value = "")]
    namespace: String,
    /// A method that the request does as a part of its own, such as the operation of a batch. May
    /// be repeated. Those of a signal with start, of several operations and of schedules are known.
    #[arg(long = "part", value_name = "RPC")]
    parts: Vec<String>,
    #[command(flatten)]
    named: Named,
}

/// What the request names.
#[derive(Debug, Args)]
struct Named {
    /// The type of the workflow that is started.
    #[arg(long, default_value = "")]
    workflow_type: String,
    /// The workflow's id.
    #[arg(long, default_value = "")]
    workflow_id: String,
    /// The task queue.
    #[arg(long, default_value = "")]
    task_queue: String,
    /// The type of the activity that is started.
    #[arg(long, default_value = "")]
    activity_type: String,
    /// The signal's name.
    #[arg(long, default_value = "")]
    signal_name: String,
    /// The query's name.
    #[arg(long, default_value = "")]
    query_name: String,
    /// The update's name.
    #[arg(long, default_value = "")]
    update_name: String,
    /// The schedule's id.
    #[arg(long, default_value = "")]
    schedule_id: String,
    /// The id of an activity.
    #[arg(long, default_value = "")]
    activity_id: String,
    /// The id of a Nexus operation that no workflow waits for.
    #[arg(long, default_value = "")]
    operation_id: String,
    /// The name of a Nexus endpoint.
    #[arg(long, default_value = "")]
    endpoint: String,
    /// The name of a worker deployment.
    #[arg(long, default_value = "")]
    deployment_name: String,
    /// The query that finds what a batch operation is about.
    #[arg(long, default_value = "")]
    visibility_query: String,
}

/// Decides as the server would, and tells why.
pub(crate) async fn explain(asked: &Explain) -> anyhow::Result<()> {
    let settings = configured::read(&asked.config)?;
    let rules = Rules::from_settings(&settings)?;
    let environment = Environment::system();
    let rpc = method(&asked.rpc)?;
    let caller = match (&asked.token, &asked.principal) {
        (Some(token), _) => {
            of_token(Security::from_settings(&settings)?, &environment, token).await?
        }
        (None, Some(name)) => of_permissions(name, &asked.permissions)?,
        (None, None) => bail!("either --principal or --token is needed"),
    };
    let parts = asked.parts(rpc)?;
    let resource = Resource::in_namespace(&asked.namespace);
    let resource = resource.about(asked.named.details()).with_parts(&parts);
    let question = Question { caller: &caller, rpc, resource };
    output::line(&who(&caller));
    output::line(&what(rpc));
    tell_policies(&rules, &question, "it");
    for part in &parts {
        let resource = Resource::in_namespace(&asked.namespace).about(part.details);
        let question = Question { caller: &caller, rpc: method(part.rpc)?, resource };
        tell_policies(&rules, &question, &format!("its part {}", part.rpc));
    }
    let decided = authz::authorize(&caller, rpc, resource, &rules.policy);
    let permit = match decided {
        Ok(permit) => permit,
        Err(denial) => {
            output::line(&format!("DENIED: {denial}"));
            return Ok(());
        }
    };
    if rpc.access != Access::Open
        && let Some(consult) = rules.consult(&environment)?
        && let Err(reason) = consult.consult(question).await
    {
        output::line(&format!("DENIED: {reason}"));
        return Ok(());
    }
    output::line(&format!("ALLOWED: {}", permit.rule()));
    Ok(())
}

fn method(name: &str) -> anyhow::Result<&'static Rpc> {
    authz::method(name).with_context(|| format!("no method has the name `{name}`"))
}

/// Says which policies speak of a call, or of a part of it.
fn tell_policies(rules: &Rules, question: &Question<'_>, what: &str) {
    let Some(policies) = &rules.policies else { return };
    let (verb, names) = match policies.judge(question) {
        Ruling::Silent => {
            let count = policies.count();
            output::line(&format!("policies: none of {count} says anything of {what}"));
            return;
        }
        Ruling::Permits(names) => ("permits", names),
        Ruling::Forbids(names) => ("forbids", names),
    };
    let shadow = if policies.decides() { "" } else { ", in the shadow: it decides nothing" };
    for name in names.split(", ") {
        output::line(&format!("policies: `{name}` {verb} {what}{shadow}"));
        for line in policies.text(name).unwrap_or_default().lines() {
            output::line(&format!("    {line}"));
        }
    }
}

async fn of_token(
    security: Security,
    environment: &Environment,
    token: &str,
) -> anyhow::Result<Caller> {
    let stop = CancellationToken::new();
    let Some(authenticator) = security.tokens(environment, &stop).await? else {
        bail!("the configuration takes no tokens");
    };
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Bearer {token}")).context("--token")?;
    headers.insert(authenticator.header().clone(), value);
    let peer = Peer::plain(([127, 0, 0, 1], 0).into());
    let caller = authenticator.identify(&headers, &peer).await;
    stop.cancel();
    caller.map_err(|error| {
        let hint = if token.starts_with("ltk_") {
            "; API keys are known to the running server alone: name what it may do with --principal \
             and --permission"
        } else {
            ""
        };
        anyhow::anyhow!("the token is not taken: {error}{hint}")
    })
}

fn of_permissions(name: &str, permissions: &[String]) -> anyhow::Result<Caller> {
    let mut claims = Claims::default();
    for permission in permissions {
        if !claims.grant_permission(permission) {
            bail!("`{permission}` is no permission such as `orders:write`");
        }
    }
    let (kind, name) = name.split_once(':').unwrap_or(("jwt", name));
    Ok(Caller::new(Principal::named(kind, name), claims))
}

fn who(caller: &Caller) -> String {
    let (kind, name) = caller.principal().stamp().unwrap_or(("nobody", ""));
    format!("caller: {kind} {name}; rights: {}", caller.claims())
}

fn what(rpc: &Rpc) -> String {
    let access = match rpc.access {
        Access::Open => return format!("method: {}, open to everybody", rpc.name),
        Access::Read => "read",
        Access::Worker => "worker",
        Access::Write => "write",
        Access::Admin => "admin",
    };
    let place = match rpc.scope {
        Scope::Cluster => "temporal-system",
        Scope::Namespace => "its namespace",
    };
    format!("method: {}, needs `{access}` on {place}", rpc.name)
}

impl Named {
    fn details(&self) -> Details<'_> {
        Details {
            workflow_type: &self.workflow_type,
            workflow_id: &self.workflow_id,
            task_queue: &self.task_queue,
            activity_type: &self.activity_type,
            signal_name: &self.signal_name,
            query_name: &self.query_name,
            update_name: &self.update_name,
            schedule_id: &self.schedule_id,
            activity_id: &self.activity_id,
            operation_id: &self.operation_id,
            endpoint: &self.endpoint,
            deployment_name: &self.deployment_name,
            visibility_query: &self.visibility_query,
        }
    }

    fn start(&self) -> Details<'_> {
        Details {
            workflow_type: &self.workflow_type,
            workflow_id: &self.workflow_id,
            task_queue: &self.task_queue,
            ..Details::default()
        }
    }

    fn change(&self) -> Details<'_> {
        Details {
            workflow_id: &self.workflow_id,
            signal_name: &self.signal_name,
            update_name: &self.update_name,
            ..Details::default()
        }
    }
}

impl Explain {
    /// What the request does besides, as the server sees it.
    fn parts(&self, rpc: &Rpc) -> anyhow::Result<Vec<Part<'_>>> {
        let named = &self.named;
        let start = Part { rpc: "StartWorkflowExecution", details: named.start() };
        let change = |rpc| Part { rpc, details: named.change() };
        let mut parts = match rpc.name {
            "CreateSchedule" | "UpdateSchedule" => vec![start],
            "ExecuteMultiOperation" => vec![start, change("UpdateWorkflowExecution")],
            "SignalWithStartWorkflowExecution" => vec![change("SignalWorkflowExecution"), start],
            _ => Vec::new(),
        };
        for name in &self.parts {
            parts.push(Part { rpc: method(name)?.name, details: named.details() });
        }
        Ok(parts)
    }
}
