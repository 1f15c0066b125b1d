//! Activities that no workflow runs.

use std::sync::Arc;

use api::{
    enums::v1::{
        ActivityExecutionStatus, ActivityIdConflictPolicy, ActivityIdReusePolicy, CallbackState,
    },
    history::v1::ActivityTaskScheduledEventAttributes,
};
use engine::StartedActivity;
use history::StandaloneActivityDelivery;
use model::Span;
use standalone_activity::{
    Complete, Confirm, Fail, Heartbeat, Held, Input, Pause, Rejection, Reply, RequestCancel,
    StandaloneActivity, Start, Terminate, Unpause,
};

use super::{ask, ask_instance, begin, check_told, pause, wait_for};
use crate::{
    broken::Broken,
    dice::Dice,
    outside::{Told, callback},
    payload::payloads,
    program::{ActivityPlan, Behaviour},
    script::{QUEUE, failure, schedule_activity},
    worker::{dies, work},
    world::World,
};

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    plan: ActivityPlan,
    ending: Ending,
    /// Somebody pauses it for a while.
    pause: Option<Span>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// As its attempts have it.
    OfItself,
    /// Somebody asks it to stop.
    IsCancelled,
    /// Somebody ends it.
    IsTerminated,
}

impl Plan {
    pub(crate) fn draw(dice: &Dice, number: u64) -> Self {
        Self {
            id: format!("activity{number}"),
            plan: ActivityPlan::draw(dice),
            ending: Ending::OfItself,
            pause: None,
        }
    }

    /// Adds what people do to it.
    #[must_use]
    pub(crate) fn with_operations(self, dice: &Dice) -> Self {
        let ending = match dice.below(8) {
            0 => Ending::IsCancelled,
            1 => Ending::IsTerminated,
            _ => {
                let pause = dice.chance(400).then(|| dice.span(500, 10_000));
                return Self { pause, ..self };
            }
        };
        let plan = ActivityPlan { behaviour: Behaviour::AwaitCancel, ..self.plan };
        Self { plan, ending, ..self }
    }

    fn start(&self) -> Start {
        let command = schedule_activity(&self.id, self.plan, QUEUE);
        Start {
            request_id: format!("start of {}", self.id),
            scheduled: ActivityTaskScheduledEventAttributes {
                activity_id: command.activity_id,
                activity_type: command.activity_type,
                task_queue: command.task_queue,
                input: command.input,
                schedule_to_close_timeout: command.schedule_to_close_timeout,
                schedule_to_start_timeout: command.schedule_to_start_timeout,
                start_to_close_timeout: command.start_to_close_timeout,
                heartbeat_timeout: command.heartbeat_timeout,
                retry_policy: command.retry_policy,
                ..ActivityTaskScheduledEventAttributes::default()
            },
            callbacks: vec![callback(&self.id)],
            reuse: ActivityIdReusePolicy::RejectDuplicate,
            conflict: ActivityIdConflictPolicy::Fail,
            ..Start::default()
        }
    }

    /// Whether it may end so. A worker that dies after the request to stop lets it run out of time.
    fn may_be(&self, status: ActivityExecutionStatus) -> bool {
        use ActivityExecutionStatus::{Canceled, Completed, Failed, Terminated, TimedOut};
        match (self.ending, self.plan.behaviour) {
            (Ending::IsCancelled, _) => matches!(status, Canceled | TimedOut),
            (Ending::IsTerminated, _) => status == Terminated,
            (Ending::OfItself, Behaviour::FailForGood) => status == Failed,
            (Ending::OfItself, Behaviour::Vanish | Behaviour::AwaitCancel) => status == TimedOut,
            (Ending::OfItself, _) => status == Completed,
        }
    }

    /// What asks for its end; none when it ends by itself.
    fn interference(&self) -> Option<Input> {
        let request_id = format!("end of {}", self.id);
        match self.ending {
            Ending::OfItself => None,
            Ending::IsCancelled => {
                Some(Input::RequestCancel(RequestCancel { request_id, ..Default::default() }))
            }
            Ending::IsTerminated => {
                Some(Input::Terminate(Terminate { request_id, ..Default::default() }))
            }
        }
    }
}

/// Starts one and sees its end.
pub(crate) async fn see_through(world: Arc<World>, plan: Plan) {
    let dice = Dice::new(world.seed, &format!("client of {}", plan.id));
    begin(&world, &dice).await;
    loop {
        let input = Input::Start(Box::new(plan.start()));
        let started = ask::<StandaloneActivity>(&world, &dice, &plan.id, input).await;
        world.note(&plan.id, "start", &started);
        match started {
            Ok(Ok(Reply::Started { .. })) => break,
            Ok(other) => {
                world.witness.accuse(format!("the start of `{}` gave {other:?}", plan.id));
                return;
            }
            Err(_) => pause(&world, &dice).await,
        }
    }
    if let Some(input) = plan.interference() {
        world.sleep(dice.span(0, 8_000)).await;
        interfere(&world, &dice, &plan.id, "end", input).await;
    }
    if let Some(span) = plan.pause {
        pause_for(&world, &dice, &plan.id, span).await;
    }
    let is_closed = |state: &standalone_activity::State| {
        state.status != ActivityExecutionStatus::Running as i32
    };
    let Some(view) = wait_for::<StandaloneActivity>(&world, &dice, &plan.id, is_closed).await
    else {
        return;
    };
    let status = view.state().map_or(0, |state| state.status);
    let status = ActivityExecutionStatus::try_from(status).unwrap_or_default();
    if !plan.may_be(status) {
        world.witness.accuse(format!("`{}` is {status:?}, which {plan:?} cannot be", plan.id));
    }
    let completed = world.witness.facts().completed_entities.contains(&plan.id);
    if completed && status != ActivityExecutionStatus::Completed {
        world.witness.accuse(format!("the completion of `{}` is lost", plan.id));
    }
    let are_told = |state: &standalone_activity::State| {
        state.callbacks.iter().all(|callback| callback.state() == CallbackState::Succeeded)
    };
    if wait_for::<StandaloneActivity>(&world, &dice, &plan.id, are_told).await.is_some() {
        let truth = match status {
            ActivityExecutionStatus::Completed => Told::Succeeded(plan.id.clone()),
            ActivityExecutionStatus::Canceled => Told::Canceled,
            _ => Told::Failed,
        };
        check_told(&world, &plan.id, &truth);
        world.ended(&plan.id);
    }
}

/// Asks until there is an answer; false when it cannot be done any more.
async fn interfere(world: &World, dice: &Dice, id: &str, what: &str, input: Input) -> bool {
    loop {
        let asked = ask::<StandaloneActivity>(world, dice, id, input.clone()).await;
        world.note(id, what, &asked);
        match asked {
            Ok(Ok(_)) => return true,
            Ok(Err(Rejection::Precondition(_))) => return false,
            Ok(Err(rejection)) => {
                world.witness.accuse(format!("{what} of `{id}` is refused: {rejection}"));
                return false;
            }
            Err(_) => pause(world, dice).await,
        }
    }
}

/// Pauses an activity for a while: meanwhile no attempt begins.
async fn pause_for(world: &World, dice: &Dice, id: &str, span: Span) {
    world.sleep(dice.span(0, 3_000)).await;
    let (asked, epoch) = (world.now(), world.witness.pauses().asked(id));
    let request_id = format!("pause of {id}");
    let input = Input::Pause(Pause { request_id, ..Pause::default() });
    let is_paused =
        world.breaks(Broken::ForgetsPauses) || interfere(world, dice, id, "pause", input).await;
    if !is_paused {
        return;
    }
    if !world.profile.clock_jumps {
        world.witness.pauses().answered(id, epoch, asked, world.now(), ());
    }
    world.sleep(span).await;
    world.witness.pauses().end_asked(id);
    let request_id = format!("unpause of {id}");
    let input = Input::Unpause(Unpause { request_id, ..Unpause::default() });
    interfere(world, dice, id, "unpause", input).await;
    world.witness.pauses().end_answered(id);
}

/// What a worker does with an attempt.
pub(crate) async fn attempt(
    world: &Arc<World>,
    dice: &Dice,
    identity: &str,
    delivery: StandaloneActivityDelivery,
) {
    let attempt = delivery.activity.attempt;
    let id = delivery.activity.scheduled.activity_id.clone();
    let name = format!("{identity}: {id} attempt {attempt}");
    world.trace.note(&name);
    let plans = &world.entities.activities;
    let Some(plan) = plans.iter().find(|plan| plan.id == id).map(|found| found.plan) else {
        world.witness.accuse(format!("nobody started `{id}`"));
        return;
    };
    let StartedActivity { scheduled_time, started_time, .. } = delivery.activity;
    let paused = world.witness.pauses().holding(&id);
    if paused.is_some_and(|paused| paused.is_about(scheduled_time, started_time)) {
        world.witness.accuse(format!("attempt {attempt} of `{id}` began although it is paused"));
    }
    if dies(world, dice) {
        world.trace.note(&format!("{name}: worker dies"));
        return;
    }
    let held = Held::Token { attempt, stamp: delivery.stamp };
    let fail = |non_retryable: bool| {
        Input::Fail(Box::new(Fail {
            held,
            failure: Some(failure("simulated", non_retryable)),
            last_heartbeat_details: None,
            identity: identity.to_owned(),
        }))
    };
    let complete = || {
        let result = Some(payloads(&id));
        Input::Complete(Complete { held, result, identity: identity.to_owned() })
    };
    let input = match plan.behaviour {
        Behaviour::FailFirst(times) if attempt <= times => fail(false),
        Behaviour::FailForGood => fail(true),
        Behaviour::VanishFirst(times) if attempt <= times => return,
        Behaviour::Vanish => return,
        Behaviour::AwaitCancel => return await_cancel(world, dice, &id, delivery, held).await,
        Behaviour::ReportFirst(times) if attempt <= times => {
            Input::Heartbeat(Heartbeat { held, details: Some(payloads("1")) })
        }
        Behaviour::Complete
        | Behaviour::FailFirst(_)
        | Behaviour::VanishFirst(_)
        | Behaviour::ReportFirst(_) => complete(),
    };
    work(world, dice).await;
    answer(world, dice, &id, delivery, input).await;
}

/// Reports progress until somebody asks it to stop, and does so.
async fn await_cancel(
    world: &World,
    dice: &Dice,
    id: &str,
    delivery: StandaloneActivityDelivery,
    held: Held,
) {
    let instance = Some(delivery.run_id);
    loop {
        world.sleep(dice.span(200, 600)).await;
        let input = Input::Heartbeat(Heartbeat { held, details: None });
        let told = ask_instance::<StandaloneActivity>(world, dice, id, instance, input).await;
        world.note(id, "report", &told);
        match told {
            Ok(Ok(Reply::Heartbeat { cancel_requested: true, .. })) => break,
            Ok(Err(_)) => return,
            Ok(Ok(_)) | Err(_) => {}
        }
    }
    let input = Input::Confirm(Confirm { held, details: None });
    answer(world, dice, id, delivery, input).await;
}

/// Answers until there is an answer to that. A worker that repeats itself must be refused.
async fn answer(
    world: &World,
    dice: &Dice,
    id: &str,
    delivery: StandaloneActivityDelivery,
    input: Input,
) {
    let mut again = dice.chance(50);
    loop {
        let instance = Some(delivery.run_id);
        let told = ask_instance::<StandaloneActivity>(world, dice, id, instance, input.clone());
        let told = told.await;
        world.note(id, "answer", &told);
        match told {
            Ok(Ok(_)) => {
                if matches!(input, Input::Complete(_)) && !world.witness.completed_entity(id) {
                    world.witness.accuse(format!("two completions of `{id}` were acknowledged"));
                }
            }
            Ok(Err(Rejection::TaskNotFound | Rejection::NotFound)) => return,
            Ok(Err(rejection)) => {
                world.witness.accuse(format!("an answer of `{id}` is refused: {rejection}"));
                return;
            }
            Err(_) => {
                pause(world, dice).await;
                continue;
            }
        }
        if !std::mem::take(&mut again) {
            return;
        }
    }
}
