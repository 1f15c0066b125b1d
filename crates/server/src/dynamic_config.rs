//! Settings of the reference's development server that have a meaning here.

use anyhow::Context;
use frontend::{RateLimit, RequestLimits};
use http_client::{AddressRule, AddressRules};
use model::Limits;
use serde::Deserialize;

/// What `--dynamic-config-value` asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DynamicConfig {
    /// How much namespaces and the server take.
    pub(crate) limits: RequestLimits,
    /// How large what namespaces hold may be.
    pub(crate) contents: Limits,
    /// Which addresses users may name in callbacks.
    pub(crate) allowed_addresses: AddressRules,
    /// Where handlers outside say that an operation has ended.
    pub(crate) callback_url_template: Option<String>,
    /// Under which names HTTP is served, besides those of loopback.
    pub(crate) allowed_hosts: Vec<String>,
    /// Whether runs may skip time.
    pub(crate) skips_time: bool,
    /// How often, unless they say otherwise.
    pub(crate) time_skips_max: Option<i32>,
    /// Keys without a meaning here.
    pub(crate) ignored: Vec<String>,
}

impl Default for DynamicConfig {
    fn default() -> Self {
        Self {
            limits: RequestLimits::DEVELOPMENT,
            contents: Limits::default(),
            allowed_addresses: AddressRules::default(),
            callback_url_template: None,
            allowed_hosts: Vec::new(),
            skips_time: false,
            time_skips_max: None,
            ignored: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AllowedAddress {
    #[serde(default)]
    pattern: String,
    #[serde(default)]
    allow_insecure: bool,
}

impl DynamicConfig {
    /// Reads `KEY=VALUE` pairs whose values are JSON.
    pub(crate) fn read(values: &[String]) -> anyhow::Result<Self> {
        let mut read = Self::default();
        for pair in values {
            let (key, value) = pair
                .split_once('=')
                .with_context(|| format!("`{pair}` is not of the form KEY=VALUE"))?;
            read.set(key, value).with_context(|| format!("the value of `{key}`"))?;
        }
        Ok(read)
    }

    fn set(&mut self, key: &str, value: &str) -> anyhow::Result<()> {
        match key {
            "callback.allowedAddresses" | "component.callbacks.allowedAddresses" => {
                let allowed: Vec<AllowedAddress> = serde_json::from_str(value)?;
                let rules =
                    allowed.into_iter().map(|AllowedAddress { pattern, allow_insecure }| {
                        AddressRule { pattern, allow_insecure }
                    });
                self.allowed_addresses = AddressRules::new(rules);
            }
            "nexusoperation.callback.endpoint.template"
            | "component.nexusoperations.callback.endpoint.template" => {
                self.callback_url_template = Some(serde_json::from_str(value)?);
            }
            "frontend.httpAllowedHosts" => self.allowed_hosts = serde_json::from_str(value)?,
            "frontend.WorkflowTimeSkippingEnabled" => {
                self.skips_time = serde_json::from_str(value)?;
            }
            "frontend.WorkflowTimeSkippingMaxSkipPerSession" => {
                self.time_skips_max = Some(serde_json::from_str(value)?);
            }
            "frontend.rps" => self.limits.server = rate(value)?,
            "frontend.namespaceRPS" => self.limits.namespace.requests = rate(value)?,
            "frontend.namespaceRPS.visibility" => {
                self.limits.namespace.visibility = rate(value)?;
            }
            "frontend.namespaceCount" => {
                self.limits.namespace.long_polls_max = serde_json::from_str(value)?;
            }
            _ if self.set_limit(key, value)? => {}
            _ => self.ignored.push(key.to_owned()),
        }
        Ok(())
    }

    /// Sets the limit that the reference calls so; false when there is none.
    fn set_limit(&mut self, key: &str, value: &str) -> anyhow::Result<bool> {
        let limits = &mut self.contents;
        let size = match key {
            "limit.maxIDLength" => &mut limits.id_length_max,
            "limit.blobSize.error" => &mut limits.blob_bytes_max,
            "limit.blobSize.warn" => &mut limits.blob_bytes_warn,
            "limit.memoSize.error" => &mut limits.memo_bytes_max,
            "history.maximumBufferedEventsBatch" => &mut limits.buffered_events_max,
            "history.maximumBufferedEventsSizeInBytes" => &mut limits.buffered_events_bytes_max,
            "history.MaxBufferedQueryCount" => &mut limits.buffered_queries_max,
            "history.maxInFlightUpdates" => &mut limits.updates_in_flight_max,
            "history.maxInFlightUpdatePayloads" => &mut limits.updates_in_flight_bytes_max,
            "history.maxTotalUpdates" => &mut limits.updates_per_run_max,
            _ => return self.set_history_limit(key, value),
        };
        *size = usize::try_from(serde_json::from_str::<u32>(value)?)?;
        Ok(true)
    }

    fn set_history_limit(&mut self, key: &str, value: &str) -> anyhow::Result<bool> {
        let limits = &mut self.contents;
        let size = match key {
            "limit.historyCount.suggestContinueAsNew" => &mut limits.history_events_suggest,
            "limit.historyCount.error" => &mut limits.history_events_max,
            "limit.historySize.suggestContinueAsNew" => &mut limits.history_bytes_suggest,
            "limit.historySize.error" => &mut limits.history_bytes_max,
            "history.maximumSignalsPerExecution" => &mut limits.signals_per_run_max,
            _ => return Ok(false),
        };
        *size = i64::from(serde_json::from_str::<u32>(value)?);
        Ok(true)
    }
}

/// Requests per second, as the reference reads them; twice as many may come at once.
fn rate(value: &str) -> anyhow::Result<Option<RateLimit>> {
    Ok(Some(RateLimit::per_second(serde_json::from_str(value)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> anyhow::Result<DynamicConfig> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        DynamicConfig::read(&values)
    }

    #[test]
    fn what_has_a_meaning_is_read_and_the_rest_is_named() {
        let config = read(&[
            r#"callback.allowedAddresses=[{"Pattern":"*","AllowInsecure":true}]"#,
            r#"component.nexusoperations.callback.endpoint.template="http://host/cb""#,
            "frontend.WorkflowTimeSkippingEnabled=true",
            "history.enableChasm=true",
        ])
        .unwrap();
        assert!(config.allowed_addresses.check_callback("http://anywhere").is_ok());
        assert_eq!(config.callback_url_template.as_deref(), Some("http://host/cb"));
        assert!(config.skips_time);
        assert_eq!(config.ignored, ["history.enableChasm"]);
    }

    #[test]
    fn limits_of_the_reference_are_taken() {
        let config = read(&["frontend.namespaceRPS=3", "frontend.namespaceCount=1"]).unwrap();
        assert_eq!(config.limits.namespace.requests, Some(RateLimit::per_second(3)));
        assert_eq!(config.limits.namespace.long_polls_max, 1);
        assert!(read(&["frontend.rps=-1"]).is_err());
        let config = read(&["limit.blobSize.error=9", "limit.historyCount.error=8"]).unwrap();
        assert_eq!(config.contents.blob_bytes_max, 9);
        assert_eq!(config.contents.history_events_max, 8);
        assert!(config.ignored.is_empty());
        assert!(read(&["limit.blobSize.error=-1"]).is_err());
    }

    #[test]
    fn a_value_that_is_not_understood_is_an_error_not_a_guess() {
        assert!(read(&["callback.allowedAddresses=*"]).is_err());
        assert!(read(&["no pair"]).is_err());
    }
}
