//! What runs without a workflow, as a request names it: by its id, and perhaps its run.

use std::marker::PhantomData;

use history::{EntityError, EntityView, Perform};
use model::RunId;

use crate::{
    admission::Call,
    deadline::history_deadline,
    error::{ApiError, ApiResult},
    frontend::Frontend,
};

/// A kind of entity that clients name in requests.
pub(crate) trait NamedKind: Perform {
    /// No entity has this id.
    fn not_found(id: &str) -> ApiError;

    /// An entity refused a request.
    fn refused(rejection: Self::Rejection, id: &str) -> ApiError;
}

/// See the module. The ids were checked.
pub(crate) struct NamedEntity<M> {
    pub(super) id: String,
    pub(super) run_id: Option<RunId>,
    kind: PhantomData<fn() -> M>,
}

impl<M: NamedKind> NamedEntity<M> {
    /// One whose ids were checked before.
    pub(crate) fn known(id: String, run_id: Option<RunId>) -> Self {
        Self { id, run_id, kind: PhantomData }
    }

    /// Lets it decide on a request.
    pub(crate) async fn ask(
        &self,
        frontend: &Frontend,
        call: &Call,
        input: M::Input,
    ) -> ApiResult<M::Reply> {
        let asked = frontend.history.request_instance::<M>(
            &call.permit,
            call.namespace()?,
            &self.id,
            self.run_id,
            input,
        );
        asked.await.map_err(|error| match error {
            EntityError::History(error) => error.into(),
            EntityError::Rejected(rejection) => self.refused(rejection),
        })
    }

    pub(super) fn refused(&self, rejection: M::Rejection) -> ApiError {
        M::refused(rejection, &self.id)
    }

    pub(super) fn not_found(&self) -> ApiError {
        M::not_found(&self.id)
    }

    /// What it is now.
    pub(super) async fn read(&self, frontend: &Frontend, call: &Call) -> ApiResult<EntityView<M>> {
        let namespace = call.namespace()?;
        let found =
            frontend.history.read_instance(&call.permit, namespace, &self.id, self.run_id).await?;
        found.ok_or_else(|| self.not_found())
    }

    /// What it is once it satisfies a condition; none when the time for that was too short.
    pub(super) async fn wait(
        &self,
        frontend: &Frontend,
        call: &Call,
        is_reached: impl FnMut(&M::State) -> bool + Send,
    ) -> ApiResult<Option<EntityView<M>>> {
        let deadline = history_deadline(call.received, call.timeout);
        let waiting = frontend.history.await_instance(
            &call.permit,
            call.namespace()?,
            &self.id,
            self.run_id,
            is_reached,
        );
        tokio::select! {
            biased;
            found = waiting => Ok(Some(found?.ok_or_else(|| self.not_found())?)),
            () = frontend.environment.clock.sleep_until(deadline) => Ok(None),
        }
    }
}
