//! Schedules: each starts so many workflows, one for each of its times.

use std::{collections::BTreeSet, sync::Arc};

use api::{
    common::v1::WorkflowType,
    enums::v1::{ScheduleOverlapPolicy, WorkflowExecutionStatus},
    schedule::v1::{
        IntervalSpec, Schedule as Wanted, ScheduleAction, SchedulePatch, SchedulePolicies,
        ScheduleSpec, ScheduleState, schedule_action::Action,
    },
    taskqueue::v1::TaskQueue,
    workflow::v1::NewWorkflowExecutionInfo,
};
use model::Span;
use schedule::{Create, Input, Rejection, Schedule};
use visibility_query::parse_datetime;

use super::{ask, begin, pause, wait_for};
use crate::{
    broken::Broken,
    check::{ensure, snapshot::Snapshot},
    dice::Dice,
    payload::payloads,
    program::{End, Program},
    script::{QUEUE, input},
    world::World,
};

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) id: String,
    every: Span,
    actions: i64,
    /// Somebody pauses it for a while.
    pause: Option<Span>,
    /// Somebody deletes it when it has done what it has to.
    pub(crate) is_deleted: bool,
}

impl Plan {
    pub(crate) fn draw(dice: &Dice, number: u64) -> Self {
        Self {
            id: format!("schedule{number}"),
            every: Span::from_secs(i64::try_from(dice.between(1, 6)).unwrap_or(1)),
            actions: i64::try_from(dice.between(1, 5)).unwrap_or(1),
            pause: None,
            is_deleted: false,
        }
    }

    /// Adds what people do to it.
    #[must_use]
    pub(crate) fn with_operations(self, dice: &Dice) -> Self {
        let pause = dice.chance(500).then(|| dice.span(1_000, 20_000));
        Self { pause, is_deleted: dice.chance(500), ..self }
    }

    fn create(&self) -> Create {
        let workflow = NewWorkflowExecutionInfo {
            workflow_id: self.id.clone(),
            workflow_type: Some(WorkflowType { name: "program".to_owned() }),
            task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..TaskQueue::default() }),
            input: Some(payloads(&input(&self.id, 0))),
            ..NewWorkflowExecutionInfo::default()
        };
        let interval =
            IntervalSpec { interval: Some(self.every.to_proto()), ..IntervalSpec::default() };
        Create {
            schedule: Wanted {
                spec: Some(ScheduleSpec { interval: vec![interval], ..ScheduleSpec::default() }),
                action: Some(ScheduleAction { action: Some(Action::StartWorkflow(workflow)) }),
                policies: Some(SchedulePolicies {
                    overlap_policy: ScheduleOverlapPolicy::AllowAll as i32,
                    ..SchedulePolicies::default()
                }),
                state: Some(ScheduleState {
                    limited_actions: true,
                    remaining_actions: self.actions,
                    ..ScheduleState::default()
                }),
            },
            request_id: format!("creation of {}", self.id),
            ..Create::default()
        }
    }

    /// It has started its workflows, each once, and they have completed.
    pub(crate) fn check(&self, world: &World, snapshot: &Snapshot) -> Result<(), String> {
        let id = &self.id;
        let runs = snapshot.runs.values().filter(|run| run.state.workflow_id.starts_with(&**id));
        let mut started = BTreeSet::new();
        for run in runs {
            let workflow_id = &run.state.workflow_id;
            ensure!(started.insert(workflow_id), "`{id}` has started `{workflow_id}` twice");
            self.check_pause(world, workflow_id)?;
            let completed = run.state.status == WorkflowExecutionStatus::Completed as i32;
            ensure!(completed, "`{workflow_id}` did not complete");
        }
        let (found, expected) = (started.len(), self.actions);
        ensure!(i64::try_from(found) == Ok(expected), "`{id}` started {found}, not {expected}");
        Ok(())
    }
}

impl Plan {
    /// No workflow is of a time at which the schedule was paused.
    fn check_pause(&self, world: &World, workflow_id: &str) -> Result<(), String> {
        let pauses = world.witness.facts().schedule_pauses;
        let Some((from, to)) = pauses.get(&self.id) else { return Ok(()) };
        let time = workflow_id.strip_prefix(&*self.id).and_then(|it| it.strip_prefix('-'));
        let nominal = time.and_then(parse_datetime);
        let was_paused = nominal.is_some_and(|nominal| nominal > *from && nominal < *to);
        ensure!(
            !was_paused || world.profile.clock_jumps,
            "`{}` has acted at {nominal:?} while it was paused",
            self.id
        );
        Ok(())
    }
}

/// What a workflow does that a schedule starts.
pub(crate) fn program() -> Program {
    Program { steps: Vec::new(), generations: 0, end: End::Complete }
}

/// Makes one and sees that it has done what it has to.
pub(crate) async fn see_through(world: Arc<World>, plan: Plan) {
    let dice = Dice::new(world.seed, &format!("client of {}", plan.id));
    begin(&world, &dice).await;
    loop {
        let create = Input::Create(Box::new(plan.create()));
        let created = ask::<Schedule>(&world, &dice, &plan.id, create).await;
        world.note(&plan.id, "create", &created);
        match created {
            Ok(Ok(_)) => break,
            Ok(Err(rejection)) => {
                world.witness.accuse(format!("`{}` is refused: {rejection}", plan.id));
                return;
            }
            Err(_) => pause(&world, &dice).await,
        }
    }
    if let Some(span) = plan.pause {
        pause_for(&world, &dice, &plan.id, span).await;
    }
    let actions = plan.actions;
    let is_done = |state: &schedule::State| {
        state.action_count >= actions && state.running_workflows.is_empty()
    };
    if wait_for::<Schedule>(&world, &dice, &plan.id, is_done).await.is_none() {
        return;
    }
    if plan.is_deleted {
        delete(&world, &dice, &plan.id).await;
    }
    world.ended(&plan.id);
}

/// Pauses a schedule for a while. What would have been due meanwhile is left out.
async fn pause_for(world: &World, dice: &Dice, id: &str, span: Span) {
    world.sleep(dice.span(0, 5_000)).await;
    let paused = SchedulePatch { pause: "simulated".to_owned(), ..SchedulePatch::default() };
    if !world.breaks(Broken::ActsWhilePaused) {
        patch(world, dice, id, paused).await;
    }
    let from = world.now();
    world.sleep(span).await;
    world.witness.schedule_paused(id, from, world.now());
    let unpaused = SchedulePatch { unpause: "simulated".to_owned(), ..SchedulePatch::default() };
    patch(world, dice, id, unpaused).await;
}

async fn patch(world: &World, dice: &Dice, id: &str, patch: SchedulePatch) {
    let request_id = format!("{}{} {id}", patch.pause, patch.unpause.len());
    loop {
        let input = Input::Patch {
            patch: Box::new(patch.clone()),
            request_id: request_id.clone(),
            conflict_token: 0,
        };
        let patched = ask::<Schedule>(world, dice, id, input).await;
        world.note(id, "patch", &patched);
        match patched {
            Ok(Ok(_)) => return,
            Ok(Err(rejection)) => {
                world.witness.accuse(format!("a pause of `{id}` is refused: {rejection}"));
                return;
            }
            Err(_) => pause(world, dice).await,
        }
    }
}

async fn delete(world: &World, dice: &Dice, id: &str) {
    loop {
        let deleted = ask::<Schedule>(world, dice, id, Input::Delete).await;
        world.note(id, "delete", &deleted);
        match deleted {
            // An earlier request whose answer was lost has deleted it.
            Ok(Ok(_) | Err(Rejection::NotFound)) => return,
            Ok(Err(rejection)) => {
                world.witness.accuse(format!("`{id}` cannot be deleted: {rejection}"));
                return;
            }
            Err(_) => pause(world, dice).await,
        }
    }
}
