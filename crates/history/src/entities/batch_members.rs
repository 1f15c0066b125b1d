//! Who decides whether a batch operation may act on what its query has found.
//!
//! What a request names is decided about when it comes. A query names nothing, so each execution
//! that it finds is decided about when the batch comes to it, in the name of who asked for the batch.

use std::fmt::Debug;

use api::workflowservice::v1::StartBatchOperationRequest;
use authz::{Caller, Claims, Principal};
use batch_operation::{Grant, Starter};
use futures_util::future::BoxFuture;

/// Decides about what batch operations find.
pub trait BatchMembers: Debug + Send + Sync + 'static {
    /// Whether who asked for a batch may do to this one what the batch does.
    fn may_act<'a>(&'a self, caller: &'a Caller, member: BatchMember<'a>) -> BoxFuture<'a, bool>;
}

/// An execution that a query has found.
#[derive(Debug, Clone, Copy)]
pub struct BatchMember<'a> {
    /// The name of the namespace.
    pub namespace: &'a str,
    /// What the batch does.
    pub request: &'a StartBatchOperationRequest,
    /// The id of the workflow or activity.
    pub id: &'a str,
}

/// What a batch operation remembers of who asked for it; nothing of those without credentials.
pub fn batch_starter(caller: &Caller) -> Option<Starter> {
    let (kind, name) = caller.principal().stamp()?;
    let grant = |(namespace, role): (&str, &str)| Grant {
        namespace: namespace.to_owned(),
        role: role.to_owned(),
    };
    let grants = caller.claims().grants().map(grant).collect();
    Some(Starter { kind: kind.to_owned(), name: name.to_owned(), grants })
}

/// Who asked for a batch operation, with the rights of then.
pub(super) fn caller_of(starter: Option<&Starter>) -> Caller {
    let Some(Starter { kind, name, grants }) = starter else { return Caller::anonymous() };
    let mut claims = Claims::default();
    for Grant { namespace, role } in grants {
        claims.grant_named(namespace, role);
    }
    Caller::new(Principal::named(kind.as_str(), name.as_str()), claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_is_the_same_later() {
        let mut claims = Claims::default();
        for permission in ["orders:write", "temporal-system:read", "orders:batcher"] {
            assert!(claims.grant_permission(permission));
        }
        let caller = Caller::new(Principal::named("jwt", "alice"), claims);
        assert_eq!(caller_of(batch_starter(&caller).as_ref()), caller);
        assert_eq!(batch_starter(&Caller::anonymous()), None);
        assert_eq!(caller_of(None), Caller::anonymous());
    }
}
