//! Looks for records.

use std::time::SystemTime;

use serde_json::Value;

/// What a record has to be. What is not set is anything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The name of who called.
    pub principal: Option<String>,
    /// The method's bare name.
    pub rpc: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// `allowed`, `denied` or `unauthenticated`.
    pub decision: Option<String>,
    /// The code of the answer, such as `NOT_FOUND`.
    pub outcome: Option<String>,
    /// A name in the target, such as a workflow id.
    pub target: Option<String>,
    /// Not before this time.
    pub since: Option<SystemTime>,
    /// Before this time.
    pub until: Option<SystemTime>,
    /// Only calls, one by one or counted: nothing that the log says of itself.
    pub calls_only: bool,
}

impl Filter {
    /// True when a line is such a record.
    pub fn takes(&self, line: &str) -> bool {
        serde_json::from_str(line).is_ok_and(|record| self.takes_record(&record))
    }

    pub(crate) fn takes_record(&self, record: &Value) -> bool {
        let is = |wanted: &Option<String>, path: &str| {
            let found = record.pointer(path).and_then(Value::as_str);
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let has_target = self.target.as_deref().is_none_or(|wanted| {
            let names = record.get("target").and_then(Value::as_object);
            names.is_some_and(|names| names.values().any(|name| name.as_str() == Some(wanted)))
        });
        let time = record.get("time").and_then(Value::as_str).unwrap_or_default();
        let time = humantime::parse_rfc3339(time).ok();
        (!self.calls_only || record.get("rpc").is_some())
            && has_target
            && is(&self.principal, "/principal/name")
            && is(&self.rpc, "/rpc")
            && is(&self.namespace, "/namespace")
            && is(&self.decision, "/decision")
            && is(&self.outcome, "/outcome")
            && self.since.is_none_or(|since| time.is_some_and(|time| time >= since))
            && self.until.is_none_or(|until| time.is_some_and(|time| time < until))
    }
}

/// A point in time as filters take it, such as `2026-11-22T10:00:00Z`.
pub fn point_in_time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339_weak(text).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LINE: &str = r#"{"hash":"0","seq":1,"prev":"0","time":"1970-01-01T00:00:05.000000Z",
        "kind":"call","principal":{"kind":"jwt","name":"alice"},"rpc":"SignalWorkflowExecution",
        "namespace":"orders","target":{"workflow_id":"o-1"},"decision":"allowed","outcome":"OK"}"#;

    #[test]
    fn a_record_is_found_by_what_it_says() {
        let text = |text: &str| Some(text.to_owned());
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert!(Filter::default().takes(LINE));
        assert!(!Filter::default().takes("{"));
        let all = Filter {
            principal: text("alice"),
            rpc: text("SignalWorkflowExecution"),
            namespace: text("orders"),
            decision: text("allowed"),
            outcome: text("OK"),
            target: text("o-1"),
            since: at(5),
            until: at(6),
            calls_only: true,
        };
        assert!(all.takes(LINE));
        let calls = Filter { calls_only: true, ..Filter::default() };
        assert!(!calls.takes(r#"{"seq":2,"kind":"dropped","count":7}"#));
        for other in [
            Filter { principal: text("bob"), ..Filter::default() },
            Filter { rpc: text("Signal"), ..Filter::default() },
            Filter { namespace: text("other"), ..Filter::default() },
            Filter { decision: text("denied"), ..Filter::default() },
            Filter { outcome: text("NOT_FOUND"), ..Filter::default() },
            Filter { target: text("o"), ..Filter::default() },
            Filter { since: at(6), ..Filter::default() },
            Filter { until: at(5), ..Filter::default() },
        ] {
            assert!(!other.takes(LINE), "{other:?}");
        }
    }
}
