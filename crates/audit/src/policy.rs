//! What is kept.

use std::collections::BTreeMap;

use authz::{Access, Audit, Kind, ResourceKind, Rpc, Service};

/// What is kept of calls that were allowed. Denials and refused credentials are kept always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// What is kept of the data plane: workflows, activities, schedules, task queues.
    pub data_plane: DataPlane,
    /// The same for single namespaces.
    pub namespaces: BTreeMap<String, DataPlane>,
}

/// What is kept of calls to the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum DataPlane {
    /// Nothing.
    None,
    /// What users change: starts, signals, terminations, schedules.
    #[default]
    Writes,
    /// What they read, too; of the traffic of workers how much there was in each minute.
    All,
    /// Every call, those of workers included.
    Each,
}

/// How a call is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// Not at all.
    Nothing,
    /// In a number.
    Count,
    /// In a record of its own.
    Each,
}

impl Policy {
    /// How a call of `rpc` in a namespace is kept when it is allowed.
    pub fn keep(&self, rpc: &Rpc, namespace: &str) -> Keep {
        let data_plane = *self.namespaces.get(namespace).unwrap_or(&self.data_plane);
        if is_control_plane(rpc) {
            return match rpc.audit {
                // What every client asks before it does anything.
                Audit::Count if data_plane < DataPlane::All => Keep::Nothing,
                Audit::Count if data_plane < DataPlane::Each => Keep::Count,
                Audit::Count | Audit::Each | Audit::Detail => Keep::Each,
            };
        }
        match (data_plane, rpc.audit) {
            (DataPlane::None, _) => Keep::Nothing,
            (DataPlane::Writes, Audit::Detail) => Keep::Each,
            (DataPlane::Writes, Audit::Each) if rpc.kind == Kind::Write => Keep::Each,
            (DataPlane::Writes, Audit::Count | Audit::Each) => Keep::Nothing,
            (DataPlane::All, Audit::Count) => Keep::Count,
            (DataPlane::All, Audit::Each | Audit::Detail) | (DataPlane::Each, _) => Keep::Each,
        }
    }
}

/// Calls about the cluster, its namespaces and who may use them.
fn is_control_plane(rpc: &Rpc) -> bool {
    let is_about_the_cluster = matches!(
        rpc.resource,
        ResourceKind::Cluster
            | ResourceKind::Namespace
            | ResourceKind::NexusEndpoint
            | ResourceKind::SearchAttributes
            | ResourceKind::ApiKey
    );
    // Requests of callers outside through an endpoint are work, not administration.
    let is_administration = is_about_the_cluster && rpc.service != Service::Nexus;
    is_administration || rpc.service == Service::Admin || rpc.access == Access::Admin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(data_plane: DataPlane, name: &str) -> Keep {
        let rpc = authz::rpcs().find(|rpc| rpc.name == name).unwrap();
        Policy { data_plane, ..Policy::default() }.keep(rpc, "orders")
    }

    #[test]
    fn the_control_plane_is_kept_whatever_the_policy() {
        for data_plane in [DataPlane::None, DataPlane::Writes, DataPlane::All, DataPlane::Each] {
            for name in ["RegisterNamespace", "ListNamespaces", "CreateNexusEndpoint"] {
                assert_eq!(keep(data_plane, name), Keep::Each, "{name}");
            }
            let key = authz::rpc("/longtide.admin.v1.AdminService/CreateApiKey").unwrap();
            assert_eq!(Policy::default().keep(key, ""), Keep::Each);
        }
    }

    #[test]
    fn the_data_plane_is_kept_as_the_policy_says() {
        use DataPlane::{All, Each, None, Writes};
        for (data_plane, start, read, poll) in [
            (None, Keep::Nothing, Keep::Nothing, Keep::Nothing),
            (Writes, Keep::Each, Keep::Nothing, Keep::Nothing),
            (All, Keep::Each, Keep::Each, Keep::Count),
            (Each, Keep::Each, Keep::Each, Keep::Each),
        ] {
            assert_eq!(keep(data_plane, "StartWorkflowExecution"), start);
            assert_eq!(keep(data_plane, "DescribeWorkflowExecution"), read);
            assert_eq!(keep(data_plane, "PollWorkflowTaskQueue"), poll);
        }
        let nexus = &authz::DISPATCH_BY_ENDPOINT;
        assert_eq!(Policy::default().keep(nexus, "orders"), Keep::Each);
    }

    #[test]
    fn a_namespace_may_have_a_policy_of_its_own() {
        let namespaces = BTreeMap::from([("orders".to_owned(), DataPlane::None)]);
        let policy = Policy { data_plane: DataPlane::Each, namespaces };
        let rpc = authz::rpcs().find(|rpc| rpc.name == "StartWorkflowExecution").unwrap();
        assert_eq!(policy.keep(rpc, "orders"), Keep::Nothing);
        assert_eq!(policy.keep(rpc, "other"), Keep::Each);
    }
}
