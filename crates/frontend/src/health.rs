//! Health checks (`grpc.health.v1`).

use std::fmt;

use authz::Service;
use tonic::codec::CompressionEncoding;
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, health_reporter},
};

use crate::server::{SideService, side_service};

/// What health checks are answered with. The server as a whole has the empty name.
pub(crate) struct Health {
    reporter: HealthReporter,
    service: SideService,
}

const NAMES: [&str; 3] = ["", Service::Workflow.name(), Service::Operator.name()];

impl Health {
    pub(crate) fn new() -> Self {
        let (reporter, service) = health_reporter();
        let service = service.accept_compressed(CompressionEncoding::Gzip);
        Self { reporter, service: side_service(service) }
    }

    /// What answers the checks.
    pub(crate) fn service(&self) -> SideService {
        SideService::clone(&self.service)
    }

    /// From now on all is well.
    pub(crate) async fn serving(&self) {
        self.report(ServingStatus::Serving).await;
    }

    /// From now on clients should go elsewhere.
    pub(crate) async fn not_serving(&self) {
        self.report(ServingStatus::NotServing).await;
    }

    async fn report(&self, status: ServingStatus) {
        for name in NAMES {
            self.reporter.set_service_status(name, status).await;
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Health").finish_non_exhaustive()
    }
}
