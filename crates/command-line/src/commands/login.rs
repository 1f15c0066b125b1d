//! `login` and `logout`.

use clap::Args;

use crate::{
    context::Context,
    error::{Error, Result},
    login::{Kept, Provider, by_browser, by_device},
};

/// See `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// The identity provider's address, as OpenID Connect's discovery knows it.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The name by which the provider knows this program.
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Its secret, if the provider wants one of a program on users' machines.
    #[arg(long, value_name = "TEXT")]
    client_secret: Option<String>,
    /// What the token shall be good for.
    #[arg(long, value_name = "TEXT", default_value = "openid offline_access")]
    scope: String,
    /// For whom the token shall be, if the provider has to be told.
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// Confirm in the browser of another machine.
    #[arg(long)]
    device: bool,
    /// Port of this machine that the browser comes back to; 0 for any free one.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, conflicts_with = "device")]
    redirect_port: u16,
}

impl Login {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let provider = Provider::discover(&self.issuer, self.client_id, self.client_secret).await?;
        let audience = self.audience.as_deref();
        let tokens = if self.device {
            by_device(context, &provider, &self.scope, audience).await?
        } else {
            by_browser(context, &provider, &self.scope, audience, self.redirect_port).await?
        };
        let now = context.now().as_second();
        let encrypted = context.settings.tls.is_some();
        let mut kept = Kept::read(&context.around)?;
        let login = provider.login(tokens, now, encrypted);
        kept.put(&context.settings.profile, &context.settings.address, login);
        kept.write(&context.around)?;
        let address = context.settings.address.clone();
        context.output.line(&format!("Logged in to {address}"))
    }
}

/// See `logout`.
#[derive(Debug, Args)]
pub struct Logout {}

impl Logout {
    pub(crate) fn run(self, context: &mut Context) -> Result {
        let mut kept = Kept::read(&context.around)?;
        let (profile, address) = (&context.settings.profile, context.settings.address.clone());
        if kept.remove(profile, &address).is_none() {
            return Err(Error::usage(format!("there is no login for {address}")));
        }
        kept.write(&context.around)?;
        context.output.line(&format!("Logged out of {address}"))
    }
}
