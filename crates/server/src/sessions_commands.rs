//! `longtide auth sessions`: who is signed in to the web UI, and an end to it.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::bail;
use clap::{Args, Subcommand};
use prost_types::Timestamp;
use single_sign_on::{
    EndSessionRequest, EndSessionResponse, ListSessionsRequest, ListSessionsResponse, OpenSession,
};

use crate::{
    admin_client::{AdminClient, Connection},
    output,
};

/// What is done with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List who is signed in: id, person, provider, address, since when, last use, end.
    List(Connection),
    /// End a session, or all of a person, at once.
    End(End),
}

#[derive(Debug, Args)]
pub(crate) struct End {
    /// The session's id, as the list has it.
    #[arg(required_unless_present = "person", conflicts_with = "person")]
    id: Option<String>,
    /// All sessions of this mail address, or of this subject at the provider.
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// Runs a command.
pub(crate) async fn run(command: SessionsCommand) -> anyhow::Result<()> {
    match command {
        SessionsCommand::List(connection) => {
            let mut client = AdminClient::connect(&connection).await?;
            let list: ListSessionsResponse =
                client.call("ListSessions", ListSessionsRequest {}).await?;
            for session in &list.sessions {
                output::line(&line(session));
            }
            let shown = u32::try_from(list.sessions.len()).unwrap_or(u32::MAX);
            let more = list.total.saturating_sub(shown);
            if more > 0 {
                output::warning(&format!("there are {more} more, which were used before these"));
            }
            Ok(())
        }
        SessionsCommand::End(end) => {
            let mut client = AdminClient::connect(&end.connection).await?;
            let request = EndSessionRequest {
                id: end.id.unwrap_or_default(),
                person: end.person.unwrap_or_default(),
            };
            let EndSessionResponse { ended } = client.call("EndSession", request).await?;
            if ended.is_empty() {
                bail!("there is no such session");
            }
            for session in &ended {
                output::line(&format!("ended {} ({})", session.id, person(session)));
            }
            Ok(())
        }
    }
}

/// One session in a list.
fn line(session: &OpenSession) -> String {
    [
        session.id.clone(),
        person(session),
        known(&session.provider),
        known(&session.address),
        time(session.created.as_ref()),
        time(session.used.as_ref()),
        time(session.expires.as_ref()),
    ]
    .join("\t")
}

/// Texts of somebody else do not break the line.
fn known(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    if plain.is_empty() { "unknown".to_owned() } else { plain }
}

fn person(session: &OpenSession) -> String {
    match session.email.as_str() {
        "" => known(&session.name),
        email => format!("{} <{}>", known(&session.name), known(email)),
    }
}

fn time(time: Option<&Timestamp>) -> String {
    let seconds = time.map_or(0, |time| u64::try_from(time.seconds).unwrap_or(0));
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_who_from_where_and_until_when_and_stays_one() {
        let session = OpenSession {
            id: "abc".to_owned(),
            name: "Alice\n\u{1b}[2J".to_owned(),
            email: "alice@example.com".to_owned(),
            provider: "people".to_owned(),
            created: Some(Timestamp { seconds: 0, nanos: 5 }),
            used: Some(Timestamp { seconds: 60, nanos: 0 }),
            expires: Some(Timestamp { seconds: 3600, nanos: 0 }),
            ..OpenSession::default()
        };
        assert_eq!(
            line(&session),
            "abc\tAlice[2J <alice@example.com>\tpeople\tunknown\t1970-01-01T00:00:00Z\t\
             1970-01-01T00:01:00Z\t1970-01-01T01:00:00Z"
        );
    }
}
