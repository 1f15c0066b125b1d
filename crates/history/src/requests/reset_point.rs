//! Where a run begins again when nobody names the event.

use api::{
    History as Events, common::v1::reset_options::Target, history::v1::history_event::Attributes,
};
use engine::State;
use model::{RunId, Time};
use namespace::Namespace;
use prost::Message as _;

use crate::{
    Execution, History, HistoryError, node::not_found, reads::PAGE_BATCHES_MAX, run::LiveRun,
};

impl History {
    /// The run and the event at which a reset begins; none where there is no such point.
    pub(crate) async fn reset_point(
        &self,
        namespace: &Namespace,
        execution: &Execution,
        target: &Target,
        current_run_only: bool,
    ) -> Result<Option<(Execution, i64)>, HistoryError> {
        if let Target::WorkflowTaskId(event_id) = target {
            return Ok(Some((execution.clone(), *event_id)));
        }
        let live = self.live_run(namespace, execution).await?;
        let state = live.durable().ok_or_else(|| not_found(&live.key.workflow))?;
        let here = |event_id| (Execution::run(&*execution.workflow_id, live.key.run_id), event_id);
        match target {
            Target::LastWorkflowTask(()) if state.previous_started_event_id > 0 => {
                Ok(Some(here(state.previous_started_event_id + 1)))
            }
            Target::FirstWorkflowTask(()) | Target::LastWorkflowTask(()) => {
                Ok(self.first_workflow_task(&live, &state).await?.map(here))
            }
            Target::BuildId(build_id) => {
                let now = self.node.now();
                Ok(point_of_build(&state, build_id, now)
                    .filter(|(run_id, _)| !current_run_only || *run_id == live.key.run_id)
                    .map(|(run_id, event_id)| {
                        (Execution::run(&*execution.workflow_id, run_id), event_id)
                    }))
            }
            Target::WorkflowTaskId(_) => Ok(None),
        }
    }

    /// The event that completed the first workflow task, or the one after its scheduling where none
    /// was ever completed.
    async fn first_workflow_task(
        &self,
        live: &LiveRun,
        state: &State,
    ) -> Result<Option<i64>, HistoryError> {
        let (mut from, to) = (1, state.next_event_id);
        let mut after_scheduling = None;
        loop {
            let page =
                self.node.read_forward(live.key.slot(), live, from, to, PAGE_BATCHES_MAX).await?;
            for batch in page.batches {
                let batch = Events::decode(batch).map_err(|error| {
                    HistoryError::Unavailable(format!("a batch cannot be read: {error}"))
                })?;
                for event in batch.events {
                    match event.attributes {
                        Some(Attributes::WorkflowTaskCompletedEventAttributes(_)) => {
                            return Ok(Some(event.event_id));
                        }
                        Some(Attributes::WorkflowTaskScheduledEventAttributes(_)) => {
                            after_scheduling.get_or_insert(event.event_id + 1);
                        }
                        _ => {}
                    }
                }
            }
            match page.next_event_id {
                Some(next) => from = next,
                None => return Ok(after_scheduling),
            }
        }
    }
}

/// The first task that a build completed, while its run is kept.
fn point_of_build(state: &State, build_id: &str, now: Time) -> Option<(RunId, i64)> {
    let points = state.reset_points.as_ref()?;
    let point = points.points.iter().find(|point| point.build_id == build_id)?;
    let expires = Time::from_proto(point.expire_time.as_ref());
    if !point.resettable || (expires.is_set() && expires < now) {
        return None;
    }
    Some((point.run_id.parse().ok()?, point.first_workflow_task_completed_id))
}
