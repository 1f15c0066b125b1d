//! API keys that never end, read from the data of a server that does not run.

use std::{path::Path, sync::Arc};

use authn::ApiKeys;
use config::Settings;
use environment::Environment;
use storage::Store;

use super::{Diagnosis, Severity};
use crate::{at_rest, configured};

pub(super) fn check(
    file: &Path,
    settings: &Settings,
    environment: &Environment,
    diagnosis: &mut Diagnosis,
) -> anyhow::Result<()> {
    let takes_keys = settings.global.authorization.as_ref().is_some_and(|it| it.api_keys);
    // A folder that is not there is not made for a look.
    if !takes_keys || !settings.data_directory.exists() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let directory = &settings.data_directory;
    let at_rest = configured::at_rest_options(settings, file);
    let with = storage_embedded::Settings::default();
    let opened = runtime.block_on(at_rest::open_store(directory, with, at_rest.as_ref()));
    let store: Arc<dyn Store> = match opened {
        Ok((store, _)) => store,
        Err(error) => {
            diagnosis.notes.push(format!(
                "API keys were not looked at, see `longtide auth key list`: {error:#}"
            ));
            return Ok(());
        }
    };
    runtime.block_on(async {
        let keys = ApiKeys::open(Arc::clone(&store), environment.clone()).await?;
        for key in keys.all().iter().filter(|key| !key.request.expires.is_set()) {
            let place = format!("API key {} ({})", key.id, key.request.name);
            diagnosis.find(Severity::Medium, place, "never ends");
        }
        store.close().await;
        Ok(())
    })
}
