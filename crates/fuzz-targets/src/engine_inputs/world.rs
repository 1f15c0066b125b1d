//! The run that the steps are played on, and its time.

use std::sync::Arc;

use engine::{
    Context, HeldActivity, HeldWorkflowTask, Input, State, Task, TaskAction, Transition, decide,
    outstanding_tasks,
};
use model::{Limits, Span, Time};

use super::laws;

/// Bits of the start policy: the namespace's limits are small.
const SMALL_LIMITS: u8 = 1;

/// One run, and what it emitted so far.
pub(super) struct World {
    pub(super) state: State,
    pub(super) limits: Limits,
    now: Time,
    emitted: Vec<Task>,
}

impl World {
    pub(super) fn new(policy: u8) -> Self {
        let mut limits = Limits::default();
        if policy & SMALL_LIMITS != 0 {
            limits.pending_max = 4;
            limits.buffered_events_max = 5;
            limits.signals_per_run_max = 12;
            limits.history_events_suggest = 20;
            limits.history_events_max = 60;
            limits.blob_bytes_max = 200;
            limits.id_length_max = 20;
        }
        let now = Time::from_nanos(1_700_000_000_000_000_000);
        Self { state: State::default(), limits, now, emitted: Vec::new() }
    }

    pub(super) fn wait(&mut self, span: Span) {
        self.now = self.now + span;
    }

    /// Decides an input, checks the laws, and goes on with the outcome.
    pub(super) fn decide(&mut self, input: Input) {
        let context = Context {
            now: self.now,
            new_run_id: "next-run".to_owned(),
            namespace: "default",
            limits: &self.limits,
            retention: Span::from_secs(3600),
            principal: None,
            rules: &[],
        };
        let Ok(transition) = decide(&self.state, input.clone(), &context) else { return };
        laws::check(&self.state, &input, &transition, &self.limits);
        self.accept(transition);
    }

    /// Decides the first task that is due by now and still has something to do.
    pub(super) fn decide_what_is_due(&mut self) {
        let due = outstanding_tasks(&self.state)
            .into_iter()
            .find(|task| task.due.is_set() && task.due <= self.now);
        if let Some(task) = due {
            self.decide(Input::TaskDue(task.action));
        }
    }

    /// Goes on with the state, or with the run that follows.
    fn accept(&mut self, transition: Transition) {
        let transition = match transition.new_run {
            Some(new_run) => {
                self.emitted.clear();
                *new_run
            }
            None => transition,
        };
        self.emitted.extend(transition.tasks);
        laws::check_outstanding(&transition.state, &self.emitted);
        self.state = Arc::unwrap_or_clone(transition.state);
    }

    /// A task that was emitted at any time: on time, early or again.
    pub(super) fn emitted(&self, pick: u8) -> Option<TaskAction> {
        let index = usize::from(pick) % self.emitted.len().max(1);
        self.emitted.get(index).map(|task| task.action)
    }

    /// The pending workflow task, or now and then one that is not.
    pub(super) fn held_workflow_task(&self, pick: u8) -> HeldWorkflowTask {
        let pending = self.state.workflow_task.as_ref().filter(|_| !pick.is_multiple_of(16));
        pending.map_or(
            HeldWorkflowTask {
                scheduled_event_id: 2,
                started_event_id: 3,
                attempt: 1,
                ..HeldWorkflowTask::default()
            },
            |task| HeldWorkflowTask {
                scheduled_event_id: task.scheduled_event_id,
                started_event_id: task.started_event_id,
                attempt: task.attempt,
                started_time: task.started_time,
            },
        )
    }

    /// An activity with the stamp of its current task.
    pub(super) fn activity_stamp(&self, pick: u8) -> (i64, u32) {
        self.activity(pick).map_or((5, 1), |(id, activity)| (id, activity.stamp))
    }

    /// An activity by id or by token; now and then with a wrong attempt.
    pub(super) fn held_activity(&self, pick: u8) -> HeldActivity {
        match self.activity(pick) {
            Some((_, activity)) if pick.is_multiple_of(3) => {
                HeldActivity::Id(activity.activity_id().to_owned())
            }
            Some((scheduled_event_id, activity)) => HeldActivity::Token {
                scheduled_event_id,
                attempt: if pick % 16 == 1 { 1 } else { activity.attempt },
            },
            None => HeldActivity::Token { scheduled_event_id: 5, attempt: 1 },
        }
    }

    fn activity(&self, pick: u8) -> Option<(i64, &engine::Activity)> {
        let activities = &self.state.activities;
        let index = usize::from(pick / 16) % activities.len().max(1);
        activities.iter().nth(index).map(|(id, activity)| (*id, &**activity))
    }
}
