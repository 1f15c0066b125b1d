//! The environment variables that the reference's container image reads. They fill in what the
//! file leaves out.

use std::time::Duration;

use crate::{Global, authorization::Authorization, tls::GroupTls, values::go_duration};

/// Fills in what `global` leaves out.
pub(crate) fn fill_in(
    global: &mut Global,
    lookup: &impl Fn(&str) -> Option<String>,
    problems: &mut Vec<String>,
) {
    let mut variables = Variables { lookup, problems };
    let tls = &mut global.tls;
    variables.time("TEMPORAL_TLS_REFRESH_INTERVAL", &mut tls.refresh_interval);
    let checks = &mut tls.expiration_checks;
    variables.time("TEMPORAL_TLS_EXPIRATION_CHECKS_WARNING_WINDOW", &mut checks.warning_window);
    variables.time("TEMPORAL_TLS_EXPIRATION_CHECKS_ERROR_WINDOW", &mut checks.error_window);
    variables.time("TEMPORAL_TLS_EXPIRATION_CHECKS_CHECK_INTERVAL", &mut checks.check_interval);
    let internode = &mut tls.internode;
    variables.flag("TEMPORAL_TLS_REQUIRE_CLIENT_AUTH", &mut internode.server.require_client_auth);
    variables.text("TEMPORAL_TLS_SERVER_CERT", &mut internode.server.cert_file);
    variables.text("TEMPORAL_TLS_SERVER_KEY", &mut internode.server.key_file);
    variables.text("TEMPORAL_TLS_SERVER_CERT_DATA", &mut internode.server.cert_data);
    variables.secret("TEMPORAL_TLS_SERVER_KEY_DATA", &mut internode.server.key_data);
    variables.list(&["TEMPORAL_TLS_SERVER_CA_CERT"], &mut internode.server.client_ca_files);
    variables.list(&["TEMPORAL_TLS_SERVER_CA_CERT_DATA"], &mut internode.server.client_ca_data);
    variables.client("TEMPORAL_TLS_INTERNODE", internode);
    let frontend = &mut tls.frontend;
    variables.flag("TEMPORAL_TLS_REQUIRE_CLIENT_AUTH", &mut frontend.server.require_client_auth);
    variables.text("TEMPORAL_TLS_FRONTEND_CERT", &mut frontend.server.cert_file);
    variables.text("TEMPORAL_TLS_FRONTEND_KEY", &mut frontend.server.key_file);
    variables.text("TEMPORAL_TLS_FRONTEND_CERT_DATA", &mut frontend.server.cert_data);
    variables.secret("TEMPORAL_TLS_FRONTEND_KEY_DATA", &mut frontend.server.key_data);
    let files = ["TEMPORAL_TLS_CLIENT1_CA_CERT", "TEMPORAL_TLS_CLIENT2_CA_CERT"];
    variables.list(&files, &mut frontend.server.client_ca_files);
    let data = ["TEMPORAL_TLS_CLIENT1_CA_CERT_DATA", "TEMPORAL_TLS_CLIENT2_CA_CERT_DATA"];
    variables.list(&data, &mut frontend.server.client_ca_data);
    variables.client("TEMPORAL_TLS_FRONTEND", frontend);
    if AUTHORIZATION.iter().any(|name| variables.value(name).is_some()) {
        let authorization = global.authorization.get_or_insert_with(Authorization::default);
        let keys = &mut authorization.jwt_key_provider;
        let sources = ["TEMPORAL_JWT_KEY_SOURCE1", "TEMPORAL_JWT_KEY_SOURCE2"];
        variables.list(&sources, &mut keys.key_source_uris);
        variables.time("TEMPORAL_JWT_KEY_REFRESH", &mut keys.refresh_interval);
        variables.text("TEMPORAL_JWT_PERMISSIONS_CLAIM", &mut authorization.permissions_claim_name);
        variables.text("TEMPORAL_JWT_PERMISSIONS_REGEX", &mut authorization.permissions_regex);
        variables.text("TEMPORAL_AUTH_AUTHORIZER", &mut authorization.authorizer);
        variables.text("TEMPORAL_AUTH_CLAIM_MAPPER", &mut authorization.claim_mapper);
    }
}

const AUTHORIZATION: &[&str] = &[
    "TEMPORAL_JWT_KEY_SOURCE1",
    "TEMPORAL_JWT_KEY_SOURCE2",
    "TEMPORAL_AUTH_AUTHORIZER",
    "TEMPORAL_AUTH_CLAIM_MAPPER",
];

/// Fills in fields that are empty.
pub(crate) struct Variables<'a, L> {
    pub(crate) lookup: &'a L,
    pub(crate) problems: &'a mut Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Variables<'_, L> {
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn text(&self, name: &str, field: &mut String) {
        if let Some(value) = self.value(name).filter(|_| field.is_empty()) {
            *field = value;
        }
    }

    pub(crate) fn secret(&self, name: &str, field: &mut crate::Secret) {
        if let Some(value) = self.value(name).filter(|_| field.is_empty()) {
            *field = value.into();
        }
    }

    pub(crate) fn list(&self, names: &[&str], field: &mut Vec<String>) {
        if field.is_empty() {
            field.extend(names.iter().filter_map(|name| self.value(name)));
        }
    }

    pub(crate) fn flag(&mut self, name: &str, field: &mut bool) {
        let Some(value) = self.value(name) else { return };
        match value.as_str() {
            "true" => *field = true,
            "false" => {}
            other => self.problems.push(format!("{name}: `{other}` is none of true, false")),
        }
    }

    fn time(&mut self, name: &str, field: &mut Duration) {
        let Some(value) = self.value(name).filter(|_| field.is_zero()) else { return };
        match go_duration(&value) {
            Ok(value) => *field = value,
            Err(error) => self.problems.push(format!("{name}: {error}")),
        }
    }

    fn client(&mut self, prefix: &str, group: &mut GroupTls) {
        let client = &mut group.client;
        self.text(&format!("{prefix}_SERVER_NAME"), &mut client.server_name);
        let verification = format!("{prefix}_DISABLE_HOST_VERIFICATION");
        self.flag(&verification, &mut client.disable_host_verification);
        self.list(&["TEMPORAL_TLS_SERVER_CA_CERT"], &mut client.root_ca_files);
        self.list(&["TEMPORAL_TLS_SERVER_CA_CERT_DATA"], &mut client.root_ca_data);
    }
}
