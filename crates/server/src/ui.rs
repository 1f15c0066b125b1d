//! The web UI of a node.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use frontend::{Face, OWN_VERSION};
use web_ui::{Settings, Site};

/// A web UI, and where it is.
pub(crate) struct Ui {
    /// Where it is by itself; `None` where HTTP is.
    pub(crate) listen: Option<SocketAddr>,
    site: Arc<Site>,
}

impl Ui {
    /// The UI that was built in, or another one; what it is told, variables of the reference's UI
    /// server may say.
    pub(crate) fn open(
        listen: Option<SocketAddr>,
        folder: Option<&Path>,
        public_path: &str,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        Ok(Self { listen, site: site(folder, public_path, settings)? })
    }
}

/// The same, for those who serve it themselves.
pub(crate) fn site(
    folder: Option<&Path>,
    public_path: &str,
    settings: Settings,
) -> anyhow::Result<Arc<Site>> {
    let mut settings = Settings { version: OWN_VERSION.to_owned(), ..settings };
    settings.fill_in(variable).map_err(|name| anyhow!("{name}: neither true nor false"))?;
    let site = match folder {
        None => Site::built_in(settings),
        Some(folder) => Site::from_folder(folder, settings)
            .with_context(|| format!("the web UI in `{}`", folder.display()))?,
    };
    let site = site.below(public_path).with_context(|| format!("the path `{public_path}`"))?;
    Ok(Arc::new(site))
}

#[expect(clippy::disallowed_methods, reason = "the UI is configured by variables")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What HTTP shows, and what the UI's own port does if it has one.
pub(crate) fn faces(ui: Option<Ui>) -> (Face, Option<Face>) {
    match ui {
        None => (Face::Api, None),
        Some(Ui { listen: None, site }) => (Face::ApiAndPages(site), None),
        Some(Ui { listen: Some(_), site }) => (Face::Api, Some(Face::Pages(site))),
    }
}
