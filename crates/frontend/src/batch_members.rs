//! Decides about what the queries of batch operations find.

use std::sync::Arc;

use audit::{AuditLog, Call, Decision, Names};
use authz::{Caller, Policy, Question, Resource, Rpc};
use futures_util::future::BoxFuture;
use history::BatchMember;
use tonic::Code;

use crate::{
    admission::decide,
    auditing::{NO_RULE, code_name, who},
    authentication::Consult,
    details::{Detailed as _, batch},
    error::ApiError,
    refusal_lines::RefusalLines,
};

/// The method that batch operations are asked for with.
const START: &str = "StartBatchOperation";

/// The same policy as for calls: each execution that a query finds is a batch that names it.
#[derive(Debug)]
pub struct BatchMembers {
    policy: Policy,
    consult: Option<Arc<dyn Consult>>,
    audit: Option<Arc<AuditLog>>,
    lines: RefusalLines,
}

impl BatchMembers {
    /// Decides by these.
    pub fn new(
        policy: Policy,
        consult: Option<Arc<dyn Consult>>,
        audit: Option<Arc<AuditLog>>,
    ) -> Self {
        Self { policy, consult, audit, lines: RefusalLines::new() }
    }

    async fn decide(
        &self,
        rpc: &'static Rpc,
        caller: &Caller,
        member: &BatchMember<'_>,
    ) -> Result<(), ApiError> {
        let parts = batch::of_member(member.request, member.id);
        let resource = Resource::in_namespace(member.namespace)
            .about(member.request.details())
            .with_parts(&parts);
        let question = Question { caller, rpc, resource };
        decide(&self.policy, self.consult.as_deref(), &self.lines, question).await.map(drop)
    }

    /// The log hears of each that a batch had to leave alone.
    fn tell(&self, rpc: &'static Rpc, caller: &Caller, member: &BatchMember<'_>, error: &ApiError) {
        let Some(log) = &self.audit else { return };
        let mut target = Names::default();
        target.add("job_id", &member.request.job_id);
        target.add("workflow_id", member.id);
        log.tell(Call {
            principal: who(caller),
            source: String::new(),
            rpc: rpc.name,
            service: rpc.service.name(),
            namespace: member.namespace.to_owned(),
            target,
            decision: Decision::Denied,
            rule: error.reason().unwrap_or(NO_RULE).to_owned(),
            outcome: code_name(Code::PermissionDenied),
        });
    }
}

impl history::BatchMembers for BatchMembers {
    fn may_act<'a>(&'a self, caller: &'a Caller, member: BatchMember<'a>) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            // Without a row nothing can be decided about.
            let Some(rpc) = authz::method(START) else { return false };
            let decided = self.decide(rpc, caller, &member).await;
            if let Err(error) = &decided {
                self.tell(rpc, caller, &member, error);
            }
            decided.is_ok()
        })
    }
}
