//! What a call that reads has answered, again whenever it answers something else.

use bytes::Bytes;
use futures_util::Stream;
use http::Method;
use serde_json::Value;
use tonic::Status;
use transcoding::{Form, Found};

use super::{
    Open, event,
    watch::{self, Seen},
};
use crate::http_server::call::Failure;

/// The calls: first pages of lists, and what single things are like.
const METHODS: &[&str] = &[
    "DescribeActivityExecution",
    "DescribeBatchOperation",
    "DescribeNexusOperationExecution",
    "DescribeSchedule",
    "DescribeTaskQueue",
    "DescribeWorkerDeployment",
    "ListActivityExecutions",
    "ListBatchOperations",
    "ListNexusEndpoints",
    "ListNexusOperationExecutions",
    "ListSchedules",
    "ListWorkerDeployments",
    "ListWorkers",
];

/// The call that a path of the API means, if its answers are told.
pub(super) fn find(path: &str) -> Option<Found> {
    let found = transcoding::find(&Method::GET, path).ok()?;
    let name = found.rule().path().rsplit('/').next()?;
    METHODS.contains(&name).then_some(found)
}

/// The answers of a call, as the API gives them.
pub(super) async fn open(
    open: Open,
    found: Found,
    query: &str,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Failure> {
    let form = Form { pretty: false, shorthand: true, bare_null: false };
    let message = found.message(query, &[], form);
    let message = message.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let path = found.rule().path();
    watch::open(open, path, message, Answers { found, last: Value::Null }).await
}

struct Answers {
    found: Found,
    /// Compared as a value: fields of maps come in any order.
    last: Value,
}

impl Seen for Answers {
    fn take(&mut self, open: &Open, answer: Bytes) -> Option<Bytes> {
        let text = self.found.answer(&answer, open.form).ok()?;
        let value: Value = serde_json::from_slice(&text).ok()?;
        if value == self.last {
            return None;
        }
        self.last = value;
        Some(event(None, "answer", &text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_a_path_and_only_reads() {
        for name in METHODS {
            let rpc = authz::method(name).unwrap();
            assert_ne!(rpc.kind, authz::Kind::Write, "{name}");
            let rules = transcoding::rules().iter();
            assert!(rules.filter(|rule| rule.path() == rpc.path).count() > 0, "{name}");
        }
        assert!(find("/api/v1/namespaces/default/schedules").is_some());
        assert!(find("/api/v1/namespaces/default/schedules/s").is_some());
        assert!(find("/api/v1/nexus/endpoints").is_some());
        assert!(find("/api/v1/namespaces/default/workflows/w").is_none());
        assert!(find("/api/v1/namespaces").is_none());
    }
}
