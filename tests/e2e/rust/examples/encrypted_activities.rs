//! A worker of activities whose payloads the server cannot read.
//!
//!     encrypted_activities ADDRESS TASK_QUEUE KEY_FILE
//!
//! A line on standard input ends it.

use std::{env, path::Path};

use anyhow::{Context as _, Result, anyhow};
use longtide_codec::{Encryption, SdkCodec};
use temporalio_client::{Client, ClientOptions, Connection, ConnectionOptions, Url};
use temporalio_common::data_converters::{
    DataConverter, DefaultFailureConverter, PayloadConverter,
};
use temporalio_macros::activities;
use temporalio_sdk::{
    ApplicationFailure, Runtime, Worker, WorkerOptions,
    activities::{ActivityContext, ActivityError},
};

/// What this worker does.
pub struct Activities;

#[activities]
impl Activities {
    #[activity(name = "charge")]
    pub async fn charge(_ctx: ActivityContext, card: String) -> Result<String, ActivityError> {
        if card.ends_with("expired") {
            let failure = ApplicationFailure::new(anyhow!("{card}: refused in Rust"));
            return Err(ActivityError::application(failure));
        }
        Ok(format!("{card}: charged in Rust"))
    }
}

/// What encrypts the payloads of this worker, and the messages of its failures.
fn converter(key_file: &Path) -> Result<DataConverter> {
    let keys = longtide_codec::read_key_file(key_file)?;
    let codec = SdkCodec::new(Encryption::new(&keys)?);
    Ok(DataConverter::new(PayloadConverter::default(), DefaultFailureConverter::new(true), codec))
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let mut argument = || arguments.next().context("ADDRESS TASK_QUEUE KEY_FILE");
    let (address, task_queue, key_file) = (argument()?, argument()?, argument()?);
    let url = Url::parse(&format!("http://{address}"))?;
    let connection = Connection::connect(ConnectionOptions::new(url).build()).await?;
    let options = ClientOptions::new("default").data_converter(converter(key_file.as_ref())?);
    let client = Client::new(connection, options.build())?;
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let options = WorkerOptions::new(task_queue).register_activities(Activities).build();
    let mut worker = Worker::new(&runtime, client, options)?;
    let shut_down = worker.shutdown_handle();
    println!("polls");
    let over = async {
        let line = || std::io::stdin().read_line(&mut String::new());
        let _bytes = tokio::task::spawn_blocking(line).await;
        shut_down();
    };
    let (worked, ()) = tokio::join!(worker.run(), over);
    Ok(worked?)
}
