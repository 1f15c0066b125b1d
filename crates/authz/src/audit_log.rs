//! Looking into the audit log, which only HTTP has.

use crate::{Access, Audit, Kind, RateClass, ResourceKind, Rpc, Scope, Service};

/// Somebody looks into the audit log: into all of it, which asks for the right on the whole system,
/// or into what is about one namespace.
pub static READ_AUDIT_LOG: Rpc = Rpc {
    name: "ReadAuditLog",
    path: "/longtide.admin.v1.AdminService/ReadAuditLog",
    service: Service::Admin,
    scope: Scope::Namespace,
    access: Access::Admin,
    resource: ResourceKind::Namespace,
    kind: Kind::Read,
    rate: RateClass::Operator,
    audit: Audit::Detail,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Caller, Claims, Policy, Principal, Resource, Roles, authorize};

    #[test]
    fn all_of_it_is_for_administrators_of_the_system_and_a_part_for_those_of_its_namespace() {
        let may = |permission: &str, namespace| {
            let mut claims = Claims::default();
            claims.grant_permission(permission);
            let caller = Caller::new(Principal::named("jwt", "a"), claims);
            let policy = Policy::Roles(Roles::default());
            authorize(&caller, &READ_AUDIT_LOG, Resource::in_namespace(namespace), &policy).is_ok()
        };
        for (permission, everything, orders) in [
            ("temporal-system:admin", true, true),
            ("temporal-system:write", false, false),
            ("orders:admin", false, true),
            ("orders:write", false, false),
            ("other:admin", false, false),
            (":admin", false, false),
        ] {
            assert_eq!(may(permission, ""), everything, "{permission}");
            assert_eq!(may(permission, "orders"), orders, "{permission}");
        }
    }
}
