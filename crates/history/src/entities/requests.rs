//! What callers ask of entities.

use std::{marker::PhantomData, sync::Arc};

use ::entity::{EntityKey, Event};
use authz::Permit;
use model::RunId;
use namespace::Namespace;

use super::{
    CachedEntity, Held, Next, Perform,
    held::{self, split, state_of},
};
use crate::{
    History, HistoryError,
    context::{Caller, fresh_run_id},
};

/// Why a request to an entity was not done.
#[derive(Debug, thiserror::Error)]
pub enum EntityError<R> {
    /// The entity refused it; nothing changed.
    #[error("{0}")]
    Rejected(R),
    /// The server could not do it.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// A durable state of an entity.
#[derive(Debug)]
pub struct EntityView<M> {
    held: Arc<dyn Held>,
    /// Which entity of this id it is.
    pub instance: RunId,
    kind: PhantomData<M>,
}

impl<M: Perform> EntityView<M> {
    /// The state.
    pub fn state(&self) -> Option<&M::State> {
        state_of::<M>(self.held.as_ref())
    }
}

impl History {
    /// Lets an entity decide on a request; it need not exist yet.
    ///
    /// # Errors
    /// When the entity refuses it.
    pub async fn request_entity<M: Perform>(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        id: &str,
        input: M::Input,
    ) -> Result<M::Reply, EntityError<M::Rejection>> {
        self.request_instance::<M>(permit, namespace, id, None, input).await
    }

    /// As [`History::request_entity`], for one that has or had the id; none: the one that has it.
    ///
    /// # Errors
    /// When the entity refuses it.
    pub async fn request_instance<M: Perform>(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        id: &str,
        instance: Option<RunId>,
        input: M::Input,
    ) -> Result<M::Reply, EntityError<M::Rejection>> {
        self.request_instance_for::<M>(&Caller::new(permit, namespace), id, instance, input).await
    }

    /// As [`History::request_instance`].
    pub(crate) async fn request_instance_for<M: Perform>(
        &self,
        caller: &Caller,
        id: &str,
        instance: Option<RunId>,
        input: M::Input,
    ) -> Result<M::Reply, EntityError<M::Rejection>> {
        let namespace_id = caller.namespace_id();
        let key = EntityKey { kind: M::KIND, namespace_id, id: id.to_owned() };
        let (decided, outcome) = {
            let mut slot = self.lock(key.slot()).await?;
            let found = self.node.find_instance(&mut slot, &key, instance).await?;
            let instance = found.unwrap_or_else(|| fresh_run_id(&self.node.environment));
            let cached = found.and_then(|found| slot.entities.get(&found));
            let head = cached.and_then(|cached| cached.head.clone());
            let state = head.as_deref().and_then(state_of::<M>);
            let context = held::context(&self.node, caller, &key, instance);
            match M::decide(state, Event::Request(input), &context) {
                Err(rejection) => (Err(rejection), slot.barrier()),
                Ok(decision) => {
                    let fresh_id = context.fresh_id;
                    let (next, successor, reply) = split(state, decision);
                    let outcome = match (found, next, successor) {
                        (None, Next::Changed(state), _) => {
                            self.node.commit_new_entity(&mut slot, &key, instance, state)?
                        }
                        (_, _, Some(successor)) => {
                            self.node.commit_new_entity(&mut slot, &key, fresh_id, successor)?
                        }
                        (_, next, None) => {
                            self.node.commit_entity(&mut slot, instance, next).await?
                        }
                    };
                    (Ok(reply), outcome)
                }
            }
        };
        outcome.wait().await?;
        decided.map_err(EntityError::Rejected)
    }

    /// The durable state of an entity, if it exists.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn read_entity<M: Perform>(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        id: &str,
    ) -> Result<Option<EntityView<M>>, HistoryError> {
        self.read_instance(permit, namespace, id, None).await
    }

    /// As [`History::read_entity`], for one that has or had the id; none: the one that has it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn read_instance<M: Perform>(
        &self,
        _permit: &Permit,
        namespace: &Arc<Namespace>,
        id: &str,
        instance: Option<RunId>,
    ) -> Result<Option<EntityView<M>>, HistoryError> {
        let key = EntityKey { kind: M::KIND, namespace_id: namespace.id, id: id.to_owned() };
        let (found, barrier) = {
            let mut slot = self.lock(key.slot()).await?;
            let found = self.node.find_instance(&mut slot, &key, instance).await?;
            let head = |cached: &CachedEntity| cached.head.clone();
            let found = found.and_then(|instance| {
                Some((instance, slot.entities.get(&instance).and_then(head)?))
            });
            (found, slot.barrier())
        };
        barrier.wait().await?;
        Ok(found.map(|(instance, held)| EntityView { held, instance, kind: PhantomData }))
    }

    /// As [`History::read_instance`], once the state satisfies a condition or the entity is gone.
    /// Callers bound the wait.
    ///
    /// # Errors
    /// When the store does not answer, or the server stops.
    pub async fn await_instance<M: Perform>(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        id: &str,
        mut instance: Option<RunId>,
        mut is_reached: impl FnMut(&M::State) -> bool + Send,
    ) -> Result<Option<EntityView<M>>, HistoryError> {
        let key = EntityKey { kind: M::KIND, namespace_id: namespace.id, id: id.to_owned() };
        loop {
            let live = {
                let mut slot = self.lock(key.slot()).await?;
                // From here on it is this one, whoever has the id later.
                let found = self.node.find_instance(&mut slot, &key, instance).await?;
                instance = instance.or(found);
                let cached = found.and_then(|instance| slot.entities.get(&instance));
                cached.map(|cached| Arc::clone(&cached.live))
            };
            let Some(live) = live else {
                return self.read_instance(permit, namespace, id, instance).await;
            };
            loop {
                let changed = live.changed();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if live.is_lost() {
                    break;
                }
                let reached =
                    live.durable().as_deref().and_then(state_of::<M>).map(&mut is_reached);
                if reached != Some(false) && live.durable().is_some() {
                    return self.read_instance(permit, namespace, id, instance).await;
                }
                tokio::select! {
                    biased;
                    () = self.node.stopping.cancelled() => return Err(HistoryError::stopping()),
                    () = changed => {}
                }
                if live.durable().is_none() {
                    break;
                }
            }
        }
    }
}
