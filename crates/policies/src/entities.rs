//! Callers and resources as Cedar knows them.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::Arc,
};

use authz::{Caller, Claims, Principal, Resource, Role, SYSTEM_NAMESPACE};
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression,
};
use lru::LruCache;
use parking_lot::Mutex;

/// Most callers whose entities are kept; making them again costs less than a millisecond.
const CALLERS_MAX: NonZeroUsize = match NonZeroUsize::new(500) {
    Some(most) => most,
    None => NonZeroUsize::MIN,
};

/// The names of types, read once.
#[derive(Debug)]
struct Types {
    action: EntityTypeName,
    cluster: EntityTypeName,
    namespace: EntityTypeName,
    principal: EntityTypeName,
    role: EntityTypeName,
}

/// Makes what a question is made of, and keeps what does not change.
#[derive(Debug)]
pub(crate) struct Names {
    types: Types,
    callers: Mutex<LruCache<Principal, Known>>,
}

/// A caller with its rights, and all entities that a question of it needs.
#[derive(Debug, Clone)]
struct Known {
    claims: Arc<Claims>,
    /// Which set of policies they were made for: actions are among them.
    generation: u64,
    entities: Arc<Entities>,
}

impl Names {
    pub(crate) fn new() -> Result<Self, String> {
        let name = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
        Ok(Self {
            types: Types {
                action: name("Action")?,
                cluster: name("Cluster")?,
                namespace: name("Namespace")?,
                principal: name("Principal")?,
                role: name("Role")?,
            },
            callers: Mutex::new(LruCache::new(CALLERS_MAX)),
        })
    }

    pub(crate) fn principal(&self, principal: &Principal) -> EntityUid {
        let id = match principal.stamp() {
            Some((kind, name)) => format!("{kind}:{name}"),
            None => "anonymous".to_owned(),
        };
        uid(&self.types.principal, &id)
    }

    pub(crate) fn action(&self, name: &str) -> EntityUid {
        uid(&self.types.action, name)
    }

    pub(crate) fn resource(&self, resource: Resource<'_>) -> EntityUid {
        if resource.namespace.is_empty() {
            uid(&self.types.cluster, "cluster")
        } else {
            uid(&self.types.namespace, resource.namespace)
        }
    }

    /// The caller, its roles and the actions.
    pub(crate) fn entities(
        &self,
        caller: &Caller,
        actions: &Entities,
        generation: u64,
    ) -> Result<Arc<Entities>, String> {
        let (principal, claims) = (caller.principal(), caller.claims());
        if let Some(known) = self.callers.lock().get(principal)
            && known.generation == generation
            && (Arc::ptr_eq(&known.claims, claims) || known.claims == *claims)
        {
            return Ok(Arc::clone(&known.entities));
        }
        let (kind, name) = principal.stamp().unwrap_or(("anonymous", ""));
        let text = |value: &str| RestrictedExpression::new_string(value.to_owned());
        let attributes =
            HashMap::from([("kind".to_owned(), text(kind)), ("name".to_owned(), text(name))]);
        let roles: HashSet<EntityUid> =
            role_names(claims).iter().map(|name| uid(&self.types.role, name)).collect();
        let entity = Entity::new(self.principal(principal), attributes, roles);
        let entity = entity.map_err(|error| error.to_string())?;
        let entities = actions.clone().add_entities([entity], None);
        let entities = Arc::new(entities.map_err(|error| error.to_string())?);
        let known =
            Known { claims: Arc::clone(claims), generation, entities: Arc::clone(&entities) };
        self.callers.lock().put(principal.clone(), known);
        Ok(entities)
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// What the request names.
pub(crate) fn context(resource: Resource<'_>) -> Result<Context, String> {
    let named = std::iter::once(("namespace", resource.namespace)).chain(resource.details.named());
    let pairs = named
        .map(|(name, value)| (name.to_owned(), RestrictedExpression::new_string(value.to_owned())));
    Context::from_pairs(pairs).map_err(|error| error.to_string())
}

/// The roles of a caller as `namespace:role`, with those that come with a higher one.
fn role_names(claims: &Claims) -> Vec<String> {
    const ALL: [(&str, Role); 4] = [
        ("worker", Role::WORKER),
        ("read", Role::READER),
        ("write", Role::WRITER),
        ("admin", Role::ADMIN),
    ];
    let system = (!claims.system.is_none()).then_some((SYSTEM_NAMESPACE, claims.system));
    let own = claims.namespaces.iter().map(|(name, role)| (name.as_str(), *role));
    let mut names = Vec::new();
    for (namespace, held) in system.into_iter().chain(own) {
        for (name, role) in ALL {
            // A reader is no worker, though its number is higher.
            let comes_with =
                held.covers(role) && (role != Role::WORKER || held.covers(Role::WRITER));
            if held.includes(role) || comes_with {
                names.push(format!("{namespace}:{name}"));
            }
        }
    }
    for (namespace, roles) in &claims.custom {
        names.extend(roles.iter().map(|role| format!("{namespace}:{role}")));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_roles_come_with_higher_ones() {
        let mut claims = Claims::default();
        for permission in ["orders:write", "bills:read", "temporal-system:owner"] {
            claims.grant_permission(permission);
        }
        assert_eq!(
            role_names(&claims),
            ["bills:read", "orders:worker", "orders:read", "orders:write", "temporal-system:owner"]
        );
    }
}
