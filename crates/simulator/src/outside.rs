//! Servers outside, which handle Nexus operations over HTTP and are called back. They outlive the
//! node; their network fails like any other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api::{
    common::v1::{Callback, callback},
    failure::v1::{CanceledFailureInfo, Failure, failure::FailureInfo},
    nexus::v1::{EndpointSpec, EndpointTarget, StartOperationRequest, endpoint_target},
};
use bytes::Bytes;
use engine::NexusOperationEnd;
use environment::Clock;
use futures_util::future::BoxFuture;
use history::{CallbackToken, NexusCompletion, Outbound};
use http::{Request, Response, StatusCode};
use http_client::{AddressRule, AddressRules, CallError, HttpClient};
use model::Span;
use nexus_protocol::{
    CALLBACK_TOKEN, CompletionEnd, OperationRequest, read_completion, read_operation,
    write_canceling, write_started, write_succeeded,
};
use parking_lot::Mutex;

use crate::{
    broken::Broken,
    cluster::token_keys,
    dice::Dice,
    operation::{Handler, is_endless},
    payload::{payload, payload_text},
    world::World,
};

/// Where it points.
const URL: &str = "https://outside.example.com";

/// Where callbacks go: behind it comes their name.
const TOLD: &str = "/told/";

/// A callback of this name.
pub(crate) fn callback(name: &str) -> Callback {
    let url = format!("{URL}{TOLD}{}", name.replace(' ', "-"));
    let nexus = callback::Nexus { url, ..callback::Nexus::default() };
    Callback { variant: Some(callback::Variant::Nexus(nexus)), ..Callback::default() }
}

/// The path of a callback.
pub(crate) fn path_of(callback: &Callback) -> Option<&str> {
    match &callback.variant {
        Some(callback::Variant::Nexus(nexus)) => nexus.url.strip_prefix(URL),
        _ => None,
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Outside {
    clock: Arc<dyn Clock>,
    dice: Dice,
    broken: Option<Broken>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The operations by the ids of the requests that started them. Those that go on for a while
    /// have news in the end.
    operations: BTreeMap<String, Option<News>>,
    /// Operations that are done, of which their callers have not heard yet.
    news: Vec<News>,
    /// What callbacks have told, by their paths.
    told: BTreeMap<String, Vec<Told>>,
}

/// What a callback tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Succeeded(String),
    Failed,
    Canceled,
}

/// The end of an operation.
#[derive(Debug, Clone)]
struct News {
    token: String,
    request_id: String,
    operation: String,
    is_canceled: bool,
}

impl Outside {
    pub(crate) fn new(seed: u64, clock: &Arc<dyn Clock>, broken: Option<Broken>) -> Arc<Self> {
        let dice = Dice::new(seed, "outside");
        Arc::new(Self { clock: Arc::clone(clock), dice, broken, state: Mutex::default() })
    }

    /// What the endpoint is.
    pub(crate) fn endpoint() -> EndpointSpec {
        let external = endpoint_target::External { url: URL.to_owned() };
        let variant = Some(endpoint_target::Variant::External(external));
        let name = Handler::Outside.endpoint().to_owned();
        let target = Some(EndpointTarget { variant });
        EndpointSpec { name, target, ..EndpointSpec::default() }
    }

    /// How the node reaches it.
    pub(crate) fn outbound(self: &Arc<Self>) -> Outbound {
        Outbound {
            client: Arc::clone(self) as _,
            rules: AddressRules::new([AddressRule {
                pattern: "outside.example.com".to_owned(),
                allow_insecure: false,
            }]),
            callback_url_template: Some("https://node.example.com/nexus/callback".to_owned()),
        }
    }

    /// What callbacks have told so far, by their paths.
    pub(crate) fn told(&self) -> BTreeMap<String, Vec<Told>> {
        self.state.lock().told.clone()
    }

    /// Brings the news to the node, until there can be no more.
    pub(crate) async fn run(self: Arc<Self>, world: Arc<World>) {
        while !world.is_done() {
            world.sleep(self.dice.span(10, 2_000)).await;
            let news = std::mem::take(&mut self.state.lock().news);
            for news in news {
                self.tell(&world, news).await;
            }
        }
    }

    async fn tell(&self, world: &World, news: News) {
        let keys = token_keys();
        let Some(token) = CallbackToken::decode(&keys, &news.token) else {
            world.witness.accuse(format!("`{}` is no callback token", news.token));
            return;
        };
        let completion = NexusCompletion {
            operation_token: news.request_id.clone(),
            links: Vec::new(),
            end: if news.is_canceled {
                NexusOperationEnd::Canceled(cancellation())
            } else {
                let result = Some(payload(&news.operation));
                NexusOperationEnd::Succeeded { result, links: Vec::new() }
            },
        };
        let told = world.call(&self.dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            life.history.complete_nexus_operation(permit, namespace, &token, completion).await
        });
        let told = told.await;
        world.note("outside", &format!("operation {} is done", news.request_id), &told);
        let is_over = match &told {
            // Some handlers repeat themselves.
            Ok(()) => !self.dice.chance(100),
            Err(error) => error.is_rejection(),
        };
        if !is_over {
            self.state.lock().news.push(news);
        }
    }

    fn handle(&self, request: Request<Bytes>) -> Result<Response<Bytes>, CallError> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        if path.starts_with(TOLD) {
            let Ok(completion) = read_completion(&parts.headers, body) else {
                return Ok(status(StatusCode::BAD_REQUEST));
            };
            let told = match completion.end {
                CompletionEnd::Succeeded(result) => Told::Succeeded(payload_text(result.as_ref())),
                CompletionEnd::Unsuccessful { is_canceled: true, .. } => Told::Canceled,
                CompletionEnd::Unsuccessful { .. } => Told::Failed,
            };
            let told = match self.broken {
                Some(Broken::LosesCallbacks) => return Ok(status(StatusCode::OK)),
                Some(Broken::TellsOtherNews) if told != Told::Failed => Told::Failed,
                Some(Broken::TellsOtherNews) => Told::Canceled,
                _ => told,
            };
            self.state.lock().told.entry(path).or_default().push(told);
            return Ok(status(StatusCode::OK));
        }
        Ok(match read_operation(&path, &parts, body) {
            Ok(OperationRequest::Start { request, .. }) => self.start(request),
            Ok(OperationRequest::Cancel { operation_token, .. }) => self.cancel(&operation_token),
            Err(_) => status(StatusCode::BAD_REQUEST),
        })
    }

    /// The same request is answered the same.
    fn start(&self, request: StartOperationRequest) -> Response<Bytes> {
        let StartOperationRequest { request_id, operation, callback_header, .. } = request;
        let mut state = self.state.lock();
        let State { operations, news, .. } = &mut *state;
        let known = operations.entry(request_id.clone()).or_insert_with(|| {
            let endless = is_endless(&operation);
            let goes_on = endless || self.dice.chance(600);
            let token = callback_header.get(CALLBACK_TOKEN).cloned().unwrap_or_default();
            let (request_id, operation) = (request_id.clone(), operation.clone());
            let end = News { token, request_id, operation, is_canceled: endless };
            if goes_on && !endless {
                news.push(end.clone());
            }
            goes_on.then_some(end)
        });
        match known {
            Some(_) => write_started(request_id, &[]),
            None => write_succeeded(Some(&payload(&operation)), &[]),
        }
    }

    /// Those that do not end by themselves end now.
    fn cancel(&self, operation_token: &str) -> Response<Bytes> {
        let mut state = self.state.lock();
        let State { operations, news, .. } = &mut *state;
        let Some(known) = operations.get(operation_token) else {
            return status(StatusCode::NOT_FOUND);
        };
        news.extend(known.iter().filter(|end| end.is_canceled).cloned());
        write_canceling()
    }
}

impl HttpClient for Outside {
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<Response<Bytes>, CallError>> {
        Box::pin(async move {
            let lost = || CallError::Connection("the connection broke".to_owned());
            let fate = self.dice.below(12);
            let pause = self.dice.span(0, 1_000).min(Span::from(timeout));
            self.clock.sleep_until(self.clock.now() + pause).await;
            match fate {
                0 => Err(lost()),
                1 => Ok(status(StatusCode::SERVICE_UNAVAILABLE)),
                // It was handled, but nobody hears of it.
                2 => self.handle(request).and(Err(lost())),
                3 => self.handle(request).and(Err(CallError::TimedOut)),
                _ => self.handle(request),
            }
        })
    }
}

fn cancellation() -> Failure {
    let info = FailureInfo::CanceledFailureInfo(CanceledFailureInfo::default());
    Failure {
        message: "operation canceled".to_owned(),
        failure_info: Some(info),
        ..Failure::default()
    }
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
