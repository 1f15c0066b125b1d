//! The methods that only HTTP has: Nexus requests and completions from outside. Their names are the
//! reference's.

use crate::{Access, Audit, Kind, RateClass, ResourceKind, Rpc, Scope, Service};

macro_rules! method {
    ($name:literal, $resource:ident) => {
        Rpc {
            name: $name,
            path: concat!("/temporal.api.nexusservice.v1.NexusService/", $name),
            service: Service::Nexus,
            scope: Scope::Namespace,
            access: Access::Write,
            resource: ResourceKind::$resource,
            kind: Kind::Write,
            rate: RateClass::Progress,
            audit: Audit::Each,
        }
    };
}

/// A handler says that an operation has ended.
pub static COMPLETE_NEXUS_OPERATION: Rpc = method!("CompleteNexusOperation", NexusOperation);

/// A caller outside asks the workers that an endpoint points at.
pub static DISPATCH_BY_ENDPOINT: Rpc = method!("DispatchByEndpoint", NexusEndpoint);

/// A caller outside asks the workers of a task queue.
pub static DISPATCH_BY_NAMESPACE_AND_TASK_QUEUE: Rpc =
    method!("DispatchByNamespaceAndTaskQueue", TaskQueue);

/// All of them.
pub(crate) static METHODS: [&Rpc; 3] =
    [&COMPLETE_NEXUS_OPERATION, &DISPATCH_BY_ENDPOINT, &DISPATCH_BY_NAMESPACE_AND_TASK_QUEUE];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Caller, Policy, Resource, authorize};

    #[test]
    fn what_comes_over_http_needs_a_rule_as_well() {
        for rpc in [
            &COMPLETE_NEXUS_OPERATION,
            &DISPATCH_BY_ENDPOINT,
            &DISPATCH_BY_NAMESPACE_AND_TASK_QUEUE,
        ] {
            assert_eq!(rpc.path, format!("/{}/{}", rpc.service.name(), rpc.name));
            let (caller, resource) = (Caller::anonymous(), Resource::in_namespace("default"));
            assert!(authorize(&caller, rpc, resource, &Policy::default()).is_err());
            assert!(authorize(&caller, rpc, resource, &Policy::AllowAll).is_ok());
        }
    }
}
