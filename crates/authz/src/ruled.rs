//! Roles and rules of the operator's own, together.
//!
//! A rule that forbids wins over everything. One that permits allows what no role does, where the
//! operator wants that, but never to callers without credentials.

use crate::{Denial, Further, Ground, Question, Resource, Roles, Ruling, table};

/// Why a call may run.
pub(crate) fn decide(
    roles: &Roles,
    further: &Further,
    question: &Question<'_>,
) -> Result<Ground, Denial> {
    let ground = roles.allow(question.caller, question.rpc, question.resource.namespace);
    let may_permit = further.may_permit && !question.caller.principal().is_anonymous();
    if ground.is_none() && !may_permit {
        return Err(no_rule(question));
    }
    let would = judged(roles, further, question, ground.clone());
    if !further.shadow {
        return would;
    }
    let without = ground.ok_or_else(|| no_rule(question));
    if would.is_ok() != without.is_ok() {
        further.rules.differ(question, &would);
    }
    without
}

fn judged(
    roles: &Roles,
    further: &Further,
    question: &Question<'_>,
    ground: Option<Ground>,
) -> Result<Ground, Denial> {
    let allowed = match (further.rules.judge(question), ground) {
        (Ruling::Forbids(rule), _) => return Err(forbidden(question, rule)),
        (_, Some(ground)) => ground,
        (Ruling::Permits(rule), None) => Ground::Rule(rule),
        (Ruling::Silent, None) => return Err(no_rule(question)),
    };
    let Resource { namespace, parts, .. } = question.resource;
    for part in parts {
        // What has no row cannot be decided about.
        let rpc = table::method(part.rpc).ok_or_else(|| no_rule(question))?;
        let resource = Resource::in_namespace(namespace).about(part.details);
        let ruling = further.rules.judge(&Question { rpc, resource, ..*question });
        if let Ruling::Forbids(rule) = ruling {
            return Err(forbidden(question, rule));
        }
        // A role on a method covers what the method does; a rule covers what it speaks of.
        if matches!(allowed, Ground::Rule(_))
            && ruling == Ruling::Silent
            && roles.allow(question.caller, rpc, namespace).is_none()
        {
            return Err(no_rule(question));
        }
    }
    Ok(allowed)
}

fn no_rule(question: &Question<'_>) -> Denial {
    let namespace = question.resource.namespace.to_owned();
    Denial::NoRule { rpc: question.rpc.name, namespace }
}

fn forbidden(question: &Question<'_>, rule: String) -> Denial {
    let namespace = question.resource.namespace.to_owned();
    Denial::Forbidden { rpc: question.rpc.name, namespace, rule }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{
        Caller, Claims, CustomRole, CustomRoles, Details, Part, Policy, Principal, Role, authorize,
    };

    /// Forbids and permits methods, and remembers where it would have decided.
    #[derive(Debug, Default)]
    struct Fake {
        forbids: Vec<&'static str>,
        permits: Vec<&'static str>,
        differed: Mutex<Vec<String>>,
    }

    impl crate::Rules for Fake {
        fn judge(&self, question: &Question<'_>) -> Ruling {
            let name = question.rpc.name;
            let about = question.resource.details.workflow_id;
            if self.forbids.contains(&name) || about == "secret" {
                Ruling::Forbids("no".to_owned())
            } else if self.permits.contains(&name) {
                Ruling::Permits("yes".to_owned())
            } else {
                Ruling::Silent
            }
        }

        fn differ(&self, question: &Question<'_>, would: &Result<Ground, Denial>) {
            let verb = if would.is_ok() { "permit" } else { "forbid" };
            self.differed.lock().unwrap().push(format!("{verb} {}", question.rpc.name));
        }
    }

    struct Case {
        rules: Arc<Fake>,
        may_permit: bool,
        shadow: bool,
        caller: Caller,
    }

    fn case(forbids: &[&'static str], permits: &[&'static str]) -> Case {
        let mut claims = Claims::default();
        claims.grant("orders", Role::WRITER);
        let rules =
            Fake { forbids: forbids.to_vec(), permits: permits.to_vec(), ..Fake::default() };
        Case {
            rules: Arc::new(rules),
            may_permit: false,
            shadow: false,
            caller: Caller::new(Principal::named("jwt", "a"), claims),
        }
    }

    impl Case {
        fn decide(&self, name: &str, parts: &[Part<'_>]) -> String {
            let Self { may_permit, shadow, .. } = *self;
            let rules = Arc::clone(&self.rules) as Arc<dyn crate::Rules>;
            let batcher = CustomRole {
                methods: vec!["StartBatchOperation".to_owned()],
                ..CustomRole::default()
            };
            let custom = CustomRoles::new([("batcher".to_owned(), batcher)]).unwrap();
            let roles = Roles { custom, ..Roles::default() };
            let policy = Policy::Ruled(roles, Further { rules, may_permit, shadow });
            let resource = Resource::in_namespace("orders").with_parts(parts);
            match authorize(&self.caller, table::method(name).unwrap(), resource, &policy) {
                Ok(permit) => permit.ground().to_string(),
                Err(denial) => denial.to_string(),
            }
        }
    }

    fn part(rpc: &'static str) -> Part<'static> {
        Part { rpc, details: Details::default() }
    }

    const SIGNAL_WITH_START: &str = "SignalWithStartWorkflowExecution";

    #[test]
    fn rules_forbid_what_roles_allow() {
        let case = case(&["StartWorkflowExecution"], &[]);
        assert_eq!(
            case.decide("StartWorkflowExecution", &[]),
            "rule `no` forbids `StartWorkflowExecution` on `orders`"
        );
        assert_eq!(case.decide("SignalWorkflowExecution", &[]), "a role");
    }

    #[test]
    fn rules_permit_more_only_when_they_are_told_that_they_may() {
        let mut case = case(&[], &["UpdateNamespace"]);
        let denied = "no rule allows `UpdateNamespace` on `orders`";
        assert_eq!(case.decide("UpdateNamespace", &[]), denied);
        case.may_permit = true;
        assert_eq!(case.decide("UpdateNamespace", &[]), "rule `yes`");
        case.caller = Caller::anonymous();
        assert_eq!(case.decide("UpdateNamespace", &[]), denied);
    }

    #[test]
    fn what_is_forbidden_alone_is_forbidden_as_a_part() {
        let parts = [part("StartWorkflowExecution"), part("SignalWorkflowExecution")];
        let forbidden = "rule `no` forbids `SignalWithStartWorkflowExecution` on `orders`";
        let permits = [SIGNAL_WITH_START, "StartWorkflowExecution"];
        let mut case = case(&["SignalWorkflowExecution"], &permits);
        assert_eq!(case.decide(SIGNAL_WITH_START, &parts), forbidden);
        // By a rule that permits it is no more possible than by a role.
        case.may_permit = true;
        case.caller = Caller::new(Principal::named("jwt", "b"), Claims::default());
        assert_eq!(case.decide(SIGNAL_WITH_START, &parts), forbidden);
    }

    #[test]
    fn each_part_is_asked_about_with_its_own_names() {
        let about = |workflow_id| Details { workflow_id, ..Details::default() };
        let parts = ["open", "secret"]
            .map(about)
            .map(|details| Part { rpc: "TerminateWorkflowExecution", details });
        let case = case(&[], &[]);
        assert_eq!(case.decide("StartBatchOperation", &parts[..1]), "a role");
        assert_eq!(
            case.decide("StartBatchOperation", &parts),
            "rule `no` forbids `StartBatchOperation` on `orders`"
        );
    }

    #[test]
    fn a_rule_permits_no_more_than_it_speaks_of_and_a_role_covers_what_its_methods_do() {
        let parts = [part("TerminateWorkflowExecution")];
        let mut case = case(&[], &["StartBatchOperation"]);
        case.may_permit = true;
        case.caller = Caller::new(Principal::named("jwt", "b"), Claims::default());
        let denied = "no rule allows `StartBatchOperation` on `orders`";
        assert_eq!(case.decide("StartBatchOperation", &parts), denied);
        assert_eq!(case.decide("StartBatchOperation", &[]), "rule `yes`");
        let mut claims = Claims::default();
        claims.grant_named("orders", "batcher");
        case.caller = Caller::new(Principal::named("jwt", "b"), claims);
        assert_eq!(case.decide("StartBatchOperation", &parts), "role `batcher`");
    }

    #[test]
    fn a_part_without_a_row_is_denied() {
        let denied = "no rule allows `StartBatchOperation` on `orders`";
        assert_eq!(case(&[], &[]).decide("StartBatchOperation", &[part("Unheard")]), denied);
    }

    #[test]
    fn in_the_shadow_nothing_is_decided_and_each_difference_is_told_once() {
        let mut case = case(
            &["StartWorkflowExecution", "SignalWorkflowExecution", "DeleteNamespace"],
            &["UpdateNamespace", "TerminateWorkflowExecution"],
        );
        (case.may_permit, case.shadow) = (true, true);
        let parts = [part("StartWorkflowExecution"), part("SignalWorkflowExecution")];
        assert_eq!(case.decide(SIGNAL_WITH_START, &parts), "a role");
        let denied = "no rule allows `UpdateNamespace` on `orders`";
        assert_eq!(case.decide("UpdateNamespace", &[]), denied);
        // Here they agree with the roles.
        assert_eq!(case.decide("TerminateWorkflowExecution", &[]), "a role");
        case.decide("DeleteNamespace", &[]);
        let differed = case.rules.differed.lock().unwrap().clone();
        assert_eq!(
            differed,
            [format!("forbid {SIGNAL_WITH_START}"), "permit UpdateNamespace".into()]
        );
    }
}
