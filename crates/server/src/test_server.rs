//! `longtide test-server`: a server for tests, whose time passes at once while nobody works.

use std::{net::SocketAddr, sync::Arc};

use environment::{Environment, SkippableClock, SystemEntropy};
use frontend::{Hosts, RequestLimits};
use model::Span;
use telemetry::start_logging;

use crate::{
    arguments::TestServer,
    development,
    limits::NodeLimits,
    node::{self, Callbacks, NodeOptions},
    output,
    security::{Rules, Security},
};

/// How long closed runs are kept: longer than any test lets time pass (a hundred years).
const RETENTION: Span = Span::from_secs(100 * 365 * 24 * 3600);

/// Runs a test server: on loopback, in memory.
pub(crate) fn start(options: &TestServer) -> anyhow::Result<()> {
    start_logging(options.log_level.parse()?, options.log_format.parse()?)?;
    let clock = if options.enable_time_skipping {
        SkippableClock::unlocked()
    } else {
        SkippableClock::locked()
    };
    let node = NodeOptions {
        environment: Environment { clock: Arc::new(clock), entropy: Arc::new(SystemEntropy) },
        listen: SocketAddr::from(([127, 0, 0, 1], options.port)),
        http: None,
        hosts: Hosts::default(),
        ui: None,
        callbacks: Callbacks::default(),
        metrics: None,
        data_directory: None,
        store_cache_bytes: None,
        at_rest: None,
        history: history::Config::default(),
        security: Security::default(),
        audit: None,
        renewal: None,
        single_sign_on: None,
        rules: Rules::allow_all(),
        limits: NodeLimits::on_loopback(RequestLimits {
            time_skips_max: Some(development::TIME_SKIPS_MAX),
            ..RequestLimits::DEVELOPMENT
        }),
        namespaces: development::registrations(
            &options.namespace,
            &options.search_attribute,
            RETENTION,
        )?,
    };
    node::run(node, |addresses| {
        output::line(&format!("Longtide test server listens on {}", addresses.grpc));
    })
}
