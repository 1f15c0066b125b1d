//! `longtide auth`: API keys, through a running server or, for the first one, in its data.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use anyhow::bail;
use authn::{ApiKeyRequest, ApiKeys};
use authz::CustomRoles;
use clap::{Args, Subcommand};
use environment::Environment;
use model::{Span, Time};
use prost::Message;
use storage::Store;

use crate::{
    admin_client::{AdminClient, Connection},
    admin_messages::{
        ApiKey, CreateApiKeyRequest, ExpireApiKeyRequest, ListApiKeysRequest, ListApiKeysResponse,
        NewApiKey, RevokeApiKeyRequest, RotateApiKeyRequest,
    },
    admin_service,
    at_rest::{self, AtRestOptions},
    certificate_commands, configured,
    explain::{Explain, explain},
    output,
    sessions_commands::{self, SessionsCommand},
};

/// Who may do what.
#[derive(Debug, Subcommand)]
pub(crate) enum AuthCommand {
    /// API keys.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Who is signed in to the web UI.
    Sessions {
        #[command(subcommand)]
        command: SessionsCommand,
    },
    /// Certificates of clients.
    Certificate {
        #[command(subcommand)]
        command: certificate_commands::CertificateCommand,
    },
    /// Tell who may call what, and which rule says so.
    Explain(Box<Explain>),
    /// Print the schema that policies are checked against.
    PolicySchema,
    /// Check policies as a server would, before it sees them.
    PolicyCheck {
        /// A file, or a directory whose files end in `.cedar`.
        path: PathBuf,
    },
}

/// What is done with API keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key. Its text is shown once.
    Create(Create),
    /// List all keys.
    List(Connection),
    /// Make another key like one that is there, which ends soon.
    Rotate(Rotate),
    /// Let a key end at a time.
    Expire(Expire),
    /// Forget a key at once.
    Revoke(Named),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Whose key it is: the name in events, logs and lists.
    #[arg(long)]
    name: String,
    /// What it allows, as NAMESPACE:ROLE. The roles are read, write, worker and admin; the namespace
    /// temporal-system stands for all. May be repeated.
    #[arg(long = "permission", value_name = "NAMESPACE:ROLE", required = true)]
    permissions: Vec<String>,
    /// When it ends: a length of time, or never.
    #[arg(long, default_value = "90d")]
    expires: Ending,
    /// Make it in the data of a server that does not run, without asking anybody: for the first key.
    #[arg(long, value_name = "PATH", conflicts_with = "config")]
    data_directory: Option<PathBuf>,
    /// The same, with the data directory of this configuration, and its encryption at rest.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The key's id.
    id: String,
    /// When the new key ends: a length of time, or never.
    #[arg(long, default_value = "90d")]
    expires: Ending,
    /// How long the old key goes on.
    #[arg(long, default_value = "1h")]
    keep: humantime::Duration,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Expire {
    /// The key's id.
    id: String,
    /// How long it goes on.
    #[arg(long)]
    after: humantime::Duration,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The key's id.
    id: String,
    #[command(flatten)]
    connection: Connection,
}

/// When a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    After(Duration),
    Never,
}

impl FromStr for Ending {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        let after = humantime::parse_duration(text);
        after
            .map(Self::After)
            .map_err(|_| "neither a length of time such as `90d` nor `never`".to_owned())
    }
}

impl Ending {
    fn time(self, now: Time) -> Time {
        match self {
            Self::After(length) => now + Span::from(length),
            Self::Never => Time::UNSET,
        }
    }
}

/// Runs a command.
pub(crate) fn run(command: AuthCommand) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        AuthCommand::Key { command } => runtime.block_on(key(command)),
        AuthCommand::Sessions { command } => runtime.block_on(sessions_commands::run(command)),
        AuthCommand::Certificate { command } => certificate_commands::run(command),
        AuthCommand::Explain(asked) => runtime.block_on(explain(&asked)),
        AuthCommand::PolicySchema => {
            output::line(policies::schema_text().trim_end());
            Ok(())
        }
        AuthCommand::PolicyCheck { path } => {
            let policies = policies::Policies::open(policies::Settings::of(path))?;
            output::line(&format!("{} policies, and nothing is wrong with them", policies.count()));
            Ok(())
        }
    }
}

async fn key(command: KeyCommand) -> anyhow::Result<()> {
    let environment = Environment::system();
    let now = environment.clock.now();
    match command {
        KeyCommand::Create(create) => {
            let expires = create.expires.time(now);
            let place = match (create.data_directory, &create.config) {
                (Some(directory), _) => Some((directory, None)),
                (None, Some(file)) => {
                    let settings = configured::read(file)?;
                    let at_rest = configured::at_rest_options(&settings, file);
                    Some((settings.data_directory, at_rest))
                }
                (None, None) => None,
            };
            let made = match place {
                Some((directory, at_rest)) => {
                    let request = ApiKeyRequest {
                        name: create.name,
                        permissions: create.permissions,
                        expires,
                    };
                    create_in(&directory, at_rest.as_ref(), environment, request).await?
                }
                None => {
                    let request = CreateApiKeyRequest {
                        name: create.name,
                        permissions: create.permissions,
                        expires: expires.to_proto(),
                    };
                    call(&create.connection, "CreateApiKey", request).await?
                }
            };
            show_new(&made)
        }
        KeyCommand::List(connection) => {
            let list: ListApiKeysResponse =
                call(&connection, "ListApiKeys", ListApiKeysRequest {}).await?;
            for key in &list.keys {
                output::line(&line(key, now));
            }
            Ok(())
        }
        KeyCommand::Rotate(rotate) => {
            let request = RotateApiKeyRequest {
                id: rotate.id,
                expires: rotate.expires.time(now).to_proto(),
                old_until: (now + Span::from(Duration::from(rotate.keep))).to_proto(),
            };
            show_new(&call(&rotate.connection, "RotateApiKey", request).await?)
        }
        KeyCommand::Expire(expire) => {
            let after = now + Span::from(Duration::from(expire.after));
            let request = ExpireApiKeyRequest { id: expire.id, expires: after.to_proto() };
            let key: ApiKey = call(&expire.connection, "ExpireApiKey", request).await?;
            output::line(&line(&key, now));
            Ok(())
        }
        KeyCommand::Revoke(revoke) => {
            let request = RevokeApiKeyRequest { id: revoke.id };
            let key: ApiKey = call(&revoke.connection, "RevokeApiKey", request).await?;
            output::line(&format!("revoked {} ({})", key.id, key.name));
            Ok(())
        }
    }
}

async fn call<Q: Message + 'static, A: Message + Default + 'static>(
    connection: &Connection,
    method: &'static str,
    request: Q,
) -> anyhow::Result<A> {
    AdminClient::connect(connection).await?.call(method, request).await
}

/// Makes a key where no server runs: whoever may write the data may do everything anyway.
pub(crate) async fn create_in(
    directory: &Path,
    at_rest: Option<&AtRestOptions>,
    environment: Environment,
    request: ApiKeyRequest,
) -> anyhow::Result<NewApiKey> {
    let settings = storage_embedded::Settings::default();
    let (store, _) = at_rest::open_store(directory, settings, at_rest).await?;
    let store: Arc<dyn Store> = store;
    // Those that a configuration defines are known to a running server alone.
    let roles = CustomRoles::new([])?;
    let keys = ApiKeys::open(Arc::clone(&store), environment).await?.with_roles(roles);
    let made = keys.create(request).await;
    store.close().await;
    Ok(admin_service::made(made?))
}

fn show_new(made: &NewApiKey) -> anyhow::Result<()> {
    let Some(key) = &made.key else { bail!("the server's answer has no key") };
    output::line(&made.text);
    output::warning(&format!("this is the only time that the key `{}` is shown", key.id));
    Ok(())
}

/// One key in a list: id, name, end, permissions.
fn line(key: &ApiKey, now: Time) -> String {
    let expires = Time::from_proto(key.expires.as_ref());
    let end = if !expires.is_set() {
        "never expires".to_owned()
    } else if expires <= now {
        "expired".to_owned()
    } else {
        let rest = Duration::from_secs(expires.since(now).to_std().as_secs());
        format!("expires in {}", humantime::format_duration(rest))
    };
    format!("{}\t{}\t{end}\t{}", key.id, key.name, key.permissions.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_after_a_while_or_never() {
        let now = Time::from_nanos(5);
        assert_eq!("never".parse::<Ending>().unwrap().time(now), Time::UNSET);
        let day = "1d".parse::<Ending>().unwrap().time(now);
        assert_eq!(day.since(now), Span::from_secs(86_400));
        assert!("soon".parse::<Ending>().is_err());
    }
}
