//! A rule of the namespace: it pauses the activities of one workflow before they are tried, until
//! somebody removes it and lets them go.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use api::{
    common::v1::WorkflowType,
    enums::v1::{WorkflowExecutionStatus, WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    history::v1::WorkflowExecutionStartedEventAttributes,
    rules::v1::{
        WorkflowRule, WorkflowRuleAction, WorkflowRuleSpec,
        workflow_rule_action::{ActionActivityPause, Variant},
        workflow_rule_spec::{ActivityStartingTrigger, Trigger},
    },
    taskqueue::v1::TaskQueue,
};
use engine::{ActivitySelection, Start, StartPolicy, UnpauseActivity};
use history::{Execution, StartRequest};
use model::Span;
use namespace::{NamespaceError, RuleError};

use super::{begin, pause};
use crate::{
    broken::Broken,
    cluster::CallError,
    dice::Dice,
    payload::payloads,
    program::{ActivityPlan, Behaviour, End, Program, Step},
    script::{QUEUE, input},
    world::World,
};

/// The ids of the rule and of its workflow.
pub(crate) const ID: &str = "rule";
pub(crate) const WORKFLOW_ID: &str = "ruled";

/// Whether the rule of a simulation is in force.
#[derive(Debug, Default)]
pub(crate) struct InForce(AtomicBool);

impl InForce {
    fn set(&self, in_force: bool) {
        self.0.store(in_force, Ordering::Relaxed);
    }

    /// An attempt of an activity begins: none may while the rule is in force.
    pub(crate) fn check(&self, world: &World, workflow_id: &str) {
        if workflow_id == WORKFLOW_ID && self.0.load(Ordering::Relaxed) {
            world.witness.accuse(format!("`{WORKFLOW_ID}` was tried although a rule pauses it"));
        }
    }
}

/// What the workflow does.
pub(crate) fn program() -> Program {
    let plan = ActivityPlan { behaviour: Behaviour::Complete, eager: false };
    Program { steps: vec![Step::Activities(vec![plan; 2])], generations: 0, end: End::Complete }
}

/// Makes the rule, starts the workflow, removes the rule, and sees the workflow's end.
pub(crate) async fn see_through(world: Arc<World>) {
    let dice = Dice::new(world.seed, "client of a rule");
    begin(&world, &dice).await;
    if !world.breaks(Broken::IgnoresRules) && !add(&world, &dice).await {
        return;
    }
    world.rule.set(true);
    if !start(&world, &dice).await {
        return;
    }
    world.sleep(dice.span(500, 15_000)).await;
    world.rule.set(false);
    if remove(&world, &dice).await && let_go(&world, &dice).await {
        world.ended(ID);
    }
}

fn rule() -> WorkflowRule {
    let pause = Variant::ActivityPause(ActionActivityPause {});
    let trigger = ActivityStartingTrigger { predicate: "ActivityType = 'activity'".to_owned() };
    let spec = WorkflowRuleSpec {
        id: ID.to_owned(),
        visibility_query: format!("WorkflowId = '{WORKFLOW_ID}'"),
        actions: vec![WorkflowRuleAction { variant: Some(pause) }],
        trigger: Some(Trigger::ActivityStart(trigger)),
        ..WorkflowRuleSpec::default()
    };
    WorkflowRule { spec: Some(spec), ..WorkflowRule::default() }
}

async fn add(world: &World, dice: &Dice) -> bool {
    loop {
        let now = world.now();
        let added = world.call(dice, |life| async move {
            Ok(life.namespaces.add_rule(life.namespace_id, rule(), now).await)
        });
        match settled(world, "add", added.await) {
            Some(Ok(()) | Err(RuleError::AlreadyExists)) => return true,
            Some(Err(refusal)) => {
                world.witness.accuse(format!("a rule is refused: {refusal}"));
                return false;
            }
            None => pause(world, dice).await,
        }
    }
}

async fn remove(world: &World, dice: &Dice) -> bool {
    loop {
        let removed = world.call(dice, |life| async move {
            Ok(life.namespaces.remove_rule(life.namespace_id, ID).await)
        });
        match settled(world, "remove", removed.await) {
            Some(Ok(())) => return true,
            // An earlier request whose answer was lost has removed it.
            Some(Err(RuleError::NotFound)) => return true,
            Some(Err(refusal)) => {
                world.witness.accuse(format!("a rule cannot be removed: {refusal}"));
                return false;
            }
            None => pause(world, dice).await,
        }
    }
}

/// What the namespace said; none when that is not known.
fn settled<T>(
    world: &World,
    what: &str,
    answer: Result<Result<Result<T, RuleError>, NamespaceError>, CallError>,
) -> Option<Result<(), RuleError>> {
    let (settled, text) = match answer {
        Ok(Ok(Ok(_))) => (Some(Ok(())), "done".to_owned()),
        Ok(Ok(Err(refusal))) => {
            let text = refusal.to_string();
            (Some(Err(refusal)), text)
        }
        Ok(Err(error)) => (None, error.to_string()),
        Err(error) => (None, error.to_string()),
    };
    world.trace.note(&format!("{ID}: {what}: {text}"));
    settled
}

async fn start(world: &World, dice: &Dice) -> bool {
    loop {
        let attributes = WorkflowExecutionStartedEventAttributes {
            workflow_id: WORKFLOW_ID.to_owned(),
            workflow_type: Some(WorkflowType { name: "program".to_owned() }),
            task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..TaskQueue::default() }),
            input: Some(payloads(&input(WORKFLOW_ID, 0))),
            ..WorkflowExecutionStartedEventAttributes::default()
        };
        let request_id = format!("start of {WORKFLOW_ID}");
        let request = StartRequest {
            start: Start { request_id, attributes, ..Start::default() },
            policy: StartPolicy {
                reuse: WorkflowIdReusePolicy::RejectDuplicate,
                conflict: WorkflowIdConflictPolicy::Fail,
            },
            eager: None,
            attach: None,
        };
        let started = world.call(dice, |life| async move {
            life.history.start_workflow(&life.permit, &life.namespace(), request).await
        });
        let started = started.await;
        world.note(WORKFLOW_ID, "start", &started);
        match started {
            Ok(_) => return true,
            Err(error) if error.is_rejection() => {
                world.witness.accuse(format!("the start of `{WORKFLOW_ID}` is refused: {error}"));
                return false;
            }
            Err(_) => pause(world, dice).await,
        }
    }
}

/// Unpauses the workflow's activities until it has closed.
async fn let_go(world: &World, dice: &Dice) -> bool {
    loop {
        let execution = Execution::current(WORKFLOW_ID);
        let described = world.call(dice, |life| async move {
            life.history.describe(&life.permit, &life.namespace(), &execution).await
        });
        match described.await {
            Ok(description) if !description.state.is_running() => {
                let completed = WorkflowExecutionStatus::Completed as i32;
                if description.state.status != completed {
                    let status = description.state.status;
                    world.witness.accuse(format!("`{WORKFLOW_ID}` ended with status {status}"));
                }
                return true;
            }
            Err(error) if error.is_rejection() => {
                world.witness.accuse(format!("`{WORKFLOW_ID}` is lost: {error}"));
                return false;
            }
            _ => {}
        }
        let execution = Execution::current(WORKFLOW_ID);
        let unpause = UnpauseActivity {
            selection: ActivitySelection::All,
            resets_attempts: false,
            resets_heartbeat: false,
            jitter: Span::ZERO,
            seed: 0,
        };
        let unpaused = world.call(dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            life.history.unpause_activities(permit, namespace, &execution, unpause).await
        });
        world.note(WORKFLOW_ID, "unpause activities", &unpaused.await);
        world.sleep(Span::from_millis(500)).await;
    }
}
