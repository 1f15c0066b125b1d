//! `longtide keys`: the keys that a running server encrypts and authenticates with.

use clap::{Args, Subcommand};

use crate::{
    admin_client::{AdminClient, Connection},
    keys_messages::{GetKeyStatusRequest, KeyStatus, RotateKeysRequest},
    output,
};

/// What is done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys and say how far records are sealed again.
    Status(Connection),
    /// Change keys while the server runs. Without a flag all data keys are wrapped with the
    /// current key-encryption key of the server's configuration, which it reads again.
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Wrap all data keys with the current key-encryption key.
    #[arg(long)]
    key_encryption_key: bool,
    /// Make new data keys: new records use them at once, and the others are sealed again in the
    /// background.
    #[arg(long)]
    data_keys: bool,
    /// With --data-keys: the key of this namespace alone.
    #[arg(long, value_name = "UUID", requires = "data_keys")]
    namespace_id: Option<String>,
    /// Make a new key for task tokens and page tokens. Those of the former one are taken until the
    /// next time.
    #[arg(long)]
    token_key: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Runs a command.
pub(crate) fn run(command: KeysCommand) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let status: KeyStatus = match command {
            KeysCommand::Status(connection) => {
                let mut client = AdminClient::connect(&connection).await?;
                client.call("GetKeyStatus", GetKeyStatusRequest {}).await?
            }
            KeysCommand::Rotate(rotate) => {
                let request = RotateKeysRequest {
                    key_encryption_key: rotate.key_encryption_key
                        || !(rotate.data_keys || rotate.token_key),
                    data_keys: rotate.data_keys,
                    namespace_id: rotate.namespace_id.unwrap_or_default(),
                    token_key: rotate.token_key,
                };
                let mut client = AdminClient::connect(&rotate.connection).await?;
                client.call("RotateKeys", request).await?
            }
        };
        lines(&status).iter().for_each(|line| output::line(line));
        Ok(())
    })
}

fn lines(status: &KeyStatus) -> Vec<String> {
    if !status.encrypted {
        return vec!["encryption at rest: off".to_owned()];
    }
    let mut lines = vec![
        format!("key-encryption key\t{}", status.key_encryption_key),
        format!("configured\t{}", status.configured.join(" ")),
    ];
    for key in &status.data_keys {
        let whose = match key.namespace_id.as_str() {
            "" if key.state == "destroyed" => "-",
            "" => "system",
            id => id,
        };
        let (id, state, records) = (key.id, &key.state, key.records);
        lines.push(format!("data key {id}\t{state}\t{whose}\tup to {records} records"));
    }
    if status.plain_records {
        lines.push("there may be records that are not encrypted yet".to_owned());
    }
    if let Some(progress) = &status.progress {
        let state = match (progress.is_running, progress.trouble.as_str()) {
            (true, _) => format!("running, table {}", progress.table),
            (false, "") => "done".to_owned(),
            (false, trouble) => format!("stopped: {trouble}"),
        };
        lines.push(format!(
            "sealing again\t{state}\t{} records seen, {} sealed, {} removed",
            progress.records, progress.sealed, progress.removed
        ));
    }
    lines
}
