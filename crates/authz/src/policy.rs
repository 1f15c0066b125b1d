//! The rules that decide.

use crate::{
    Access, Caller, Claims, Denial, Further, Ground, Question, Resource, Roles, Rpc, Ruling,
    methods,
};

/// The rules of a server. Without any, everything is denied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// Nobody may call anything but the open methods.
    #[default]
    DenyAll,
    /// Everybody may call everything: the development server on loopback, or `noop` by name.
    AllowAll,
    /// The roles in a caller's claims decide, by the reference's table.
    Roles(Roles),
    /// The roles decide, and then rules of the operator's own.
    Ruled(Roles, Further),
    /// Whoever has credentials may call everything, as far as this policy goes: somebody else
    /// decides before the call runs. Lists show what roles show.
    Elsewhere(Roles),
}

impl Policy {
    /// Why a call may run.
    ///
    /// # Errors
    /// When it may not.
    pub(crate) fn decide(
        &self,
        caller: &Caller,
        rpc: &'static Rpc,
        resource: Resource<'_>,
    ) -> Result<Ground, Denial> {
        let namespace = resource.namespace;
        let no_rule = || Denial::NoRule { rpc: rpc.name, namespace: namespace.to_owned() };
        match (rpc.access, self) {
            (Access::Open, _) => Ok(Ground::Open),
            (_, Self::AllowAll) => Ok(Ground::Everybody),
            (_, Self::DenyAll) => Err(no_rule()),
            (_, Self::Roles(roles)) => roles.allow(caller, rpc, namespace).ok_or_else(no_rule),
            (_, Self::Ruled(roles, further)) => {
                let question = Question { caller, rpc, resource };
                ruled(roles.allow(caller, rpc, namespace), further, &question, no_rule)
            }
            (_, Self::Elsewhere(_)) => {
                let known = !caller.principal().is_anonymous();
                known.then_some(Ground::Elsewhere).ok_or_else(no_rule)
            }
        }
    }

    /// True when `caller` may call a method that has no row in the table, such as reflection.
    pub const fn allows_unlisted(&self) -> bool {
        matches!(self, Self::AllowAll)
    }

    /// True when a caller without credentials can call nothing but open methods, so that its
    /// requests need not even be read.
    pub const fn needs_credentials(&self) -> bool {
        !matches!(self, Self::AllowAll)
    }

    /// True when `claims` let their holder know of a namespace.
    pub(crate) fn shows(&self, claims: &Claims, namespace: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::Roles(roles) | Self::Ruled(roles, _) | Self::Elsewhere(roles) => {
                roles.show(claims, namespace)
            }
        }
    }
}

fn ruled(
    ground: Option<Ground>,
    further: &Further,
    question: &Question<'_>,
    no_rule: impl Fn() -> Denial,
) -> Result<Ground, Denial> {
    let Some(ground) = ground else {
        let asks = further.may_permit && !question.caller.principal().is_anonymous();
        return match asks.then(|| further.rules.judge(question)) {
            Some(Ruling::Permits(rule)) => Ok(Ground::Rule(rule)),
            Some(Ruling::Forbids(rule)) => Err(forbidden(question, rule)),
            Some(Ruling::Silent) | None => Err(no_rule()),
        };
    };
    if let Ruling::Forbids(rule) = further.rules.judge(question) {
        return Err(forbidden(question, rule));
    }
    let parts = question.resource.details.implies;
    for rpc in methods().filter(|rpc| parts.contains(&rpc.name)) {
        if let Ruling::Forbids(rule) = further.rules.judge(&Question { rpc, ..*question }) {
            return Err(forbidden(question, rule));
        }
    }
    Ok(ground)
}

fn forbidden(question: &Question<'_>, rule: String) -> Denial {
    let (rpc, namespace) = (question.rpc.name, question.resource.namespace.to_owned());
    Denial::Forbidden { rpc, namespace, rule }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Details, Principal, Role};

    /// Forbids or permits one method each.
    #[derive(Debug)]
    struct Fake {
        forbids: &'static str,
        permits: &'static str,
    }

    impl crate::Rules for Fake {
        fn judge(&self, question: &Question<'_>) -> Ruling {
            match question.rpc.name {
                name if name == self.forbids => Ruling::Forbids("no".to_owned()),
                name if name == self.permits => Ruling::Permits("yes".to_owned()),
                _ => Ruling::Silent,
            }
        }
    }

    fn decide(may_permit: bool, name: &str, implies: &'static [&'static str]) -> String {
        let mut claims = Claims::default();
        claims.grant("orders", Role::WRITER);
        let caller = Caller::new(Principal::named("jwt", "a"), claims);
        let rules =
            Arc::new(Fake { forbids: "StartWorkflowExecution", permits: "UpdateNamespace" });
        let policy = Policy::Ruled(Roles::default(), Further { rules, may_permit });
        let rpc = methods().find(|rpc| rpc.name == name).unwrap();
        let details = Details { implies, ..Details::default() };
        let resource = Resource::in_namespace("orders").about(details);
        match policy.decide(&caller, rpc, resource) {
            Ok(ground) => ground.to_string(),
            Err(denial) => denial.to_string(),
        }
    }

    #[test]
    fn rules_forbid_what_roles_allow() {
        assert_eq!(
            decide(false, "StartWorkflowExecution", &[]),
            "rule `no` forbids `StartWorkflowExecution` on `orders`"
        );
        assert_eq!(decide(false, "SignalWorkflowExecution", &[]), "a role");
    }

    #[test]
    fn rules_permit_more_only_when_they_are_told_that_they_may() {
        let denied = "no rule allows `UpdateNamespace` on `orders`";
        assert_eq!(decide(false, "UpdateNamespace", &[]), denied);
        assert_eq!(decide(true, "UpdateNamespace", &[]), "rule `yes`");
    }

    #[test]
    fn what_is_forbidden_alone_is_forbidden_as_a_part() {
        let parts = &["StartWorkflowExecution", "SignalWorkflowExecution"];
        assert_eq!(
            decide(true, "SignalWithStartWorkflowExecution", parts),
            "rule `no` forbids `SignalWithStartWorkflowExecution` on `orders`"
        );
    }
}
