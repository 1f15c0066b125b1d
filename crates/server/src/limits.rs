//! From the configuration to the limits of listeners, connections and requests.

use std::{collections::BTreeMap, sync::Arc};

use config::{Limits, Settings};
use frontend::{MessageLimits, NamespaceLimits, RateLimit, RequestLimits, ServerSettings};
use listener::{AddressLimits, Visitors};
use model::Span;

/// The limits of a node.
#[derive(Debug, Clone)]
pub(crate) struct NodeLimits {
    /// Of each port.
    pub(crate) listener: listener::Limits,
    /// Of each address, over all ports.
    pub(crate) addresses: AddressLimits,
    /// Of each connection.
    pub(crate) server: ServerSettings,
    /// Of what comes over them.
    pub(crate) requests: RequestLimits,
    /// Of what namespaces hold.
    pub(crate) contents: model::Limits,
}

impl NodeLimits {
    /// Those of a server on loopback, which nobody else reaches: addresses have none.
    pub(crate) fn on_loopback(requests: RequestLimits) -> Self {
        Self {
            listener: listener::Limits::default(),
            addresses: AddressLimits::default(),
            server: ServerSettings::default(),
            requests,
            contents: model::Limits::default(),
        }
    }

    /// Those of the configuration.
    pub(crate) fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        let limits = &settings.limits;
        let mut by_name = BTreeMap::new();
        for (name, own) in &settings.namespace_limits {
            by_name.insert(name.clone(), of_namespace(&own.over(limits))?);
        }
        let handshake_timeout = seconds(limits.handshake_seconds)?;
        let messages = MessageLimits {
            bytes_max: usize::try_from(limits.message_bytes)?,
            timeout: seconds(limits.message_seconds)?,
        };
        Ok(Self {
            listener: listener::Limits {
                connections_max: usize::try_from(limits.connections)?,
                handshakes_max: usize::try_from(limits.handshakes)?,
                handshake_timeout,
            },
            addresses: AddressLimits {
                connections_max: match limits.address_connections {
                    0 => None,
                    most => Some(usize::try_from(most)?),
                },
                connections: rate(limits.address_connections_per_second)?,
                requests: rate(limits.address_requests_per_second)?,
                refusals: rate(limits.address_refusals_per_second)?,
            },
            server: ServerSettings {
                streams_per_connection_max: u32::try_from(limits.streams_per_connection)?,
                header_bytes_max: u32::try_from(limits.header_bytes)?,
                opening_timeout: handshake_timeout,
                ..ServerSettings::default()
            },
            requests: RequestLimits {
                messages,
                namespace: of_namespace(limits)?,
                by_name,
                server: rate(limits.server_requests_per_second)?,
                principal: rate(limits.principal_requests_per_second)?,
                time_skips_max: None,
            },
            contents: model::Limits::default(),
        })
    }

    /// Who has come, over all ports.
    pub(crate) fn visitors(&self) -> Arc<Visitors> {
        Visitors::new(self.addresses)
    }
}

fn of_namespace(limits: &Limits) -> anyhow::Result<NamespaceLimits> {
    Ok(NamespaceLimits {
        requests: rate(limits.requests_per_second)?,
        visibility: rate(limits.visibility_per_second)?,
        operator: rate(limits.operator_per_second)?,
        long_polls_max: usize::try_from(limits.long_polls)?,
    })
}

fn rate(per_second: u64) -> anyhow::Result<Option<RateLimit>> {
    Ok(RateLimit::unless_zero(u32::try_from(per_second)?))
}

fn seconds(count: u64) -> anyhow::Result<Span> {
    Ok(Span::from_secs(i64::try_from(count)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> NodeLimits {
        let settings = config::from_text(&format!("data_directory: d\n{text}"), |_| None).unwrap();
        NodeLimits::from_settings(&settings).unwrap()
    }

    #[test]
    fn a_namespace_keeps_what_is_not_its_own() {
        let limits = read(
            "limits: { long_polls: 7 }\n\
             namespace_limits: { orders: { requests_per_second: 5 } }\n",
        );
        let own = limits.requests.by_name["orders"];
        assert_eq!(own.requests, Some(RateLimit::per_second(5)));
        assert_eq!(own.long_polls_max, 7);
        assert_eq!(limits.requests.namespace.requests, Some(RateLimit::per_second(2400)));
    }

    #[test]
    fn zero_is_no_limit_where_it_may_be_said() {
        let limits = read("limits: { address_connections: 0, address_refusals_per_second: 0 }\n");
        assert_eq!((limits.addresses.connections_max, limits.addresses.refusals), (None, None));
        assert!(limits.addresses.requests.is_some());
    }
}
