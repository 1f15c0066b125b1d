//! Timers: the smallest complete concept. A command starts one, time fires it, a command cancels
//! it.

use api::{
    command::v1::{CancelTimerCommandAttributes, StartTimerCommandAttributes},
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{
        TimerCanceledEventAttributes, TimerFiredEventAttributes, TimerStartedEventAttributes,
        history_event::Attributes,
    },
};
use model::{Span, Time};

use crate::{
    BufferedTimerDropped, Mutation, State, Task, TaskAction, TimerRef,
    commands::{CommandError, CommandScope},
    draft::{Draft, EventExtras},
    state::Timer,
    workflow_task,
};

/// The command that starts a timer.
pub(crate) fn start(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: StartTimerCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadStartTimerAttributes;
    scope.check_id(BAD, "TimerId", "StartTimerCommand", &command.timer_id)?;
    let wanted = command.start_to_fire_timeout;
    if wanted.is_some_and(|wanted| wanted.seconds < 0 || wanted.nanos < 0) {
        let text = format!(
            "An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. \
             TimerId={}",
            command.timer_id
        );
        return Err(CommandError::new(BAD, text));
    }
    let timeout = Span::from_proto(wanted.as_ref());
    if draft.state().timers.contains_key(&command.timer_id) {
        return Err(CommandError::new(
            WorkflowTaskFailedCause::StartTimerDuplicateId,
            format!(
                "invalid history builder state for action: add-timer-started-event, TimerID: {}",
                command.timer_id
            ),
        ));
    }
    let attributes = TimerStartedEventAttributes {
        timer_id: command.timer_id,
        start_to_fire_timeout: wanted.map(|_| timeout.to_proto()),
        workflow_task_completed_event_id: scope.completed_event_id,
    };
    let started_event_id =
        draft.event_with(Attributes::TimerStartedEventAttributes(attributes), scope.extras());
    let timer_ref = TimerRef { started_event_id };
    draft.task(Task::at(draft.now() + timeout, TaskAction::UserTimer(timer_ref)));
    Ok(())
}

/// The command that cancels a timer. One that has fired while the worker was busy can still be
/// cancelled: its waiting event disappears.
pub(crate) fn cancel(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: CancelTimerCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadCancelTimerAttributes;
    let CancelTimerCommandAttributes { timer_id } = command;
    scope.check_id(BAD, "TimerId", "CancelTimerCommand", &timer_id)?;
    let started_event_id = if let Some(timer) = draft.state().timers.get(&timer_id) {
        timer.started_event_id
    } else if let Some(started_event_id) = buffered_start(draft.state(), &timer_id) {
        let dropped = BufferedTimerDropped { timer_id: timer_id.clone() };
        draft.mutate(Mutation::BufferedTimerDropped(dropped));
        started_event_id
    } else {
        let text = format!(
            "invalid history builder state for action: add-timer-canceled-event, \
             TimerID: {timer_id}"
        );
        return Err(CommandError::new(BAD, text));
    };
    let attributes = TimerCanceledEventAttributes {
        timer_id,
        started_event_id,
        workflow_task_completed_event_id: scope.completed_event_id,
        identity: scope.identity.clone(),
    };
    draft.event_with(Attributes::TimerCanceledEventAttributes(attributes), scope.extras());
    Ok(())
}

fn buffered_start(state: &State, timer_id: &str) -> Option<i64> {
    state.buffered_events.iter().find_map(|event| match &event.attributes {
        Some(Attributes::TimerFiredEventAttributes(fired)) if fired.timer_id == timer_id => {
            Some(fired.started_event_id)
        }
        Some(_) | None => None,
    })
}

/// A timer's time has come. All whose time has come fire at once, the earliest first: the worker
/// hears of them in one task, and they do not end the one it holds again and again by filling the
/// buffer.
pub(crate) fn due(draft: &mut Draft<'_>, timer_ref: &TimerRef) {
    let mut timers = draft.state().timers.values();
    let found = timers.find(|timer| timer.started_event_id == timer_ref.started_event_id);
    let Some(fire_time) = found.map(|timer| timer.fire_time) else { return };
    let now = draft.now();
    if now < fire_time {
        draft.task(Task::at(fire_time, TaskAction::UserTimer(*timer_ref)));
        return;
    }
    let timers = draft.state().timers.iter();
    let mut due: Vec<(Time, i64, String)> = timers
        .filter(|(_, timer)| timer.fire_time <= now)
        .map(|(timer_id, timer)| (timer.fire_time, timer.started_event_id, timer_id.clone()))
        .collect();
    due.sort_unstable();
    for (_, started_event_id, timer_id) in due {
        let attributes = TimerFiredEventAttributes { timer_id, started_event_id };
        draft.bufferable_event(
            Attributes::TimerFiredEventAttributes(attributes),
            EventExtras::default(),
        );
    }
    workflow_task::schedule_unless_delayed(draft);
}

pub(crate) fn apply_started(
    state: &mut State,
    event_id: i64,
    started: &TimerStartedEventAttributes,
    time: Time,
) {
    let fire_time = time + Span::from_proto(started.start_to_fire_timeout.as_ref());
    let timer = Timer { started_event_id: event_id, fire_time };
    state.timers.insert(started.timer_id.clone(), timer);
}

/// A timer is over; another that took its id while the event waited is not.
pub(crate) fn apply_ended(state: &mut State, timer_id: &str, started_event_id: i64) {
    if state.timers.get(timer_id).is_some_and(|timer| timer.started_event_id == started_event_id) {
        state.timers.remove(timer_id);
    }
}

pub(crate) fn apply_dropped(state: &mut State, timer_id: &str) {
    state.buffered_events.retain(|event| {
        !matches!(&event.attributes,
            Some(Attributes::TimerFiredEventAttributes(fired)) if fired.timer_id == timer_id)
    });
}
