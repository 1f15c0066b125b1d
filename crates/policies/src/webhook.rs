//! A server outside that decides.
//!
//! It is asked with JSON, in the form of the Open Policy Agent: `{"input": {…}}`, answered with
//! `{"result": true}`, `{"result": {"allow": true, "reason": "…"}}`, or the same without `result`.
//! Whatever else comes, and whatever does not come in time, denies.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use authz::{Access, Claims, Details, Part, Question, Role, SYSTEM_NAMESPACE, Scope};
use bytes::Bytes;
use environment::Clock;
use http::{Request, StatusCode, Uri, header};
use http_client::{AddressRules, HttpClient};
use lru::LruCache;
use model::Span;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

/// Most answers that are kept.
const ANSWERS_MAX: NonZeroUsize = match NonZeroUsize::new(10_000) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

/// Longest question whose answer is kept, in bytes: batches that name many have long ones.
const QUESTION_BYTES_MAX: usize = 16 * 1024;

/// Longest reason that is kept, in characters.
const REASON_MAX: usize = 500;

/// Where it is, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Its address. Without encryption it has to be on loopback.
    pub url: String,
    /// How long it may take.
    pub timeout: Span,
    /// How long its answers hold. Zero: it is asked about each call.
    pub cache_ttl: Span,
}

/// A webhook that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WebhookError(String);

/// See the module.
#[derive(Debug)]
pub struct Webhook {
    uri: Uri,
    settings: WebhookSettings,
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    answers: Mutex<LruCache<Bytes, Answer>>,
}

#[derive(Debug, Clone)]
struct Answer {
    decided: Result<(), String>,
    until: Span,
}

impl Webhook {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// When the address may not be called.
    pub fn new(
        settings: WebhookSettings,
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WebhookError> {
        let allowed = AddressRules::default().check_endpoint(&settings.url);
        allowed.map_err(|error| WebhookError(error.to_string()))?;
        let uri = settings
            .url
            .parse()
            .map_err(|_| WebhookError(format!("`{}` is no address", settings.url)))?;
        let answers = Mutex::new(LruCache::new(ANSWERS_MAX));
        Ok(Self { uri, settings, client, clock, answers })
    }

    /// Asks about a call.
    ///
    /// # Errors
    /// With the reason, for the log, when it may not run: because the webhook says so, or because
    /// it says nothing that is understood.
    pub async fn ask(&self, question: &Question<'_>) -> Result<(), String> {
        let asked = Bytes::from(input(question).to_string());
        let caches = !self.settings.cache_ttl.is_zero() && asked.len() <= QUESTION_BYTES_MAX;
        if caches {
            let now = self.clock.monotonic();
            let known = self.answers.lock().get(&asked).filter(|known| known.until > now).cloned();
            if let Some(known) = known {
                return known.decided;
            }
        }
        let decided = match self.send(asked.clone()).await {
            Ok(decided) => decided,
            Err(error) => {
                // No answer is not remembered: the next call asks again.
                return Err(format!("the webhook gives no answer: {error}"));
            }
        };
        if caches {
            let until = self.clock.monotonic() + self.settings.cache_ttl;
            self.answers.lock().put(asked, Answer { decided: decided.clone(), until });
        }
        decided
    }

    async fn send(&self, body: Bytes) -> Result<Result<(), String>, String> {
        let request = Request::post(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body)
            .map_err(|error| error.to_string())?;
        let timeout: Duration = self.settings.timeout.to_std();
        let response = self.client.send(request, timeout).await;
        let response = response.map_err(|error| error.to_string())?;
        if response.status() != StatusCode::OK {
            return Err(format!("the answer is {}", response.status()));
        }
        let answer: Value =
            serde_json::from_slice(response.body()).map_err(|error| error.to_string())?;
        read(&answer).ok_or_else(|| "the answer does not say whether to allow".to_owned())
    }
}

/// What is asked.
fn input(question: &Question<'_>) -> Value {
    let Question { caller, rpc, resource } = question;
    let (kind, name) = caller.principal().stamp().unwrap_or(("anonymous", ""));
    let access = match rpc.access {
        Access::Open => "open",
        Access::Read => "read",
        Access::Worker => "worker",
        Access::Write => "write",
        Access::Admin => "admin",
    };
    let scope = match rpc.scope {
        Scope::Cluster => "cluster",
        Scope::Namespace => "namespace",
    };
    let mut input = json!({
        "version": 1,
        "principal": { "kind": kind, "name": name, "roles": roles(caller.claims()) },
        "service": rpc.service.name(),
        "method": rpc.name,
        "access": access,
        "scope": scope,
        "namespace": resource.namespace,
        "resource": names(&resource.details),
    });
    if let Some(input) = input.as_object_mut().filter(|_| !resource.parts.is_empty()) {
        let part =
            |part: &Part<'_>| json!({ "method": part.rpc, "resource": names(&part.details) });
        input.insert("parts".to_owned(), resource.parts.iter().map(part).collect());
    }
    json!({ "input": input })
}

/// What a request, or a part of it, names.
fn names(details: &Details<'_>) -> Map<String, Value> {
    details.named().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

/// The roles by namespace, by the names of permissions.
fn roles(claims: &Claims) -> Map<String, Value> {
    const ALL: [(&str, Role); 4] = [
        ("worker", Role::WORKER),
        ("read", Role::READER),
        ("write", Role::WRITER),
        ("admin", Role::ADMIN),
    ];
    let mut roles: Map<String, Value> = Map::new();
    let mut add = |namespace: &str, name: &str| {
        let list = roles.entry(namespace).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(Value::from(name));
        }
    };
    let own = claims.namespaces.iter().map(|(name, role)| (name.as_str(), *role));
    for (namespace, held) in std::iter::once((SYSTEM_NAMESPACE, claims.system)).chain(own) {
        for (name, _) in ALL.iter().filter(|(_, role)| held.includes(*role)) {
            add(namespace, name);
        }
    }
    for (namespace, names) in &claims.custom {
        names.iter().for_each(|name| add(namespace, name));
    }
    roles
}

/// What an answer says; nothing when it says neither yes nor no.
fn read(answer: &Value) -> Option<Result<(), String>> {
    let result = answer.get("result").unwrap_or(answer);
    let allowed = match result {
        Value::Bool(allowed) => *allowed,
        other => other.get("allow")?.as_bool()?,
    };
    if allowed {
        return Some(Ok(()));
    }
    let reason = result.get("reason").and_then(Value::as_str).unwrap_or("no reason is given");
    let reason: String = reason.chars().take(REASON_MAX).collect();
    Some(Err(format!("the webhook says no: {reason}")))
}

#[cfg(test)]
mod tests {
    use authz::{Caller, Principal, Resource};
    use environment::Environment;
    use futures_util::future::BoxFuture;
    use http::Response;
    use http_client::CallError;

    use super::*;

    /// Answers with these bytes and keeps what it was asked.
    #[derive(Debug)]
    struct Fake {
        answer: Mutex<Result<Response<Bytes>, CallError>>,
        asked: Mutex<Vec<Value>>,
    }

    impl HttpClient for Fake {
        fn send(
            &self,
            request: Request<Bytes>,
            _timeout: Duration,
        ) -> BoxFuture<'_, Result<Response<Bytes>, CallError>> {
            self.asked.lock().push(serde_json::from_slice(request.body()).unwrap());
            let answer = match &*self.answer.lock() {
                Ok(response) => {
                    let mut copy = Response::new(response.body().clone());
                    *copy.status_mut() = response.status();
                    Ok(copy)
                }
                Err(error) => Err(error.clone()),
            };
            Box::pin(async { answer })
        }
    }

    fn answering(text: &str) -> Arc<Fake> {
        let answer = Response::new(Bytes::copy_from_slice(text.as_bytes()));
        Arc::new(Fake { answer: Mutex::new(Ok(answer)), asked: Mutex::default() })
    }

    async fn ask(fake: &Arc<Fake>, times: usize, cache_ttl: Span) -> Vec<Result<(), String>> {
        let settings = WebhookSettings {
            url: "http://127.0.0.1:1/v1/data/longtide".to_owned(),
            timeout: Span::from_secs(1),
            cache_ttl,
        };
        let client = Arc::clone(fake) as Arc<dyn HttpClient>;
        let webhook = Webhook::new(settings, client, Environment::system().clock).unwrap();
        let mut claims = Claims::default();
        claims.grant_permission("orders:write");
        let caller = Caller::new(Principal::named("jwt", "alice"), claims);
        let rpc = authz::rpcs().find(|rpc| rpc.name == "StartWorkflowExecution").unwrap();
        let details = Details { workflow_type: "Order", ..Details::default() };
        let resource = Resource::in_namespace("orders").about(details);
        let mut answers = Vec::new();
        for _ in 0..times {
            answers.push(webhook.ask(&Question { caller: &caller, rpc, resource }).await);
        }
        answers
    }

    #[tokio::test]
    async fn it_is_asked_in_the_form_of_the_open_policy_agent() {
        let fake = answering(r#"{"result": true}"#);
        assert_eq!(ask(&fake, 1, Span::ZERO).await, [Ok(())]);
        let input = json!({ "input": {
            "version": 1,
            "principal": { "kind": "jwt", "name": "alice", "roles": { "orders": ["write"] } },
            "service": "temporal.api.workflowservice.v1.WorkflowService",
            "method": "StartWorkflowExecution",
            "access": "write",
            "scope": "namespace",
            "namespace": "orders",
            "resource": { "workflowType": "Order" },
        } });
        assert_eq!(*fake.asked.lock(), [input]);
    }

    #[test]
    fn it_hears_of_what_a_call_does_besides() {
        let caller = Caller::new(Principal::named("jwt", "alice"), Claims::default());
        let rpc = authz::method("StartBatchOperation").unwrap();
        let details = Details { workflow_id: "order-1", ..Details::default() };
        let parts = [Part { rpc: "TerminateWorkflowExecution", details }];
        let resource = Resource::in_namespace("orders").with_parts(&parts);
        let asked = input(&Question { caller: &caller, rpc, resource });
        let part = json!({
            "method": "TerminateWorkflowExecution",
            "resource": { "workflowId": "order-1" },
        });
        assert_eq!(asked["input"]["parts"], json!([part]));
    }

    #[tokio::test]
    async fn only_a_clear_yes_allows() {
        for (answer, allows) in [
            (r#"{"result": {"allow": true}}"#, true),
            (r#"{"allow": true}"#, true),
            (r#"{"allow": "true"}"#, false),
            (r#"{"allow": false, "reason": "no"}"#, false),
            (r#"{"result": false}"#, false),
            (r#"{"result": null}"#, false),
            ("{}", false),
            ("[true]", false),
            ("yes", false),
            ("", false),
        ] {
            let [decided] = &ask(&answering(answer), 1, Span::ZERO).await[..] else { panic!() };
            assert_eq!(decided.is_ok(), allows, "{answer}: {decided:?}");
        }
        let fake = answering(r#"{"allow": true}"#);
        *fake.answer.lock() = Err(CallError::TimedOut);
        assert!(ask(&fake, 1, Span::ZERO).await[0].is_err());
        let mut refused = Response::new(Bytes::from_static(br#"{"allow": true}"#));
        *refused.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        *fake.answer.lock() = Ok(refused);
        assert!(ask(&fake, 1, Span::ZERO).await[0].is_err());
    }

    #[tokio::test]
    async fn an_answer_holds_for_as_long_as_it_is_said_and_no_answer_never() {
        let fake = answering(r#"{"allow": true}"#);
        ask(&fake, 3, Span::from_secs(60)).await;
        assert_eq!(fake.asked.lock().len(), 1);
        ask(&fake, 3, Span::ZERO).await;
        assert_eq!(fake.asked.lock().len(), 4);
        *fake.answer.lock() = Err(CallError::TimedOut);
        ask(&fake, 3, Span::from_secs(60)).await;
        assert_eq!(fake.asked.lock().len(), 7);
    }

    #[test]
    fn an_address_off_loopback_needs_encryption() {
        let of = |url: &str| {
            let (timeout, cache_ttl) = (Span::from_secs(1), Span::ZERO);
            let settings = WebhookSettings { url: url.to_owned(), timeout, cache_ttl };
            let client = answering("") as Arc<dyn HttpClient>;
            Webhook::new(settings, client, Environment::system().clock).is_ok()
        };
        assert!(of("https://example.com/decide") && of("http://127.0.0.1:8181/decide"));
        assert!(!of("http://example.com/decide") && !of("file:///etc/passwd"));
    }
}
