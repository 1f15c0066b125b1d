//! Servers outside, which handle Nexus operations over HTTP and are called back. They outlive the
//! node; their network fails like any other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api::{
    common::v1::{Callback, callback},
    nexus::v1::{EndpointSpec, EndpointTarget, endpoint_target},
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
    write_started, write_succeeded,
};
use parking_lot::Mutex;
use token_keys::TokenKeys;

use crate::{
    cluster::TOKEN_SECRET,
    dice::Dice,
    payload::{payload, payload_text},
    world::World,
};

/// The endpoint that points outside.
pub(crate) const ENDPOINT: &str = "outside";

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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The operations by the ids of the requests that started them: whether they go on for a while.
    operations: BTreeMap<String, bool>,
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
}

impl Outside {
    pub(crate) fn new(seed: u64, clock: &Arc<dyn Clock>) -> Arc<Self> {
        let dice = Dice::new(seed, "outside");
        Arc::new(Self { clock: Arc::clone(clock), dice, state: Mutex::default() })
    }

    /// What the endpoint is.
    pub(crate) fn endpoint() -> EndpointSpec {
        let external = endpoint_target::External { url: URL.to_owned() };
        let variant = Some(endpoint_target::Variant::External(external));
        let target = Some(EndpointTarget { variant });
        EndpointSpec { name: ENDPOINT.to_owned(), target, ..EndpointSpec::default() }
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
        let keys = TokenKeys::of(&[TOKEN_SECRET]);
        let Some(token) = CallbackToken::decode(&keys, &news.token) else {
            world.witness.accuse(format!("`{}` is no callback token", news.token));
            return;
        };
        let completion = NexusCompletion {
            operation_token: news.request_id.clone(),
            links: Vec::new(),
            end: NexusOperationEnd::Succeeded {
                result: Some(payload(&news.operation)),
                links: Vec::new(),
            },
        };
        let told = world.call(&self.dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace);
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
            self.state.lock().told.entry(path).or_default().push(told);
            return Ok(status(StatusCode::OK));
        }
        let Ok(OperationRequest::Start { request, .. }) = read_operation(&path, &parts, body)
        else {
            return Ok(status(StatusCode::BAD_REQUEST));
        };
        let mut state = self.state.lock();
        let goes_on = match state.operations.get(&request.request_id) {
            Some(goes_on) => *goes_on,
            None => {
                let goes_on = self.dice.chance(600);
                state.operations.insert(request.request_id.clone(), goes_on);
                if goes_on {
                    let token = request.callback_header.get(CALLBACK_TOKEN);
                    state.news.push(News {
                        token: token.cloned().unwrap_or_default(),
                        request_id: request.request_id.clone(),
                        operation: request.operation.clone(),
                    });
                }
                goes_on
            }
        };
        Ok(if goes_on {
            write_started(request.request_id, &[])
        } else {
            write_succeeded(Some(&payload(&request.operation)), &[])
        })
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

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
