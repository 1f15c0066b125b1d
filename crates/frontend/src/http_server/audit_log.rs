//! The audit log, for those who look after the server, or after a namespace.

use audit::{Decision, Filter, Names, PAGE_RECORDS_MAX, Page, SearchError, point_in_time};
use authz::{READ_AUDIT_LOG, Resource};
use bytes::Bytes;
use http::{HeaderValue, Response, header::CONTENT_TYPE, request::Parts};
use tonic::{Code, Status};
use transcoding::{BadRequest, query_value};

use super::{Answer, call::Failure, connection::Asked};
use crate::{
    auditing::{self, Source, code_name},
    error::{ApiError, ApiResult},
    frontend::Frontend,
};

/// Records of a page, where the request does not say how many.
const RECORDS: usize = 100;

/// Filters that are texts, by their names in a request.
const TEXTS: [&str; 6] = ["principal", "rpc", "namespace", "decision", "outcome", "target"];

/// What a request looks for.
#[derive(Debug, Default)]
struct Search {
    filter: Filter,
    before: Option<u64>,
    records_max: usize,
    /// The filter, for the record of the search itself.
    names: Names,
}

/// The latest records that the request's filters take. Looking is a call as any other: decided,
/// limited and recorded.
pub(super) async fn answer(asked: &Asked, parts: &Parts) -> Result<Answer, Failure> {
    let Some(own) = asked.calls.own() else {
        return Err(Status::unimplemented("the server behind these pages does not say it").into());
    };
    let caller = asked.caller(own, parts).await?;
    let frontend = own.frontend();
    if caller.principal().is_anonymous() && frontend.policy.needs_credentials() {
        frontend.audit_refusal(Some(&READ_AUDIT_LOG), asked.peer.address, None);
        let status = ApiError::permission_denied().into_status();
        return Err(Failure { status, is_unread: true });
    }
    let search = Search::read(parts.uri.query().unwrap_or_default())?;
    let namespace = search.filter.namespace.clone().unwrap_or_default();
    let started = frontend.environment.clock.monotonic();
    let metrics = frontend.metrics.request(READ_AUDIT_LOG.name, "").begin();
    let resource = Resource::in_namespace(&namespace);
    let permitted = frontend.permit(&READ_AUDIT_LOG, &caller, resource).await;
    let admitted = permitted.and_then(|permit| {
        frontend.check_audit(&READ_AUDIT_LOG, &namespace)?;
        frontend.limiter.admit(&READ_AUDIT_LOG, None, permit.principal())?;
        Ok(permit)
    });
    let mut extensions = http::Extensions::new();
    extensions.insert(caller);
    extensions.insert(Source(asked.peer.address));
    let call =
        auditing::Asked { rpc: &READ_AUDIT_LOG, extensions: &extensions, namespace: &namespace };
    let record = frontend.audit(&call, || search.names.clone(), admitted.as_ref());
    let found = match admitted {
        Ok(_) => look(frontend, search).await,
        Err(error) => Err(error),
    };
    let error = found.as_ref().err();
    let latency = frontend.environment.clock.monotonic() - started;
    metrics.end(latency.to_std(), error.map(ApiError::error_type));
    if let Some(record) = record {
        record.answered(code_name(error.map_or(Code::Ok, ApiError::code))).await;
    }
    Ok(found.map(|page| json(&page)).map_err(ApiError::into_status)?)
}

async fn look(frontend: &Frontend, search: Search) -> ApiResult<Page> {
    let none = || ApiError::unimplemented("this server keeps no audit log");
    let log = frontend.audit.as_ref().ok_or_else(none)?;
    let found = log.search(search.filter, search.before, search.records_max).await;
    found.map_err(|error| match error {
        SearchError::NoFiles => ApiError::unimplemented(error.to_string()),
        SearchError::Busy => ApiError::unavailable(error.to_string()),
        error => ApiError::internal(&error),
    })
}

/// The records stay as they were written: their hashes are those of their bytes.
fn json(page: &Page) -> Answer {
    let mut text = String::from("{\"records\":[");
    text.push_str(&page.records.join(","));
    text.push(']');
    if let Some(next) = page.next {
        text.push_str(&format!(",\"nextPageToken\":\"{next}\""));
    }
    text.push('}');
    let mut answer = Response::new(Bytes::from(text));
    let kind = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

impl Search {
    fn read(query: &str) -> Result<Self, Status> {
        let invalid = |error: BadRequest| Status::invalid_argument(error.to_string());
        let text = |name: &str| {
            let value = query_value(query, name).map_err(invalid)?;
            Ok::<_, Status>(value.filter(|value| !value.is_empty()))
        };
        let number = |name: &str| {
            let wrong = |_| Status::invalid_argument(format!("{name} is no number"));
            text(name)?.map(|text| text.parse::<u64>().map_err(wrong)).transpose()
        };
        let mut looked_for = Vec::new();
        for name in TEXTS.into_iter().chain(["since", "until"]) {
            looked_for.extend(text(name)?.map(|text| format!("{name}={text}")));
        }
        // As one text: who looks for a workflow does not find that somebody has looked for it.
        let mut names = Names::default();
        names.add("search", &looked_for.join(" "));
        let point = |name: &str| {
            let wrong = || {
                let form = "a time such as 2026-11-22T10:00:00Z";
                Status::invalid_argument(format!("{name} is not {form}"))
            };
            text(name)?.map(|text| point_in_time(&text).ok_or_else(wrong)).transpose()
        };
        let decision = text("decision")?;
        let decisions = [Decision::Allowed, Decision::Denied, Decision::Unauthenticated];
        if let Some(decision) = &decision
            && !decisions.iter().any(|known| known.as_str() == decision)
        {
            return Err(Status::invalid_argument(format!("`{decision}` is no decision")));
        }
        let records_max = match number("pageSize")?.map(usize::try_from) {
            None | Some(Ok(0)) => RECORDS,
            Some(wanted) => wanted.unwrap_or(PAGE_RECORDS_MAX).min(PAGE_RECORDS_MAX),
        };
        let filter = Filter {
            principal: text("principal")?,
            rpc: text("rpc")?,
            namespace: text("namespace")?,
            decision,
            outcome: text("outcome")?,
            target: text("target")?,
            since: point("since")?,
            until: point("until")?,
            calls_only: text("all")?.is_none(),
        };
        Ok(Self { filter, before: number("nextPageToken")?, records_max, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_is_looked_for() {
        let read = Search::read(
            "principal=al%20ice&namespace=orders&decision=denied&since=2026-11-22T10:00:00Z\
             &nextPageToken=7&pageSize=9000&target=",
        )
        .unwrap();
        assert_eq!(read.filter.principal.as_deref(), Some("al ice"));
        assert_eq!(read.filter.namespace.as_deref(), Some("orders"));
        assert_eq!(read.filter.target, None);
        assert!(read.filter.calls_only && read.filter.since.is_some());
        assert_eq!((read.before, read.records_max), (Some(7), PAGE_RECORDS_MAX));
        assert_eq!(
            read.names.get("search"),
            Some("principal=al ice namespace=orders decision=denied since=2026-11-22T10:00:00Z")
        );
        assert_eq!(Search::read("").unwrap().records_max, RECORDS);
        assert!(!Search::read("all=true").unwrap().filter.calls_only);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for query in ["pageSize=x", "nextPageToken=-1", "since=noon", "decision=maybe", "rpc=%ff"] {
            let status = Search::read(query).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{query}");
        }
    }

    #[test]
    fn records_are_sent_as_they_were_written() {
        let records = vec!["{\"hash\":\"1\", \"seq\":2}".to_owned(), "{}".to_owned()];
        let answer = json(&Page { records, next: Some(2) });
        assert_eq!(
            answer.into_body(),
            "{\"records\":[{\"hash\":\"1\", \"seq\":2},{}],\"nextPageToken\":\"2\"}"
        );
        assert_eq!(json(&Page::default()).into_body(), "{\"records\":[]}");
    }
}
