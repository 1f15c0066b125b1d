//! What a node may call outside of the server, and how it is called back.

use std::sync::Arc;

use http_client::{AddressRules, HttpClient, NoClient};
use namespace::Namespace;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in the path of a URL.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How requests leave the server. By default none does.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// Who sends them.
    pub client: Arc<dyn HttpClient>,
    /// Which addresses may be called.
    pub rules: AddressRules,
    /// Where the handlers of endpoints outside say that an operation has ended. In the place of
    /// `{{.NamespaceName}}` and `{{.NamespaceID}}` comes the caller's namespace. None: nobody
    /// outside can say so.
    pub callback_url_template: Option<String>,
}

impl Default for Outbound {
    fn default() -> Self {
        Self {
            client: Arc::new(NoClient),
            rules: AddressRules::default(),
            callback_url_template: None,
        }
    }
}

impl Outbound {
    /// Where completions for a namespace are sent.
    pub(crate) fn callback_url(&self, namespace: &Namespace) -> Option<String> {
        let template = self.callback_url_template.as_deref()?;
        let name = utf8_percent_encode(&namespace.name, NAME).to_string();
        let url = template.replace("{{.NamespaceName}}", &name);
        Some(url.replace("{{.NamespaceID}}", &namespace.id.to_string()))
    }
}
