//! What every command works with: settings, a connection made at the first call, output.

use std::time::Duration;

use environment::Environment;
use serde_json::Value;
use tonic::Status;

use crate::{
    Surroundings,
    calls::Call,
    client::Client,
    connection, diagnosis,
    error::{Error, Result},
    login,
    options::Options,
    output::Output,
    progress::Progress,
    proto_json::{self, Named},
    settings::Settings,
};

/// What every command works with.
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) settings: Settings,
    pub(crate) environment: Environment,
    pub(crate) around: Surroundings,
    /// How far the work is that is being done, if somebody watches.
    pub(crate) progress: Progress,
    connect_timeout: Duration,
    client: Option<Client>,
}

impl Context {
    pub(crate) fn new(
        options: &Options,
        around: Surroundings,
        environment: Environment,
    ) -> Result<Self> {
        let settings = Settings::gather(options, &around)?;
        let output = Output::new(&options.common, &around, now(&environment));
        let connect_timeout = options.common.client_connect_timeout;
        Ok(Self {
            output,
            settings,
            environment,
            around,
            progress: Progress::default(),
            connect_timeout: connect_timeout.map_or(connection::CONNECT_TIMEOUT, |given| given.0),
            client: None,
        })
    }

    /// The connection, made when it is needed first.
    pub(crate) async fn client(&mut self) -> Result<&mut Client> {
        let client = match self.client.take() {
            Some(client) => client,
            None => {
                self.take_login().await?;
                Client::connect(&self.settings, self.connect_timeout).await?
            }
        };
        Ok(self.client.insert(client))
    }

    /// Shows the token of a login, when nothing else says who asks.
    async fn take_login(&mut self) -> Result {
        let settings = &self.settings;
        if settings.takes_login && !settings.has_authorization() {
            let token = login::access_token(settings, &self.around, &self.environment).await?;
            self.settings.api_key = token;
        }
        Ok(())
    }

    /// Calls a method.
    pub(crate) async fn call<Q: Call>(&mut self, request: Q) -> Result<Q::Answer> {
        let answer = self.try_call(request).await?;
        answer.map_err(|status| self.refused(Q::METHOD, status))
    }

    /// Calls a method; what the server refuses is for the caller to judge.
    pub(crate) async fn try_call<Q: Call>(
        &mut self,
        request: Q,
    ) -> Result<std::result::Result<Q::Answer, Status>> {
        let progress = self.progress.clone();
        let call = Box::pin(self.client().await?.try_call(request));
        let answer = progress.during(call).await?;
        if let Err(status) = &answer
            && diagnosis::is_broken(status)
        {
            let why = diagnosis::broken(&self.settings, status, self.connect_timeout).await;
            return Err(Error::Connection(Box::new(why)));
        }
        Ok(answer)
    }

    /// Begins work that may take long, and gives people something to look at.
    pub(crate) fn begin(&mut self, what: &str, total: Option<u64>) {
        if self.output.shows_progress() {
            self.progress = Progress::begin(what, total);
        }
    }

    /// Ends it: what is printed from now on is the result.
    pub(crate) fn end(&mut self) {
        std::mem::take(&mut self.progress).end();
    }

    /// The error for a refusal.
    pub(crate) fn refused(&self, doing: &str, status: Status) -> Error {
        match diagnosis::refusal(&self.settings, &status) {
            Some(diagnosis) => Error::Connection(Box::new(diagnosis)),
            None => Error::Refused { doing: doing.to_owned(), status: Box::new(status) },
        }
    }

    /// A message as JSON, as the options want it.
    pub(crate) fn json<M: Named>(&self, message: &M) -> Result<Value> {
        proto_json::to_json(message, self.output.shorthand)
    }

    pub(crate) fn namespace(&self) -> String {
        self.settings.namespace.clone()
    }

    pub(crate) fn identity(&self) -> String {
        self.settings.identity.clone()
    }

    /// A new id.
    pub(crate) fn id(&self) -> String {
        self.environment.entropy.uuid_v4().to_string()
    }

    /// Why something was done, when nobody says.
    pub(crate) fn default_reason(&self) -> String {
        format!("Requested from CLI by {}", self.around.user())
    }

    pub(crate) fn now(&self) -> jiff::Timestamp {
        now(&self.environment)
    }
}

/// A list in a JSON answer.
pub(crate) fn rows(mut answer: Value, field: &str) -> Vec<Value> {
    match answer.get_mut(field).map(Value::take) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    }
}

/// The time.
pub(crate) fn now(environment: &Environment) -> jiff::Timestamp {
    let nanos = i128::from(environment.clock.now().nanos());
    jiff::Timestamp::from_nanosecond(nanos).unwrap_or_default()
}
