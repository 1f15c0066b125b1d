//! Schedules: each starts so many workflows, one for each of its times.

use std::{collections::BTreeSet, sync::Arc};

use api::{
    common::v1::WorkflowType,
    enums::v1::{ScheduleOverlapPolicy, WorkflowExecutionStatus},
    schedule::v1::{
        IntervalSpec, Schedule as Wanted, ScheduleAction, SchedulePolicies, ScheduleSpec,
        ScheduleState, schedule_action::Action,
    },
    taskqueue::v1::TaskQueue,
    workflow::v1::NewWorkflowExecutionInfo,
};
use model::Span;
use schedule::{Create, Input, Schedule};

use super::{ask, begin, ended, pause, wait_for};
use crate::{
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
}

impl Plan {
    pub(crate) fn draw(dice: &Dice, number: u64) -> Self {
        Self {
            id: format!("schedule{number}"),
            every: Span::from_secs(i64::try_from(dice.between(1, 6)).unwrap_or(1)),
            actions: i64::try_from(dice.between(1, 5)).unwrap_or(1),
        }
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
    pub(crate) fn check(&self, snapshot: &Snapshot) -> Result<(), String> {
        let id = &self.id;
        let runs = snapshot.runs.values().filter(|run| run.state.workflow_id.starts_with(&**id));
        let mut started = BTreeSet::new();
        for run in runs {
            let workflow_id = &run.state.workflow_id;
            ensure!(started.insert(workflow_id), "`{id}` has started `{workflow_id}` twice");
            let completed = run.state.status == WorkflowExecutionStatus::Completed as i32;
            ensure!(completed, "`{workflow_id}` did not complete");
        }
        let (found, expected) = (started.len(), self.actions);
        ensure!(i64::try_from(found) == Ok(expected), "`{id}` started {found}, not {expected}");
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
    let actions = plan.actions;
    let is_done = |state: &schedule::State| {
        state.action_count >= actions && state.running_workflows.is_empty()
    };
    if wait_for::<Schedule>(&world, &dice, &plan.id, is_done).await.is_some() {
        ended(&world, &plan.id);
    }
}
