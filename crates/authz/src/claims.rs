//! What a caller may do, as its credentials say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The name under which permissions speak of the whole system.
pub const SYSTEM_NAMESPACE: &str = "temporal-system";

/// A set of rights on one namespace, or on the whole system. The numbers are the reference's: they
/// are compared as numbers, so that a writer reads and an administrator does both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Role(u8);

impl Role {
    /// No right at all.
    pub const NONE: Self = Self(0);
    /// Polls for tasks and answers them.
    pub const WORKER: Self = Self(1);
    /// Looks, changes nothing.
    pub const READER: Self = Self(2);
    /// Starts and changes executions, and does what a worker does.
    pub const WRITER: Self = Self(4);
    /// Changes the namespace itself.
    pub const ADMIN: Self = Self(8);

    /// The role by its name in a permission, in any case; nothing for other names.
    pub fn from_name(name: &str) -> Option<Self> {
        const NAMES: [(&str, Role); 4] = [
            ("read", Role::READER),
            ("write", Role::WRITER),
            ("worker", Role::WORKER),
            ("admin", Role::ADMIN),
        ];
        let found = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, role)| *role)
    }

    /// The rights of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when these rights are at least those: any higher right includes the lower ones.
    pub const fn covers(self, needed: Self) -> bool {
        self.0 >= needed.0
    }

    /// True when exactly those rights are among these.
    pub const fn includes(self, rights: Self) -> bool {
        self.0 & rights.0 == rights.0
    }

    /// True when there is no right in it.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// The rights of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// On everything.
    pub system: Role,
    /// On single namespaces, by name.
    pub namespaces: BTreeMap<String, Role>,
    /// Names of other roles, in lower case, by namespace; `temporal-system` stands for everything.
    /// What they mean is the configuration's business, and nothing when it does not say.
    pub custom: BTreeMap<String, BTreeSet<String>>,
}

impl Claims {
    /// The rights on a namespace, those on everything included.
    pub fn on(&self, namespace: &str) -> Role {
        let own = self.namespaces.get(namespace).copied().unwrap_or_default();
        self.system.and(own)
    }

    /// Adds rights; `temporal-system` stands for everything. A permission without a namespace
    /// would otherwise hold for requests that name none, so it is no permission.
    pub fn grant(&mut self, namespace: &str, role: Role) {
        if role.is_none() || namespace.is_empty() {
            return;
        }
        if namespace == SYSTEM_NAMESPACE {
            self.system = self.system.and(role);
            return;
        }
        let own = self.namespaces.entry(namespace.to_owned()).or_default();
        *own = own.and(role);
    }

    /// The names of other roles that were given by the name of a namespace.
    pub fn custom_on(&self, namespace: &str) -> impl Iterator<Item = &str> {
        self.custom.get(namespace).into_iter().flatten().map(String::as_str)
    }

    /// Adds a role by its name: the reference's, or another. False when it can be no role.
    pub fn grant_named(&mut self, namespace: &str, name: &str) -> bool {
        if let Some(role) = Role::from_name(name) {
            self.grant(namespace, role);
            return !namespace.is_empty();
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if namespace.is_empty() || name.is_empty() || !name.chars().all(fits) {
            return false;
        }
        self.custom.entry(namespace.to_owned()).or_default().insert(name.to_lowercase());
        true
    }

    /// All rights, each as a namespace and a role's name: [`Claims::grant_named`] takes them back.
    pub fn grants(&self) -> impl Iterator<Item = (&str, &str)> {
        const NAMES: &[(&str, Role)] = &[
            ("worker", Role::WORKER),
            ("read", Role::READER),
            ("write", Role::WRITER),
            ("admin", Role::ADMIN),
        ];
        let own = self.namespaces.iter().map(|(name, role)| (name.as_str(), *role));
        let held = std::iter::once((SYSTEM_NAMESPACE, self.system)).chain(own);
        let plain = held.flat_map(|(namespace, held)| {
            let names = NAMES.iter().filter(move |(_, role)| held.includes(*role));
            names.map(move |(name, _)| (namespace, *name))
        });
        let custom = self.custom.iter().flat_map(|(namespace, names)| {
            names.iter().map(move |name| (namespace.as_str(), name.as_str()))
        });
        plain.chain(custom)
    }

    /// Adds the rights that a permission such as `orders:write` speaks of. False when it speaks of
    /// none.
    pub fn grant_permission(&mut self, permission: &str) -> bool {
        let Some((namespace, role)) = permission.split_once(':') else { return false };
        self.grant_named(namespace.trim(), role.trim())
    }
}

impl Claims {
    /// As permissions, such as `orders:write`.
    pub fn permissions(&self) -> Vec<String> {
        self.grants().map(|(namespace, role)| format!("{namespace}:{role}")).collect()
    }
}

impl fmt::Display for Claims {
    /// As permissions, with blanks between them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permissions = self.permissions();
        if permissions.is_empty() {
            return formatter.write_str("none");
        }
        formatter.write_str(&permissions.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(permissions: &[&str]) -> Claims {
        let mut claims = Claims::default();
        for permission in permissions {
            claims.grant_permission(permission);
        }
        claims
    }

    #[test]
    fn permissions_of_one_namespace_add_up() {
        let claims = claims(&["orders:read", "orders:WORKER", "temporal-system:read"]);
        assert_eq!(claims.on("orders"), Role::WORKER.and(Role::READER));
        assert_eq!(claims.on("other"), Role::READER);
        assert_eq!(claims.system, Role::READER);
    }

    #[test]
    fn spaces_around_the_parts_do_not_count() {
        assert_eq!(claims(&["orders : write"]).on("orders"), Role::WRITER);
    }

    #[test]
    fn what_is_no_permission_grants_nothing() {
        for permission in ["", "orders", "orders:", ":admin", " :admin", "orders:o wn", "a:b:admin"]
        {
            let claims = claims(&[permission]);
            assert_eq!(claims, Claims::default(), "{permission}");
        }
    }

    #[test]
    fn the_old_name_of_the_system_is_a_namespace_like_any_other() {
        let claims = claims(&["system:admin", "Temporal-System:admin"]);
        assert_eq!(claims.system, Role::NONE);
        assert_eq!(claims.on("system"), Role::ADMIN);
    }

    #[test]
    fn rights_that_are_written_down_are_the_same_again() {
        let held = claims(&[
            "temporal-system:read",
            "temporal-system:owner",
            "orders:worker",
            "orders:admin",
            "bills:Deployer",
        ]);
        let mut again = Claims::default();
        for (namespace, role) in held.grants() {
            assert!(again.grant_named(namespace, role), "{namespace} {role}");
        }
        assert_eq!(again, held);
        assert_eq!(Claims::default().grants().count(), 0);
    }

    #[test]
    fn a_higher_right_includes_the_lower_ones() {
        assert!(Role::ADMIN.covers(Role::WRITER) && Role::WRITER.covers(Role::READER));
        assert!(!Role::WORKER.and(Role::READER).covers(Role::WRITER));
    }
}
