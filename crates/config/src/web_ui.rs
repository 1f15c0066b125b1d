//! The settings of a web UI in front of another server.

use serde::Deserialize;

use crate::{SingleSignOn, values::or_default};

/// What `longtide ui` reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebUi {
    /// How people sign in, as a server has it.
    #[serde(deserialize_with = "or_default")]
    pub auth: SingleSignOn,
}

#[cfg(test)]
mod tests {
    use crate::web_ui_from_text;

    const PROVIDER: &str = "auth: { enabled: true, providers: [{ providerUrl: 'https://id.example', \
                            clientId: ui, callbackUrl: 'https://ui.example/below/auth/sso/callback' \
                            }] }";

    #[test]
    fn people_sign_in_without_any_rule_of_this_side() {
        assert!(web_ui_from_text(PROVIDER, "/below", |_| None).unwrap().auth.enabled);
        assert!(!web_ui_from_text("", "", |_| None).unwrap().auth.enabled);
        let variables = |name: &str| {
            let value = match name {
                "TEMPORAL_AUTH_ENABLED" => "true",
                "TEMPORAL_AUTH_PROVIDER_URL" => "https://id.example",
                "TEMPORAL_AUTH_CLIENT_ID" => "ui",
                "TEMPORAL_AUTH_CALLBACK_URL" => "https://ui.example/auth/sso/callback",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let auth = web_ui_from_text("", "", variables).unwrap().auth;
        assert_eq!(auth.providers.len(), 1);
    }

    #[test]
    fn providers_send_people_back_to_where_the_pages_are() {
        let error = web_ui_from_text(PROVIDER, "", |_| None).unwrap_err().to_string();
        assert!(error.contains("callbackUrl"), "{error}");
        let error = web_ui_from_text("auth: { enabled: true }", "", |_| None).unwrap_err();
        assert!(error.to_string().contains("auth.providers"), "{error}");
        assert!(web_ui_from_text("listen: x", "", |_| None).is_err());
    }
}
