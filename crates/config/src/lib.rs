//! The settings of a server.
//!
//! One YAML file. A setting is declared once, in [`Settings`] and its sections, with its meaning,
//! unit, default and range; unknown keys are errors; `${NAME}` stands for an environment variable.

mod audit;
mod authorization;
mod certificates;
mod check;
mod codec_proxy;
mod codec_server;
mod declare;
mod encryption_at_rest;
mod error;
mod exposure;
mod global;
mod load;
mod remote_server;
mod rules;
mod settings;
mod single_sign_on;
mod substitute;
pub mod tls;
mod tls_namespaces;
mod tls_variables;
mod values;
mod web_ui;

pub use audit::{Audit, AuditWebhook, DataPlane, OnFailure};
pub use authorization::{Authorization, CertificateRule, JwtKeyProvider};
pub use certificates::Certificates;
pub use codec_proxy::CodecProxy;
pub use codec_server::{CodecCompression, CodecFormat, CodecKeys, CodecServer, CodecToken};
pub use declare::Setting;
pub use encryption_at_rest::{EncryptionAtRest, KeyEncryptionKey, Pkcs11, VaultTransit};
pub use error::ConfigError;
pub use global::Global;
pub use load::{
    codec_proxy_from_file, codec_proxy_from_text, codec_server_from_file, codec_server_from_text,
    from_file, from_text, web_ui_from_file, web_ui_from_text,
};
pub use remote_server::{RemoteServer, RemoteTls};
pub use rules::{CustomRole, Policies, Webhook};
pub use settings::{
    AllowedAddress, Cache, Http, Limits, Log, Metrics, Namespace, NamespaceLimits, Nexus, Settings,
    Ui, all_settings,
};
pub use single_sign_on::{IdentityProvider, SingleSignOn};
pub use values::{Retention, Secret};
pub use web_ui::WebUi;
