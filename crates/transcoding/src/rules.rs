//! The rules: which method and path are which call.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use http::Method;
use percent_encoding::percent_decode_str;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};

use crate::{BadRequest, Form, NotRouted, field, json, pool::pool, query, read};

/// The rules for HTTP of every method that has some: verb, path, `*` when the body is the request,
/// and the method, one rule a line.
const TEXT: &str = include_str!("http_rules.txt");

/// The same for methods that the API gives no rule, and that a web UI needs.
const FURTHER: &str = "\
POST /ui-api/namespaces/{namespace}/search-attributes * \
temporal.api.operatorservice.v1.OperatorService/AddSearchAttributes
POST /ui-api/namespaces/{namespace}/search-attributes/remove * \
temporal.api.operatorservice.v1.OperatorService/RemoveSearchAttributes";

/// One way to make a call.
#[derive(Debug)]
pub struct Rule {
    pub(crate) verb: Method,
    pub(crate) template: &'static str,
    pub(crate) segments: Vec<Segment>,
    /// The body is the whole request; otherwise there is none, and the query names fields.
    pub(crate) has_body: bool,
    pub(crate) method: MethodDescriptor,
    path: String,
}

/// A piece of a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(&'static str),
    /// The path of a field of the request.
    Field(&'static str),
}

struct Rules {
    /// Those of the API, and then those that are not.
    all: Vec<Rule>,
    of_api: usize,
    /// By the number of segments: those that may mean a path.
    by_length: HashMap<usize, Vec<usize>>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut all: Vec<Rule> = TEXT.lines().filter_map(Rule::parse).collect();
    let of_api = all.len();
    all.extend(FURTHER.lines().filter_map(Rule::parse));
    let mut by_length: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, rule) in all.iter().enumerate() {
        by_length.entry(rule.segments.len()).or_default().push(index);
    }
    Rules { all, of_api, by_length }
});

/// Every rule of the API, in the order of its description.
pub fn rules() -> &'static [Rule] {
    RULES.all.get(..RULES.of_api).unwrap_or_default()
}

/// Which call a request is.
///
/// # Errors
/// When it is none.
pub fn find(method: &Method, path: &str) -> Result<Found, NotRouted> {
    let path = path.strip_prefix('/').ok_or(NotRouted::Path)?;
    let segments: Vec<&str> = path.split('/').collect();
    let candidates = RULES.by_length.get(&segments.len()).map_or(&[][..], Vec::as_slice);
    let mut other_method = false;
    // As in the reference, what is described last is tried first.
    for rule in candidates.iter().rev().filter_map(|index| RULES.all.get(*index)) {
        if !rule.matches(&segments) {
            continue;
        }
        if rule.verb == *method {
            return Ok(Found { rule, captured: rule.capture(&segments)? });
        }
        other_method = true;
    }
    Err(if other_method { NotRouted::Method } else { NotRouted::Path })
}

impl Rule {
    /// Reads `VERB TEMPLATE BODY SERVICE/METHOD`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let verb: Method = words.next()?.parse().ok()?;
        let template = words.next()?;
        let has_body = words.next()? == "*";
        let path = words.next()?;
        let (service, name) = path.split_once('/')?;
        let service = pool().get_service_by_name(service)?;
        let method = service.methods().find(|method| method.name() == name)?;
        let segment = |text: &'static str| {
            let field = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            field.map_or(Segment::Literal(text), Segment::Field)
        };
        let segments = template.strip_prefix('/')?.split('/').map(segment).collect();
        Some(Self { verb, template, segments, has_body, method, path: format!("/{path}") })
    }

    fn matches(&self, segments: &[&str]) -> bool {
        self.segments.iter().zip(segments).all(|(expected, found)| match expected {
            Segment::Literal(text) => text == found,
            Segment::Field(_) => true,
        })
    }

    fn capture(&self, segments: &[&str]) -> Result<Vec<(&'static str, String)>, NotRouted> {
        let mut captured = Vec::new();
        for (expected, found) in self.segments.iter().zip(segments) {
            if let Segment::Field(field) = expected {
                let text = percent_decode_str(found).decode_utf8();
                let text = text.map_err(|_| NotRouted::Malformed)?;
                captured.push((*field, text.into_owned()));
            }
        }
        Ok(captured)
    }

    /// The method's path in gRPC, `/service/method`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The fields that the path names.
    pub(crate) fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Field(field) => Some(*field),
        })
    }
}

/// A call, and what its path says of it.
#[derive(Debug)]
pub struct Found {
    rule: &'static Rule,
    captured: Vec<(&'static str, String)>,
}

impl Found {
    /// The rule that found it.
    pub const fn rule(&self) -> &'static Rule {
        self.rule
    }

    /// The call's encoded message.
    ///
    /// # Errors
    /// When query or body are not of the call.
    pub fn message(&self, query: &str, body: &[u8], form: Form) -> Result<Vec<u8>, BadRequest> {
        use prost::Message as _;
        let input = self.rule.method.input();
        let mut message = if self.rule.has_body {
            read::message(&input, body, form)?
        } else {
            let mut message = DynamicMessage::new(input);
            let taken: Vec<&str> = self.rule.path_fields().collect();
            for (name, values) in query::pairs(query)? {
                field::set_of_query(&mut message, &name, &values, &taken)?;
            }
            message
        };
        for (path, value) in &self.captured {
            field::set(&mut message, path, Cow::Borrowed(value))?;
        }
        Ok(message.encode_to_vec())
    }

    /// The answer's message as JSON.
    ///
    /// # Errors
    /// When the bytes are no such message.
    pub fn answer(&self, message: &[u8], form: Form) -> Result<Vec<u8>, BadRequest> {
        json::encoded(&self.output(), message, form)
    }

    fn output(&self) -> MessageDescriptor {
        self.rule.method.output()
    }
}

#[cfg(test)]
mod tests {
    use api::workflowservice::v1 as workflow;
    use prost::Message;
    use serde_json::{Value, json};

    use super::*;

    const SHORT: Form = Form { pretty: false, shorthand: true, bare_null: false };

    fn request<M: Message + Default>(verb: &str, path: &str, query: &str, body: &str) -> M {
        let found = find(&verb.parse().unwrap(), path).unwrap();
        let message = found.message(query, body.as_bytes(), SHORT).unwrap();
        M::decode(message.as_slice()).unwrap()
    }

    fn refused(verb: &str, path: &str, query: &str, body: &str) -> String {
        let found = find(&verb.parse().unwrap(), path).unwrap();
        found.message(query, body.as_bytes(), SHORT).unwrap_err().to_string()
    }

    #[test]
    fn every_rule_is_read() {
        let lines = TEXT.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rules().len(), lines.count());
        assert!(rules().len() > 200, "{}", rules().len());
        assert_eq!(RULES.all.len() - rules().len(), FURTHER.lines().count());
        for rule in rules() {
            let mut message = DynamicMessage::new(rule.method.input());
            for name in rule.path_fields() {
                field::set(&mut message, name, Cow::Borrowed("x")).unwrap();
            }
        }
    }

    #[test]
    fn a_path_names_fields_however_deep() {
        let signal: workflow::SignalWorkflowExecutionRequest = request(
            "POST",
            "/api/v1/namespaces/a%20b/workflows/w%2F1/signal/go",
            "",
            r#"{"input": [1, "two"], "workflowExecution": {"runId": "r"}, "identity": "me"}"#,
        );
        let execution = signal.workflow_execution.unwrap();
        assert_eq!((signal.namespace.as_str(), signal.signal_name.as_str()), ("a b", "go"));
        assert_eq!((execution.workflow_id.as_str(), execution.run_id.as_str()), ("w/1", "r"));
        let payloads = signal.input.unwrap().payloads;
        assert_eq!(&payloads[1].data[..], b"\"two\"");
        assert_eq!(&payloads[1].metadata["encoding"][..], b"json/plain");
    }

    #[test]
    fn a_web_ui_adds_search_attributes() {
        let add: api::operatorservice::v1::AddSearchAttributesRequest = request(
            "POST",
            "/ui-api/namespaces/n/search-attributes",
            "",
            r#"{"searchAttributes": {"City": "INDEXED_VALUE_TYPE_KEYWORD"}}"#,
        );
        assert_eq!((add.namespace.as_str(), add.search_attributes.get("City")), ("n", Some(&2)));
    }

    #[test]
    fn both_prefixes_are_one_call() {
        for path in ["/api/v1/namespaces/n/workflows/w", "/namespaces/n/workflows/w"] {
            let describe: workflow::DescribeWorkflowExecutionRequest =
                request("GET", path, "execution.runId=r&unknown=1", "");
            let execution = describe.execution.unwrap();
            assert_eq!((execution.workflow_id.as_str(), execution.run_id.as_str()), ("w", "r"));
        }
    }

    #[test]
    fn a_query_sets_fields_of_every_kind() {
        let list: workflow::ListWorkflowExecutionsRequest = request(
            "GET",
            "/api/v1/namespaces/n/workflows",
            "pageSize=5&next_page_token=AAE%3D&query=a%20%3D+%27b%27&namespace=other",
            "",
        );
        assert_eq!((list.page_size, list.query.as_str()), (5, "a = 'b'"));
        assert_eq!((&list.next_page_token[..], list.namespace.as_str()), (&[0, 1][..], "n"));
        let queue: workflow::DescribeTaskQueueRequest = request(
            "GET",
            "/namespaces/n/task-queues/q",
            "taskQueueType=2&apiMode=DESCRIBE_TASK_QUEUE_MODE_ENHANCED&reportStats=true",
            "",
        );
        assert_eq!((queue.task_queue_type, queue.api_mode), (2, 1));
        assert!(queue.report_stats);
        let times: workflow::ListScheduleMatchingTimesRequest = request(
            "GET",
            "/namespaces/n/schedules/s/matching-times",
            "startTime=2026-01-02T03:04:05Z",
            "",
        );
        assert_eq!(times.start_time.unwrap().seconds, 1_767_323_045);
    }

    #[test]
    fn what_is_no_value_of_a_field_is_refused() {
        let list = "/namespaces/n/workflows";
        assert!(refused("GET", list, "pageSize=x", "").contains("page_size"));
        assert!(refused("GET", list, "pageSize=1&pageSize=2", "").contains("too many values"));
        assert!(refused("GET", list, "pageSize.x=1", "").contains("not a message"));
        let start = "/namespaces/n/workflows/w";
        for body in ["{", "[]", "null", r#"{"nothing": 1}"#, r#"{"identity": 1}"#, "{} {}"] {
            refused("POST", start, "", body);
        }
    }

    #[test]
    fn an_empty_body_is_an_empty_request() {
        let start: workflow::StartWorkflowExecutionRequest =
            request("POST", "/namespaces/n/workflows/w", "", " ");
        assert_eq!((start.namespace.as_str(), start.workflow_id.as_str()), ("n", "w"));
    }

    #[test]
    fn what_is_no_call_says_why() {
        let why = |verb: Method, path| find(&verb, path).unwrap_err();
        assert_eq!(why(Method::GET, "/api/v1/nothing"), NotRouted::Path);
        assert_eq!(why(Method::GET, "/"), NotRouted::Path);
        assert_eq!(why(Method::PUT, "/api/v1/namespaces"), NotRouted::Method);
        assert_eq!(why(Method::GET, "/api/v1/namespaces/%ff"), NotRouted::Malformed);
    }

    #[test]
    fn literals_win_over_names() {
        let path = |path| find(&Method::GET, path).unwrap().rule().method.name().to_owned();
        assert_eq!(path("/namespaces/n/workers/describe/k"), "DescribeWorker");
        assert_eq!(path("/cluster/namespaces/n"), "DescribeNamespace");
        assert_eq!(path("/api/v1/namespaces/n/workflow-count"), "CountWorkflowExecutions");
    }

    #[test]
    fn an_answer_is_json() {
        let found = find(&Method::GET, "/api/v1/namespaces/n/workflow-count").unwrap();
        let answer = workflow::CountWorkflowExecutionsResponse { count: 7, groups: Vec::new() };
        let json = found.answer(&answer.encode_to_vec(), SHORT).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), json!({"count": "7"}));
    }
}
