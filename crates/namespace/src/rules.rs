//! The rules of a namespace.

use api::rules::v1::WorkflowRule;
use model::{NamespaceId, Time};

use crate::{Namespace, NamespaceError, Namespaces};

/// Most rules of a namespace, as in the reference: each is looked at for every activity.
pub const RULES_MAX: usize = 10;

/// Why a rule was not added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// There is none with this id.
    #[error("rule not found")]
    NotFound,
    /// There is one with this id.
    #[error("rule already exists")]
    AlreadyExists,
    /// There are as many as there may be, and none of them has expired.
    #[error("too many rules")]
    TooMany,
}

impl Namespace {
    /// The rule with this id.
    pub fn rule(&self, rule_id: &str) -> Option<&WorkflowRule> {
        self.rules.iter().find(|rule| id(rule) == rule_id)
    }
}

impl Namespaces {
    /// Adds a rule; the one that expired first makes room.
    ///
    /// # Errors
    /// The inner error when the id is taken or there are too many: nothing changes then.
    pub async fn add_rule(
        &self,
        namespace: NamespaceId,
        rule: WorkflowRule,
        now: Time,
    ) -> Result<Result<(), RuleError>, NamespaceError> {
        let mut outcome = Ok(());
        self.update(namespace, |namespace| outcome = with_rule(&mut namespace.rules, rule, now))
            .await?;
        Ok(outcome)
    }

    /// Removes a rule.
    ///
    /// # Errors
    /// The inner error when there is none with this id.
    pub async fn remove_rule(
        &self,
        namespace: NamespaceId,
        rule_id: &str,
    ) -> Result<Result<(), RuleError>, NamespaceError> {
        let turn = self.begin().await?;
        let mut namespace = self.required(namespace)?;
        let before = namespace.rules.len();
        namespace.rules.retain(|rule| id(rule) != rule_id);
        if namespace.rules.len() == before {
            return Ok(Err(RuleError::NotFound));
        }
        self.write(turn, namespace).await.map(|_| Ok(()))
    }
}

fn with_rule(
    rules: &mut Vec<WorkflowRule>,
    rule: WorkflowRule,
    now: Time,
) -> Result<(), RuleError> {
    if rules.iter().any(|known| id(known) == id(&rule)) {
        return Err(RuleError::AlreadyExists);
    }
    if rules.len() >= RULES_MAX {
        let expired = rules.iter().enumerate().filter(|(_, rule)| {
            let expires = expires(rule);
            expires.is_set() && expires < now
        });
        let Some((index, _)) = expired.min_by_key(|(_, rule)| expires(rule)) else {
            return Err(RuleError::TooMany);
        };
        rules.remove(index);
    }
    rules.push(rule);
    Ok(())
}

fn id(rule: &WorkflowRule) -> &str {
    rule.spec.as_ref().map_or("", |spec| &spec.id)
}

fn expires(rule: &WorkflowRule) -> Time {
    Time::from_proto(rule.spec.as_ref().and_then(|spec| spec.expiration_time.as_ref()))
}

#[cfg(test)]
mod tests {
    use api::rules::v1::WorkflowRuleSpec;

    use super::*;

    fn rule(id: &str, expires: i64) -> WorkflowRule {
        let expiration_time = Time::from_nanos(expires).to_proto().filter(|_| expires > 0);
        let spec = WorkflowRuleSpec { id: id.to_owned(), expiration_time, ..Default::default() };
        WorkflowRule { spec: Some(spec), ..Default::default() }
    }

    #[test]
    fn an_id_is_used_once_and_only_an_expired_rule_makes_room() {
        let now = Time::from_nanos(100);
        let mut rules = Vec::new();
        for number in 0..RULES_MAX {
            let expires = if number == 3 { 50 } else { 0 };
            with_rule(&mut rules, rule(&number.to_string(), expires), now).unwrap();
        }
        let again = with_rule(&mut rules, rule("2", 0), now);
        assert_eq!(again, Err(RuleError::AlreadyExists));
        with_rule(&mut rules, rule("new", 200), now).unwrap();
        assert!(rules.iter().all(|rule| id(rule) != "3"));
        assert_eq!(with_rule(&mut rules, rule("one more", 0), now), Err(RuleError::TooMany));
        assert_eq!(rules.len(), RULES_MAX);
    }
}
