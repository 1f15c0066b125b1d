//! A transition in the making.
//!
//! INVARIANT: the drafted state changes through [`Draft::event`] and [`Draft::mutate`] only, so that
//! it always equals the old state with the drafted changes folded in. The field is private to this
//! module: no other code can touch it.

use std::sync::Arc;

use api::{
    common::v1::Link,
    history::v1::{HistoryEvent, history_event::Attributes},
    sdk::v1::{EventGroupMarker, UserMetadata},
};
use model::Time;

use crate::{
    Change, Context, Mutation, Reply, Shared, State, Transition, UpdateNotice, buffer,
    events::event_type, evolve, task::Task, update, workflow_task,
};

/// What an event carries besides its attributes.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventExtras {
    /// When it happened, if not now.
    pub(crate) time: Option<Time>,
    /// Summary and details.
    pub(crate) user_metadata: Option<UserMetadata>,
    /// Links.
    pub(crate) links: Vec<Link>,
    /// How a workflow groups its events for those who look at it.
    pub(crate) event_group_markers: Vec<EventGroupMarker>,
}

/// Events that workers which do not know them may skip (fact sheet section 18).
fn may_be_ignored(attributes: &Attributes) -> bool {
    matches!(
        attributes,
        Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(_)
            | Attributes::WorkflowExecutionPausedEventAttributes(_)
            | Attributes::WorkflowExecutionUnpausedEventAttributes(_)
            | Attributes::NexusOperationCancelRequestCompletedEventAttributes(_)
            | Attributes::NexusOperationCancelRequestFailedEventAttributes(_)
            | Attributes::WorkflowExecutionTimeSkippingTransitionedEventAttributes(_)
    )
}

/// A transition in the making.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    state: Arc<State>,
    changes: Vec<Change>,
    batch_ends: Vec<usize>,
    events: usize,
    tasks: Vec<Task>,
    new_run: Option<Box<Transition>>,
    notices: Vec<UpdateNotice>,
    was_running: bool,
    /// Bufferable events that commands caused: they follow the events of all commands.
    deferred: Vec<HistoryEvent>,
    defers: bool,
    context: &'a Context<'a>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(state: &State, context: &'a Context<'a>) -> Self {
        Self {
            state: Arc::new(state.clone()),
            changes: Vec::new(),
            batch_ends: Vec::new(),
            events: 0,
            tasks: Vec::new(),
            new_run: None,
            notices: Vec::new(),
            was_running: state.is_running(),
            deferred: Vec::new(),
            defers: false,
            context,
        }
    }

    /// The state with everything drafted so far.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    pub(crate) fn now(&self) -> Time {
        self.context.now
    }

    /// Adds an event to the history and gives its id.
    pub(crate) fn event(&mut self, attributes: Attributes) -> i64 {
        self.event_with(attributes, EventExtras::default())
    }

    /// Adds an event with extras to the history and gives its id.
    pub(crate) fn event_with(&mut self, attributes: Attributes, extras: EventExtras) -> i64 {
        let event = self.make_event(attributes, extras);
        self.append(event)
    }

    /// Adds an event that must not happen between a workflow task's start and its end: it waits
    /// in the buffer while a worker holds one.
    pub(crate) fn bufferable_event(&mut self, attributes: Attributes, extras: EventExtras) {
        let event = self.make_event(attributes, extras);
        if self.state.has_started_workflow_task() {
            self.mutate(Mutation::EventBuffered(Shared::new(*event)));
        } else if self.defers {
            self.deferred.push(*event);
        } else {
            self.append(event);
        }
    }

    /// From now on bufferable events wait until [`Draft::flush`]: commands are being handled.
    pub(crate) fn defer_bufferable_events(&mut self) {
        self.defers = true;
    }

    /// Writes all waiting events in their final order; true when there was news for the worker.
    pub(crate) fn flush(&mut self) -> bool {
        self.defers = false;
        let mut waiting: Vec<HistoryEvent> =
            self.state.buffered_events.iter().map(Shared::to_owned_message).collect();
        if !waiting.is_empty() {
            self.mutate(Mutation::BufferFlushed(crate::BufferFlushed {}));
        }
        // That a further request joined an accepted update is no news for the worker.
        let is_news = |event: &HistoryEvent| update::joined_requests(event).is_empty();
        let any = !waiting.is_empty() || self.deferred.iter().any(is_news);
        waiting.append(&mut self.deferred);
        let mut started_ids = buffer::StartedIds::default();
        let mut joined = Vec::new();
        for mut event in buffer::final_order(waiting) {
            started_ids.patch(&mut event, self.state.next_event_id);
            joined.extend(update::joined_requests(&event));
            self.append(Box::new(event));
        }
        update::emit_overdue(self, &joined);
        any
    }

    pub(crate) fn mutate(&mut self, mutation: Mutation) {
        if mutation.is_stored() {
            workflow_task::keep_speculative(self);
        }
        self.change(Change::Mutation(Box::new(mutation)));
    }

    pub(crate) fn task(&mut self, task: Task) {
        self.tasks.push(task);
    }

    pub(crate) fn has_task(&self, task: &Task) -> bool {
        self.tasks.contains(task)
    }

    pub(crate) fn new_run(&mut self, transition: Transition) {
        self.new_run = Some(Box::new(transition));
    }

    /// True when another run follows this one.
    pub(crate) fn has_new_run(&self) -> bool {
        self.new_run.is_some()
    }

    /// Tells those who wait for an update; the last word on it counts.
    pub(crate) fn notice(&mut self, notice: UpdateNotice) {
        self.notices.retain(|earlier| earlier.update_id != notice.update_id);
        self.notices.push(notice);
    }

    /// Events drafted so far and events drafted later are never in one batch.
    pub(crate) fn end_batch(&mut self) {
        if self.events > 0 && self.batch_ends.last() != Some(&self.events) {
            self.batch_ends.push(self.events);
        }
    }

    pub(crate) fn finish(mut self, reply: Reply) -> Transition {
        let was_running = self.was_running;
        update::abort_on_close(&mut self, was_running);
        self.end_batch();
        if !self.changes.is_empty() {
            Arc::make_mut(&mut self.state).version += 1;
        }
        Transition {
            state: self.state,
            changes: self.changes,
            batch_ends: self.batch_ends,
            tasks: self.tasks,
            new_run: self.new_run,
            notices: self.notices,
            reply,
        }
    }

    fn make_event(&self, attributes: Attributes, extras: EventExtras) -> Box<HistoryEvent> {
        Box::new(HistoryEvent {
            event_time: extras.time.unwrap_or(self.context.now).to_proto(),
            event_type: event_type(&attributes) as i32,
            user_metadata: extras.user_metadata,
            links: extras.links,
            event_group_markers: extras.event_group_markers,
            worker_may_ignore: may_be_ignored(&attributes),
            principal: self.context.principal.clone(),
            attributes: Some(attributes),
            ..Default::default()
        })
    }

    fn append(&mut self, mut event: Box<HistoryEvent>) -> i64 {
        workflow_task::keep_speculative(self);
        let event_id = self.state.next_event_id.max(1);
        event.event_id = event_id;
        self.events += 1;
        self.change(Change::Event(event));
        event_id
    }

    fn change(&mut self, change: Change) {
        evolve(Arc::make_mut(&mut self.state), &change);
        self.changes.push(change);
    }
}
