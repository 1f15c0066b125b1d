//! Signing in, being signed in, signing out.

use std::{cmp::Reverse, collections::BTreeMap, fmt, net::IpAddr, sync::Arc};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use environment::Environment;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_client::HttpClient;
use model::{Span, Time};
use openid_connect::{ExchangeError, Tokens, address_with, read_form};
use storage::Store;
use tokio_util::sync::CancellationToken;

use crate::{
    EndSessionRequest, ListSessionsResponse, OpenError, OpenSession, SessionError, Settings,
    SignInError,
    attempt::{Attempt, COOKIE_AGE, Over},
    cookies::{Cookies, Kind},
    exits::Exits,
    identity::Identity,
    keys::Keys,
    listed::Listed,
    provider::Provider,
    return_url::{HOME, local},
    session::{Contents, SessionId},
    sessions::{Ages, Held, Sessions},
};

/// How long before its end a token is renewed, at most.
const RENEWED_BEFORE: Span = Span::from_secs(30);

/// Codes of a provider that mean that somebody said no.
const DENIALS: &[&str] = &[
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "login_required",
];

/// Most sessions of a list.
const LISTED_MAX: usize = 2000;

/// Longest text of somebody else in a line of the log, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// Signs people in to the web UI, and says who they are.
pub struct SingleSignOn {
    header: HeaderName,
    redirect_to_provider: bool,
    cookies: Cookies,
    keys: Keys,
    providers: Vec<Arc<Provider>>,
    sessions: Sessions,
    over: Over,
    exits: Exits,
    environment: Environment,
}

impl fmt::Debug for SingleSignOn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SingleSignOn")
            .field("providers", &self.providers)
            .finish_non_exhaustive()
    }
}

/// A sign-in that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub location: String,
    /// What it keeps meanwhile.
    pub cookie: HeaderValue,
}

/// A sign-in that has not begun.
#[derive(Debug)]
pub struct NotBegun {
    /// Where the person wanted to go.
    pub return_url: String,
    /// Why not.
    pub error: SignInError,
}

/// A sign-in that is over.
#[derive(Debug)]
pub struct Completed {
    /// Where the person wanted to go.
    pub return_url: String,
    /// Who it is, or why nobody knows.
    pub outcome: Result<SignedIn, SignInError>,
    /// Lets the browser forget the sign-in.
    pub cookie: Option<HeaderValue>,
}

/// Somebody whom a provider has vouched for, and who has no session yet.
pub struct SignedIn {
    provider: Arc<Provider>,
    identity: Identity,
    contents: Contents,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignedIn").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A session that a request belongs to.
pub struct Session {
    /// The name of whose it is.
    pub name: String,
    /// The mail address; empty when the provider does not say.
    pub email: String,
    /// By what the provider knows the person.
    pub subject: String,
    /// When the session ends unless it is used meanwhile.
    pub expires: Time,
    /// What requests that change something have to show.
    pub csrf_token: String,
    /// The person's token, as a header has it.
    pub bearer: HeaderValue,
    /// Cancelled when the session ends before its time.
    pub ended: CancellationToken,
    held: Arc<Held>,
    provider: String,
    id_token: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Whether a page of this session shows this text, and no other can.
    pub fn is_csrf_token(&self, text: &[u8]) -> bool {
        verify_slices_are_equal(self.csrf_token.as_bytes(), text).is_ok()
    }

    /// When the session ends, as RFC 3339 has it.
    pub fn expires_text(&self) -> String {
        let end = jiff::Timestamp::from_nanosecond(i128::from(self.expires.nanos()));
        end.map(|end| end.to_string()).unwrap_or_default()
    }
}

impl SignedIn {
    /// The person's token, as a header has it.
    pub fn bearer(&self) -> Option<HeaderValue> {
        self.contents.bearer(&self.provider)
    }
}

impl Contents {
    fn bearer(&self, provider: &Provider) -> Option<HeaderValue> {
        let is_id = provider.settings.id_token_is_bearer;
        let token = if is_id { &self.id_token } else { &self.access_token };
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Takes new tokens of somebody. A provider that sends no new one means the old one.
    fn take(&mut self, tokens: Tokens, identity: Option<&Identity>, is_id: bool, now: Time) {
        self.access_token = tokens.access_token;
        if let Some(token) = tokens.id_token {
            self.id_token = token;
        }
        if let Some(token) = tokens.refresh_token {
            self.refresh_token = token;
        }
        if let Some(identity) = identity {
            self.name.clone_from(&identity.name);
            self.email.clone_from(&identity.email);
        }
        let ends = match identity {
            Some(identity) if is_id => identity.ends,
            None if is_id => Time::from_nanos(self.ends),
            _ => tokens.expires_in.map_or(Time::UNSET, |length| now + Span::from_secs(length)),
        };
        self.ends = ends.nanos();
        let early = Span::from_nanos(ends.since(now).nanos() / 4).min(RENEWED_BEFORE);
        self.renew_at = if ends.is_set() { (ends - early).nanos() } else { 0 };
    }
}

impl SingleSignOn {
    /// Reads the sessions that the store has.
    ///
    /// # Errors
    /// When the store cannot be read, or what it has is damaged.
    pub async fn open(
        settings: Settings,
        store: Arc<dyn Store>,
        environment: Environment,
        http: Arc<dyn HttpClient>,
    ) -> Result<Arc<Self>, OpenError> {
        let is_secure = settings.is_secure();
        let keys = Keys::load(store.as_ref(), environment.entropy.as_ref()).await?;
        let ages = Ages { age_max: settings.session_age_max, idle_max: settings.session_idle_max };
        let provider =
            |settings| Arc::new(Provider::new(settings, Arc::clone(&http), &environment));
        Ok(Arc::new(Self {
            header: settings.header,
            redirect_to_provider: settings.redirect_to_provider,
            cookies: Cookies { is_secure },
            providers: settings.providers.into_iter().map(provider).collect(),
            sessions: Sessions::open(store, environment.clone(), ages, keys.listing).await?,
            keys,
            over: Over::new(),
            exits: Exits::new(),
            environment,
        }))
    }

    /// Forgets sessions that are over, again and again until `stop` is cancelled.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        self.sessions.watch(&stop).await;
    }

    /// The header in which the server takes tokens.
    pub const fn header(&self) -> &HeaderName {
        &self.header
    }

    /// Whether browsers come over encrypted connections only.
    pub const fn is_secure(&self) -> bool {
        self.cookies.is_secure
    }

    /// Whether people are sent to the first provider without being asked.
    pub const fn redirects_to_provider(&self) -> bool {
        self.redirect_to_provider
    }

    /// The names of the providers: for addresses, and for people.
    pub fn providers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers.iter().map(|it| (it.settings.name.as_str(), it.settings.label.as_str()))
    }

    /// Begins a sign-in, as the query of a request says: `provider`, `returnUrl`, options.
    ///
    /// # Errors
    /// When the query names no path of this server, or the provider cannot be asked.
    pub async fn begin(&self, query: &str) -> Result<Begun, NotBegun> {
        let asked = read_form(query);
        let wanted = asked.get("returnUrl").map(String::as_str).unwrap_or_default();
        let Some(return_url) = local(wanted) else {
            let error = SignInError::ReturnUrl(shortened(wanted));
            return Err(NotBegun { return_url: HOME.to_owned(), error });
        };
        let begun = self.begun(&asked, return_url).await;
        begun.map_err(|error| NotBegun { return_url: return_url.to_owned(), error })
    }

    async fn begun(
        &self,
        asked: &BTreeMap<String, String>,
        return_url: &str,
    ) -> Result<Begun, SignInError> {
        let given = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let provider = match given("provider") {
            "" => self.providers.first(),
            name => self.provider(name),
        };
        let unknown = || SignInError::Provider("there is no such provider".to_owned());
        let provider = provider.ok_or_else(unknown)?;
        let entropy = self.environment.entropy.as_ref();
        let now = self.environment.clock.now();
        let attempt = Attempt::new(&provider.settings.name, return_url, entropy, now);
        let location =
            provider.sign_in_address(&attempt, |option| asked.get(option).cloned()).await?;
        let sealed = attempt.sealed(&self.keys.attempts, entropy);
        let cookie =
            sealed.and_then(|sealed| self.cookies.keep(Kind::Attempt, &sealed, COOKIE_AGE));
        let cookie =
            cookie.ok_or_else(|| SignInError::Provider("it cannot be remembered".to_owned()))?;
        Ok(Begun { location, cookie })
    }

    fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.iter().find(|provider| provider.settings.name == name)
    }

    /// Completes a sign-in with what the provider has sent the browser back with.
    pub async fn complete(&self, query: &str, headers: &HeaderMap) -> Completed {
        let cookie = self.cookies.read(headers, Kind::Attempt);
        let attempt = cookie.and_then(|text| Attempt::from_cookie(&self.keys.attempts, text));
        let (return_url, outcome) = match attempt {
            None => (HOME.to_owned(), Err(SignInError::State)),
            Some(attempt) => {
                let outcome = self.completed(&read_form(query), &attempt).await;
                (attempt.return_url, outcome)
            }
        };
        Completed { return_url, outcome, cookie: self.cookies.forget(Kind::Attempt) }
    }

    async fn completed(
        &self,
        answer: &BTreeMap<String, String>,
        attempt: &Attempt,
    ) -> Result<SignedIn, SignInError> {
        let given = |name: &str| answer.get(name).map(String::as_str).filter(|it| !it.is_empty());
        let now = self.environment.clock.now();
        attempt.check(given("state").unwrap_or_default(), now)?;
        self.over.note(&attempt.state)?;
        let wrong = |text: &str| SignInError::Provider(text.to_owned());
        let provider = self.provider(&attempt.provider);
        let provider = provider.ok_or_else(|| wrong("the provider is no longer one"))?;
        if given("iss").is_some_and(|issuer| !provider.is_issuer(issuer)) {
            return Err(wrong("the answer came from another provider"));
        }
        if let Some(error) = given("error") {
            let text = given("error_description").map(|text| format!(": {text}"));
            let said = shortened(&format!("{error}{}", text.unwrap_or_default()));
            return Err(match DENIALS.contains(&error) {
                true => SignInError::Denied(said),
                false => SignInError::Provider(said),
            });
        }
        let code = given("code").ok_or_else(|| wrong("no code came back"))?;
        let tokens = provider.redeem(code, &attempt.verifier).await?;
        let id_token = tokens.id_token.as_deref();
        let id_token = id_token.ok_or_else(|| wrong("no identity token came back"))?;
        let identity = provider.identify(id_token, Some(&attempt.nonce)).await?;
        if !identity.is_allowed(&provider.settings) {
            return Err(SignInError::NotAllowed(identity.name));
        }
        let mut contents = Contents {
            provider: provider.settings.name.clone(),
            subject: identity.subject.clone(),
            ..Contents::default()
        };
        contents.take(tokens, Some(&identity), provider.settings.id_token_is_bearer, now);
        Ok(SignedIn { provider: Arc::clone(provider), identity, contents })
    }

    /// Makes a session for somebody who comes from an address, in the place of the one that the
    /// browser had; gives what the browser keeps.
    ///
    /// # Errors
    /// When the session cannot be stored.
    pub async fn admit(
        &self,
        signed_in: SignedIn,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<HeaderValue, SessionError> {
        let SignedIn { provider, identity, contents } = signed_in;
        if let Some((_, held, _)) = self.found(headers).await {
            self.sessions.remove(&held).await?;
        }
        let issuer = &provider.settings.issuer;
        let person = self.keys.mark("person", issuer, &identity.subject);
        let at_provider = match identity.session.as_str() {
            "" => Bytes::new(),
            session => self.keys.mark("session", issuer, session),
        };
        let listed = Listed {
            provider: provider.settings.name.clone(),
            subject: identity.subject,
            name: identity.name,
            email: identity.email,
            address: address.to_canonical().to_string(),
        };
        let id = self.sessions.make(person, at_provider, &listed, &contents).await?;
        let kept = self.cookies.keep(Kind::Session, &id.text(), self.sessions.ages().age_max);
        kept.ok_or_else(|| SessionError("it makes no cookie".to_owned()))
    }

    async fn found(&self, headers: &HeaderMap) -> Option<(SessionId, Arc<Held>, Contents)> {
        let id = SessionId::from_text(self.cookies.read(headers, Kind::Session)?)?;
        let (held, contents) = self.sessions.find(&id).await?;
        Some((id, held, contents))
    }

    /// The session that a request belongs to, with a token that holds. Tokens that are over are
    /// renewed first; a session whose tokens cannot be renewed is over, too.
    pub async fn session(self: &Arc<Self>, headers: &HeaderMap) -> Option<Session> {
        let (id, held, mut contents) = self.found(headers).await?;
        let now = self.environment.clock.now();
        if contents.is_due(now) && held.may_renew(now) {
            // Whoever asked may leave: a token that renews others is good once.
            let (this, held) = (Arc::clone(self), Arc::clone(&held));
            let renewing = tokio::spawn({
                let id = id.clone();
                async move { this.renewed(&id, &held).await }
            });
            contents = renewing.await.ok()??;
        }
        if contents.ends != 0 && contents.ends <= now.nanos() {
            if contents.refresh_token.is_empty() {
                self.forget(&held).await;
            }
            return None;
        }
        self.of(&id, held, contents)
    }

    /// The session that a request belongs to, whether or not its token holds.
    pub async fn any_session(&self, headers: &HeaderMap) -> Option<Session> {
        let (id, held, contents) = self.found(headers).await?;
        self.of(&id, held, contents)
    }

    fn of(&self, id: &SessionId, held: Arc<Held>, contents: Contents) -> Option<Session> {
        let provider = self.provider(&contents.provider)?;
        Some(Session {
            expires: self.sessions.ages().end(&held.record()),
            csrf_token: id.csrf_token(),
            bearer: contents.bearer(provider)?,
            ended: held.ended.clone(),
            held,
            name: contents.name,
            email: contents.email,
            subject: contents.subject,
            provider: contents.provider,
            id_token: contents.id_token,
        })
    }

    /// Asks for new tokens; one request does, and the others wait for it. Nothing when the session
    /// is over.
    async fn renewed(&self, id: &SessionId, held: &Held) -> Option<Contents> {
        let one_at_a_time = held.changing.lock().await;
        let mut contents = id.open(&held.record())?;
        let now = self.environment.clock.now();
        if held.ended.is_cancelled() {
            return None;
        }
        if !contents.is_due(now) || !held.may_renew(now) {
            return Some(contents);
        }
        let provider = self.provider(&contents.provider)?;
        let refused = match self.new_tokens(provider, &contents).await {
            Ok((tokens, identity)) => {
                let now = self.environment.clock.now();
                let is_id = provider.settings.id_token_is_bearer;
                contents.take(tokens, identity.as_ref(), is_id, now);
                if contents.is_due(now) {
                    // It sent no token that would last longer.
                    held.leave_alone(now);
                }
                if let Err(error) = self.sessions.replace(id, held, &contents).await {
                    tracing::warn!(%error, "new tokens of a session were not stored");
                }
                return Some(contents);
            }
            Err(refused) => refused,
        };
        let (provider, over) = (&provider.settings.name, refused.is_final());
        tracing::warn!(provider, error = %refused, over, "a session has no new tokens");
        if !over {
            held.leave_alone(self.environment.clock.now());
            return Some(contents);
        }
        drop(one_at_a_time);
        self.forget(held).await;
        None
    }

    async fn new_tokens(
        &self,
        provider: &Provider,
        contents: &Contents,
    ) -> Result<(Tokens, Option<Identity>), NotRenewed> {
        let tokens = provider.renew(&contents.refresh_token).await?;
        let Some(token) = &tokens.id_token else { return Ok((tokens, None)) };
        let identity = provider.identify(token, None).await.map_err(NotRenewed::Identity)?;
        if identity.subject != contents.subject {
            return Err(NotRenewed::Other);
        }
        if !identity.is_allowed(&provider.settings) {
            return Err(NotRenewed::Identity(SignInError::NotAllowed(identity.name)));
        }
        Ok((tokens, Some(identity)))
    }

    async fn forget(&self, held: &Held) {
        if let Err(error) = self.sessions.remove(held).await {
            tracing::warn!(%error, "a session that is over was not forgotten");
        }
    }

    /// Ends a session. Gives a path of this server that leads on to where the person signs out at
    /// the provider, if there is such a place.
    ///
    /// # Errors
    /// When the store does not forget it: it has ended, and could come back with a restart.
    pub async fn end(&self, session: &Session) -> Result<Option<String>, SessionError> {
        self.sessions.remove(&session.held).await?;
        let Some(provider) = self.provider(&session.provider) else { return Ok(None) };
        let Some(address) = provider.sign_out_address(&session.id_token).await else {
            return Ok(None);
        };
        let entropy = self.environment.entropy.as_ref();
        let ticket = self.exits.add(address, entropy, self.environment.clock.now());
        Ok(Some(format!("/auth/end-session?ticket={ticket}")))
    }

    /// The sessions that were used last, as many as a list may hold.
    pub fn sessions(&self) -> ListSessionsResponse {
        let open = self.sessions.open_sessions();
        let mut sessions: Vec<_> = open.into_iter().map(|(_, session)| session).collect();
        let total = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
        sessions.sort_by_cached_key(|it| Reverse(Time::from_proto(it.used.as_ref())));
        sessions.truncate(LISTED_MAX);
        ListSessionsResponse { sessions, total }
    }

    /// Ends other people's sessions: what runs in them ends at once. Which they were.
    ///
    /// # Errors
    /// When the store does not forget one: it has ended, and could come back with a restart.
    pub async fn end_those(
        &self,
        request: &EndSessionRequest,
    ) -> Result<Vec<OpenSession>, SessionError> {
        self.sessions.end_those(request).await
    }

    /// Lets a browser forget its session.
    pub fn forgotten(&self) -> Option<HeaderValue> {
        self.cookies.forget(Kind::Session)
    }

    /// Where the ticket in a query leads; good once.
    pub fn exit(&self, query: &str) -> Option<String> {
        let ticket = read_form(query).remove("ticket")?;
        self.exits.take(&ticket, self.environment.clock.now())
    }

    /// Ends the sessions of whom a provider has signed out, as the form says that it has sent
    /// (OpenID Connect Back-Channel Logout); how many those were.
    ///
    /// # Errors
    /// When no provider has made the token in it, or the store does not forget a session.
    pub async fn signed_out_elsewhere(&self, form: &str) -> Result<usize, String> {
        let token = read_form(form).remove("logout_token").ok_or("there is no logout token")?;
        let mut refusal = String::new();
        for provider in &self.providers {
            let signed_out = match provider.signed_out(&token).await {
                Ok(signed_out) => signed_out,
                Err(error) => {
                    refusal = error;
                    continue;
                }
            };
            let issuer = &provider.settings.issuer;
            let ended = if signed_out.session.is_empty() {
                let person = self.keys.mark("person", issuer, &signed_out.subject);
                self.sessions.those(|record| record.person == person)
            } else {
                let session = self.keys.mark("session", issuer, &signed_out.session);
                self.sessions.those(|record| record.at_provider == session)
            };
            for held in &ended {
                self.sessions.remove(held).await.map_err(|error| error.to_string())?;
            }
            return Ok(ended.len());
        }
        Err(refusal)
    }
}

impl Contents {
    /// Whether new tokens are to be asked for.
    fn is_due(&self, now: Time) -> bool {
        !self.refresh_token.is_empty() && self.renew_at != 0 && self.renew_at <= now.nanos()
    }
}

/// Why there are no new tokens.
#[derive(Debug, thiserror::Error)]
enum NotRenewed {
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Identity(SignInError),
    #[error("the new tokens are somebody else's")]
    Other,
}

impl NotRenewed {
    /// Whether the session is over; otherwise the provider cannot be asked for the moment.
    fn is_final(&self) -> bool {
        match self {
            Self::Exchange(ExchangeError::Refused(refusal)) => refusal.error == "invalid_grant",
            Self::Exchange(_) => false,
            Self::Identity(_) | Self::Other => true,
        }
    }
}

/// The page that tells people why they are not signed in.
pub fn sign_in_page(error: &SignInError, return_url: &str) -> String {
    address_with("/sign-in", &[("error", error.code()), ("returnUrl", return_url)])
}

/// The beginning of a text of somebody else.
fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}
