//! From the path of a request to what answers it.

use std::{fmt, net::SocketAddr, sync::Arc};

use audit::{Names, Pending};
use authz::{Access, Caller, Resource, Rpc};
use http::{Method, StatusCode, header::CONTENT_TYPE};
use listener::{Entered, Peer, Reputation, Standing};
use tonic::{Code, Status, body::Body};
use tower::{Service, ServiceExt};

use crate::{
    auditing::{Asked, Source, code_name},
    authentication::Authenticate,
    error::ApiError,
    frontend::Frontend,
    health::Health,
    permissions, rpc,
    server::{
        HttpRequest, ResponseFuture, SideServices, reflection,
        refused::unread,
        way_in::over,
        withdrawal::{LOST, withdrawal},
    },
    test_service,
};

/// The one method besides `GetSystemInfo` that needs no credentials.
const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";

/// A small service of its own, such as health checks.
pub type SideService = Arc<dyn Fn(HttpRequest) -> ResponseFuture + Send + Sync>;

/// Answers every request of the port.
pub(crate) struct Dispatcher {
    frontend: Arc<Frontend>,
    authentication: Option<Arc<dyn Authenticate>>,
    unproven: Option<Arc<dyn Standing>>,
    side: Vec<(&'static str, SideService)>,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Dispatcher").finish_non_exhaustive()
    }
}

impl Dispatcher {
    pub(crate) fn new(
        frontend: Arc<Frontend>,
        health: &Health,
        with_reflection: bool,
        services: SideServices,
    ) -> Self {
        let SideServices { authentication, unproven, services } = services;
        let mut side = services;
        side.push(("grpc.health.v1.Health", health.service()));
        if let Some(clock) = frontend.environment.clock.skippable() {
            let service = test_service::service(clock.clone(), frontend.stopping.clone());
            side.push((test_service::NAME, service));
        }
        if with_reflection {
            side.extend(reflection::services());
        }
        Self { frontend, authentication, unproven, side }
    }

    /// What calls are about.
    pub(crate) const fn frontend(&self) -> &Arc<Frontend> {
        &self.frontend
    }

    /// Who says who calls.
    pub(crate) const fn authentication(&self) -> Option<&Arc<dyn Authenticate>> {
        self.authentication.as_ref()
    }

    /// False where nobody has to prove anything.
    pub(crate) fn has_strangers(&self) -> bool {
        self.authentication.is_some() && self.frontend.policy.needs_credentials()
    }

    /// Notes that somebody has proved who is at the other end, or has not.
    fn meets(&self, caller: &Caller, peer: &Peer) {
        if !caller.principal().is_anonymous() {
            peer.repute.set(Reputation::Known);
        } else if self.has_strangers() {
            peer.repute.unnamed();
        }
    }

    /// A caller, over a connection that may not enter every namespace.
    pub(crate) fn over(&self, caller: Caller, peer: &Peer, entered: &Entered) -> Caller {
        over(caller, peer, self.unproven.as_ref(), entered)
    }

    /// Answers one request: settles who calls, then goes on to what the path names.
    pub(crate) fn call(self: &Arc<Self>, mut request: HttpRequest, peer: &Peer) -> ResponseFuture {
        if !is_grpc(&request) {
            return ready(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let address = peer.address;
        if self.frontend.audit.is_some() {
            request.extensions_mut().insert(Source(address));
        }
        if !peer.holds() {
            peer.repute.set(Reputation::Refused);
            let response = self.turn_away(request.uri().path(), address, LOST);
            return Box::pin(async move { response });
        }
        let entered = Entered::default();
        let Some(authentication) = &self.authentication else {
            let anonymous = Caller::anonymous();
            let caller = self.over(anonymous.clone(), peer, &entered);
            // Whoever finds no caller in a request takes it for an anonymous one.
            if caller != anonymous {
                request.extensions_mut().insert(caller.clone());
            }
            return self.answer(request, &caller, (peer, entered), None);
        };
        let (this, authentication) = (Arc::clone(self), Arc::clone(authentication));
        let peer = peer.clone();
        Box::pin(async move {
            match authentication.identify(request.headers(), &peer).await {
                Ok(caller) => {
                    this.meets(&caller, &peer);
                    let caller = this.over(caller, &peer, &entered);
                    request.extensions_mut().insert(caller.clone());
                    this.answer(request, &caller, (&peer, entered), Some(&*authentication)).await
                }
                Err(reason) => {
                    peer.repute.set(Reputation::Refused);
                    this.turn_away(request.uri().path(), address, &reason)
                }
            }
        })
    }

    /// Answers a request of somebody who is known. A call that waits ends when the credentials do.
    fn answer(
        self: &Arc<Self>,
        request: HttpRequest,
        caller: &Caller,
        (peer, entered): (&Peer, Entered),
        authentication: Option<&dyn Authenticate>,
    ) -> ResponseFuture {
        let (rpc, address) = (authz::rpc(request.uri().path()), peer.address);
        let of_key = || authentication?.withdrawal(request.headers());
        let Some(withdrawal) = withdrawal(rpc, peer, entered, of_key) else {
            return self.route(rpc, request, caller, address);
        };
        let path = request.uri().path().to_owned();
        let (this, answer) = (Arc::clone(self), self.route(rpc, request, caller, address));
        Box::pin(async move {
            tokio::select! {
                biased;
                reason = withdrawal => this.turn_away(&path, address, &reason),
                answer = answer => answer,
            }
        })
    }

    /// Refuses somebody whose credentials are not taken, or no longer.
    fn turn_away(&self, path: &str, address: SocketAddr, reason: &str) -> http::Response<Body> {
        let frontend = &self.frontend;
        let say = || tracing::warn!(reason, path, %address, "credentials are not taken");
        frontend.refusal_lines.say(say);
        frontend.audit_refusal(authz::rpc(path), address, Some(reason));
        self.refuse(authz::rpc(path))
    }

    /// Goes on to what the path names, unless it is already clear that the caller may not.
    fn route(
        self: &Arc<Self>,
        rpc: Option<&'static Rpc>,
        request: HttpRequest,
        caller: &Caller,
        address: SocketAddr,
    ) -> ResponseFuture {
        let Some(rpc) = rpc else {
            let path = request.uri().path();
            let allowed = path == HEALTH_CHECK || self.frontend.policy.allows_unlisted();
            if self.is_served_aside(path) && !allowed {
                let response = self.refuse(None);
                return Box::pin(async move { response });
            }
            return self.call_side_service(request);
        };
        if rpc.access != Access::Open
            && caller.principal().is_anonymous()
            && self.frontend.policy.needs_credentials()
        {
            // Nothing of it is read, not even which namespace it is about.
            self.frontend.audit_refusal(Some(rpc), address, None);
            let response = self.refuse(Some(rpc));
            return Box::pin(async move { response });
        }
        if rpc.service == authz::Service::Admin {
            return self.call_admin(rpc, request, caller);
        }
        rpc::route(&self.frontend, rpc, request)
    }

    fn call_admin(
        self: &Arc<Self>,
        rpc: &'static Rpc,
        mut request: HttpRequest,
        caller: &Caller,
    ) -> ResponseFuture {
        let (this, caller) = (Arc::clone(self), caller.clone());
        Box::pin(async move {
            let decided = this.frontend.permit(rpc, &caller, Resource::CLUSTER).await;
            let decided = decided.and_then(|permit| {
                this.frontend.check_audit(rpc, "")?;
                Ok(permit)
            });
            let asked = Asked { rpc, extensions: request.extensions(), namespace: "" };
            let record = this.frontend.audit(&asked, Names::default, decided.as_ref());
            match decided {
                Ok(permit) => {
                    if rpc.name == permissions::METHOD {
                        let frontend = Arc::clone(&this.frontend);
                        let told =
                            async move { permissions::called(&frontend, &caller, request).await };
                        return recorded(this.in_time(Box::pin(told)).await, record).await;
                    }
                    request.extensions_mut().insert(permit);
                    recorded(this.call_side_service(request).await, record).await
                }
                // Somebody who is known may try: that is a call that was denied, as any other.
                Err(error) => this.denied(Some(rpc), error),
            }
        })
    }

    /// Whoever asks without credentials may not take for ever to send the question.
    fn in_time(&self, answer: ResponseFuture) -> ResponseFuture {
        let timeout = self.frontend.messages.timeout.to_std();
        Box::pin(async move {
            let late = || Status::deadline_exceeded("the request was not received in time");
            let answer = tokio::time::timeout(timeout, answer).await;
            answer.unwrap_or_else(|_| unread(late().into_http()))
        })
    }

    /// Tells a caller that it may not, and counts it.
    fn refuse(&self, rpc: Option<&'static Rpc>) -> http::Response<Body> {
        self.refuse_with(rpc, ApiError::permission_denied())
    }

    fn refuse_with(&self, rpc: Option<&'static Rpc>, error: ApiError) -> http::Response<Body> {
        unread(self.denied(rpc, error))
    }

    fn denied(&self, rpc: Option<&'static Rpc>, error: ApiError) -> http::Response<Body> {
        if let Some(rpc) = rpc {
            let metrics = self.frontend.metrics.request(rpc.name, "");
            metrics.begin().end(std::time::Duration::ZERO, Some(error.error_type()));
        }
        error.into_status().into_http()
    }

    fn is_served_aside(&self, path: &str) -> bool {
        let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        self.side.iter().any(|(name, _)| *name == service)
    }

    fn call_side_service(&self, request: HttpRequest) -> ResponseFuture {
        let path = request.uri().path().trim_start_matches('/');
        let (service, method) = path.split_once('/').unwrap_or((path, ""));
        if let Some((_, found)) = self.side.iter().find(|(name, _)| *name == service) {
            let is_open = request.uri().path() == HEALTH_CHECK;
            let answer = found(request);
            return if is_open { self.in_time(answer) } else { answer };
        }
        let known = [authz::Service::Workflow, authz::Service::Operator];
        let text = if known.iter().any(|known| known.name() == service) {
            format!("unknown method {method} for service {service}")
        } else {
            format!("unknown service {service}")
        };
        let response = unread(Status::unimplemented(text).into_http());
        Box::pin(async move { response })
    }
}

/// Tells the audit log what came of a call to a side service, which says in the extensions of its
/// answer what the call was about.
async fn recorded(
    mut response: http::Response<Body>,
    record: Option<Pending>,
) -> http::Response<Body> {
    if let Some(mut record) = record {
        // An answer with a message has its status, which is OK, in the trailers.
        let status = Status::from_header_map(response.headers());
        record.name(response.extensions_mut().remove().unwrap_or_default());
        record.answered(code_name(status.map_or(Code::Ok, |status| status.code()))).await;
    }
    response
}

/// Turns a generated service into a side service.
pub fn side_service<S>(service: S) -> SideService
where
    S: Service<HttpRequest, Response = http::Response<Body>, Error = std::convert::Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    Arc::new(move |request| {
        let answer = service.clone().oneshot(request);
        Box::pin(async move {
            match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    })
}

fn is_grpc(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    request.method() == Method::POST
        && content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

fn ready(status: StatusCode) -> ResponseFuture {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = status;
    let response = unread(response);
    Box::pin(async move { response })
}
