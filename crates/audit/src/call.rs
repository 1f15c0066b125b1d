//! What is kept of a call.

use authz::Principal;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Longest name that is kept, in bytes; ids of the API have up to a thousand.
const NAME_BYTES_MAX: usize = 1024;

/// A call: who, what, from where, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Who calls, and how that was proved.
    pub principal: Who,
    /// The address that the call came from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The method's bare name.
    pub rpc: &'static str,
    /// The full name of its service.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub service: &'static str,
    /// The namespace that the request names; it may not exist.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// What in it the request names.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub target: Names,
    /// What was decided.
    pub decision: Decision,
    /// The rule that decided, or why there was none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// The code of the answer.
    pub outcome: &'static str,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Who {
    /// How that was proved, such as `jwt`, `certificate` or `api-key`; `anonymous` when it was not.
    pub kind: String,
    /// The name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// What was decided of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It might run.
    Allowed,
    /// No rule allowed it.
    Denied,
    /// The credentials were not taken.
    Unauthenticated,
}

/// Names that a request chose or means: ids, types, task queues. No payload is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(Vec<(&'static str, String)>);

impl Names {
    /// Adds a name; an empty one says nothing.
    pub fn add(&mut self, what: &'static str, name: &str) {
        if !name.is_empty() && !self.0.iter().any(|(known, _)| *known == what) {
            self.0.push((what, shortened(name, NAME_BYTES_MAX)));
        }
    }

    /// Adds all of others.
    pub fn add_all(&mut self, others: Self) {
        others.0.into_iter().for_each(|(what, name)| self.add(what, &name));
    }

    /// The name of this kind, as far as it is kept.
    pub fn get(&self, what: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == what).map(|(_, name)| name.as_str())
    }

    /// True when there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (what, name) in &self.0 {
            map.serialize_entry(what, name)?;
        }
        map.end()
    }
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        let (kind, name) = principal.stamp().unwrap_or(("anonymous", ""));
        Self { kind: kind.to_owned(), name: shortened(name, NAME_BYTES_MAX) }
    }
}

impl Decision {
    /// As records have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Unauthenticated => "unauthenticated",
        }
    }
}

/// The beginning of a text, with a mark where the rest was.
pub(crate) fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max);
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_as_json_without_what_it_lacks() {
        let mut target = Names::default();
        target.add("workflow_id", "order-1");
        target.add("run_id", "");
        let call = Call {
            principal: Who::from(&Principal::named("api-key", "ci")),
            source: "127.0.0.1:5".to_owned(),
            rpc: "StartWorkflowExecution",
            service: "temporal.api.workflowservice.v1.WorkflowService",
            namespace: "orders".to_owned(),
            target,
            decision: Decision::Allowed,
            rule: String::new(),
            outcome: "OK",
        };
        assert_eq!(
            serde_json::to_string(&call).unwrap(),
            "{\"principal\":{\"kind\":\"api-key\",\"name\":\"ci\"},\"source\":\"127.0.0.1:5\",\
             \"rpc\":\"StartWorkflowExecution\",\"service\":\"temporal.api.workflowservice.v1.\
             WorkflowService\",\"namespace\":\"orders\",\"target\":{\"workflow_id\":\"order-1\"},\
             \"decision\":\"allowed\",\"outcome\":\"OK\"}"
        );
        let anonymous = serde_json::to_string(&Who::from(&Principal::anonymous())).unwrap();
        assert_eq!(anonymous, "{\"kind\":\"anonymous\"}");
    }

    #[test]
    fn a_long_name_is_shortened_between_characters() {
        assert_eq!(shortened("aäb", 2), "a…");
        assert_eq!(shortened("aäb", 3), "aä…");
        assert_eq!(shortened("aäb", 4), "aäb");
    }
}
