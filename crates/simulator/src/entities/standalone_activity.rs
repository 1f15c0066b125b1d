//! Activities that no workflow runs.

use std::sync::Arc;

use api::{
    enums::v1::{
        ActivityExecutionStatus, ActivityIdConflictPolicy, ActivityIdReusePolicy, CallbackState,
    },
    history::v1::ActivityTaskScheduledEventAttributes,
};
use history::StandaloneActivityDelivery;
use standalone_activity::{
    Complete, Fail, Heartbeat, Held, Input, Rejection, Reply, StandaloneActivity, Start,
};

use super::{ask, ask_instance, begin, check_told, ended, pause, wait_for};
use crate::{
    dice::Dice,
    outside::{Told, callback},
    payload::payloads,
    program::{ActivityPlan, Behaviour},
    script::{failure, schedule_activity},
    worker::{dies, work},
    world::World,
};

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    plan: ActivityPlan,
}

impl Plan {
    pub(crate) fn draw(dice: &Dice, number: u64) -> Self {
        Self { id: format!("activity{number}"), plan: ActivityPlan::draw(dice) }
    }

    fn start(&self) -> Start {
        let command = schedule_activity(&self.id, self.plan);
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

    /// How it has to end.
    fn status(&self) -> ActivityExecutionStatus {
        match self.plan.behaviour {
            Behaviour::FailForGood => ActivityExecutionStatus::Failed,
            Behaviour::Vanish | Behaviour::AwaitCancel => ActivityExecutionStatus::TimedOut,
            Behaviour::Complete
            | Behaviour::FailFirst(_)
            | Behaviour::VanishFirst(_)
            | Behaviour::ReportFirst(_) => ActivityExecutionStatus::Completed,
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
    let is_closed = |state: &standalone_activity::State| {
        state.status != ActivityExecutionStatus::Running as i32
    };
    let Some(view) = wait_for::<StandaloneActivity>(&world, &dice, &plan.id, is_closed).await
    else {
        return;
    };
    let status = view.state().map_or(0, |state| state.status);
    let status = ActivityExecutionStatus::try_from(status).unwrap_or_default();
    if status != plan.status() {
        let (id, expected) = (&plan.id, plan.status());
        world.witness.accuse(format!("`{id}` is {status:?} instead of {expected:?}"));
    }
    let completed = world.witness.facts().completed_entities.contains(&plan.id);
    if completed && status != ActivityExecutionStatus::Completed {
        world.witness.accuse(format!("the completion of `{}` is lost", plan.id));
    }
    let are_told = |state: &standalone_activity::State| {
        state.callbacks.iter().all(|callback| callback.state() == CallbackState::Succeeded)
    };
    if wait_for::<StandaloneActivity>(&world, &dice, &plan.id, are_told).await.is_some() {
        let truth = match plan.status() {
            ActivityExecutionStatus::Completed => Told::Succeeded(plan.id.clone()),
            _ => Told::Failed,
        };
        check_told(&world, &plan.id, &truth);
        ended(&world, &plan.id);
    }
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
        Behaviour::Vanish | Behaviour::AwaitCancel => return,
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
