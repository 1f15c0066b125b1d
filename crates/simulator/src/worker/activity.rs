//! Workers that run activities.

use std::sync::Arc;

use bytes::Bytes;
use engine::{CancelActivity, CompleteActivity, FailActivity, HeartbeatActivity, HeldActivity};
use history::{ActivityDelivery, Execution, activity_task_token};
use matching::WorkerVersion;
use model::Span;

use crate::{
    broken::Broken,
    cluster::{CallError, token_keys},
    dice::Dice,
    entities::standalone_activity,
    payload::{payloads, text},
    program::Behaviour,
    script::{QUEUE, failure},
    worker::{
        control, dies,
        poll::{Attempted, Poll, poll_activity},
        rest, work,
    },
    world::World,
};

/// Reports of progress that an attempt makes before it stops or completes.
const REPORTS: u64 = 3;

#[derive(Debug, Clone)]
struct Worker {
    world: Arc<World>,
    dice: Arc<Dice>,
    identity: String,
    queue: &'static str,
    version: Option<WorkerVersion>,
    /// It takes commands.
    takes_commands: bool,
}

/// Starts a worker.
pub(crate) fn start(world: &Arc<World>, number: u64) {
    start_as(world, format!("activity worker {number}"), QUEUE, None);
}

/// Starts a worker of this queue, and of this version.
pub(crate) fn start_as(
    world: &Arc<World>,
    identity: String,
    queue: &'static str,
    version: Option<WorkerVersion>,
) {
    let dice = Arc::new(Dice::new(world.seed, &identity));
    let takes_commands = Dice::new(world.seed, &control::queue_of(&identity)).chance(600);
    if takes_commands {
        tokio::spawn(control::take_commands(Arc::clone(world), identity.clone()));
    }
    let world = Arc::clone(world);
    let worker = Worker { world, dice, identity, queue, version, takes_commands };
    tokio::spawn(worker.run());
}

/// Runs an attempt that a workflow's worker got with the answer to its task.
pub(crate) fn run_eagerly(world: &Arc<World>, identity: &str, delivery: ActivityDelivery) {
    let name = format!(
        "eager {} {} {}",
        delivery.run.run_id, delivery.activity.scheduled_event_id, delivery.activity.attempt
    );
    let dice = Arc::new(Dice::new(world.seed, &name));
    let identity = identity.to_owned();
    let (world, queue) = (Arc::clone(world), QUEUE);
    let worker = Worker { world, dice, identity, queue, version: None, takes_commands: false };
    tokio::spawn(async move { Attempt::new(&worker, delivery).run().await });
}

impl Worker {
    async fn run(self) {
        self.world.sleep(self.world.profile.workers_from).await;
        while !self.world.is_done() {
            rest(&self.world, &self.dice).await;
            let mut poll = Poll::draw(&self.world, &self.dice, self.queue, &self.identity);
            poll.version.clone_from(&self.version);
            if self.takes_commands {
                poll.control_queue = control::queue_of(&self.identity);
            }
            let request = poll.clone();
            let polled = self
                .world
                .call(&self.dice, |life| async move { poll_activity(&life, &request).await })
                .await;
            match polled {
                Ok(Some(Attempted::OfWorkflow(delivery))) => {
                    Attempt::new(&self, *delivery).run().await;
                }
                Ok(Some(Attempted::Standalone(delivery))) => {
                    let Self { world, dice, identity, .. } = &self;
                    standalone_activity::attempt(world, dice, identity, *delivery).await;
                }
                Ok(None) => poll.check_patience(&self.world),
                Err(_) => self.world.sleep(self.dice.span(5, 200)).await,
            }
        }
    }
}

/// One attempt in a worker's hands.
struct Attempt<'a> {
    worker: &'a Worker,
    delivery: ActivityDelivery,
    activity_id: String,
    execution: Execution,
}

impl<'a> Attempt<'a> {
    fn new(worker: &'a Worker, delivery: ActivityDelivery) -> Self {
        let scheduled = delivery.activity.scheduled.to_owned_message();
        let run = &delivery.run;
        let execution = Execution::run(run.workflow.workflow_id.clone(), run.run_id);
        Self { worker, activity_id: scheduled.activity_id, execution, delivery }
    }

    async fn run(self) {
        let Worker { world, dice, identity, .. } = self.worker;
        let attempt = self.delivery.activity.attempt;
        let workflow_id = &self.execution.workflow_id;
        let name = format!("{identity}: {workflow_id} {} attempt {attempt}", self.activity_id);
        world.trace.note(&name);
        let plan = world.program(workflow_id).and_then(|it| it.activity(&self.activity_id));
        let Some(plan) = plan else {
            world.witness.accuse(format!("nobody scheduled {name}"));
            return;
        };
        self.check_progress();
        self.check_operations();
        if world.breaks(Broken::StopsActivities) {
            world.witness.told_to_stop(identity, self.token());
        }
        if dies(world, dice) {
            world.trace.note(&format!("{name}: worker dies"));
            return;
        }
        match plan.behaviour {
            Behaviour::FailFirst(times) if attempt <= times => self.fail(false).await,
            Behaviour::FailForGood => self.fail(true).await,
            Behaviour::VanishFirst(times) if attempt <= times => {}
            Behaviour::Vanish => {}
            Behaviour::ReportFirst(times) if attempt <= times => {
                for _ in 0..REPORTS {
                    if self.report().await.is_err() {
                        return;
                    }
                }
            }
            Behaviour::AwaitCancel => self.await_cancel().await,
            Behaviour::ReportFirst(_) => {
                if self.report().await.is_ok() {
                    self.complete().await;
                }
            }
            Behaviour::Complete | Behaviour::FailFirst(_) | Behaviour::VanishFirst(_) => {
                work(world, dice).await;
                self.complete().await;
            }
        }
    }

    /// An attempt gets the progress that an earlier one was told to be safe.
    fn check_progress(&self) {
        let scheduled_event_id = self.delivery.activity.scheduled_event_id;
        let world = &self.worker.world;
        let safe = world.witness.progress(&self.delivery.run, scheduled_event_id);
        let details = self.delivery.activity.heartbeat_details.as_ref();
        let details = text(details.map(engine::Shared::to_owned_message).as_ref());
        let is_lost = world.breaks(Broken::LosesProgress);
        let given = if is_lost { 0 } else { details.parse::<u64>().unwrap_or(0) };
        if given < safe {
            world.witness.accuse(format!(
                "attempt {} of activity {scheduled_event_id} of run {} begins at {given}, \
                 although {safe} had been acknowledged",
                self.delivery.activity.attempt, self.delivery.run.run_id
            ));
        }
    }

    /// An activity that is paused does not begin, and one with other options has them.
    fn check_operations(&self) {
        let Self { execution, delivery: ActivityDelivery { activity, .. }, .. } = self;
        let (witness, workflow_id) = (&self.worker.world.witness, &execution.workflow_id);
        self.worker.world.rule.check(&self.worker.world, workflow_id);
        let (scheduled, began) = (activity.scheduled_time, activity.started_time);
        let name =
            format!("attempt {} of {} of `{workflow_id}`", activity.attempt, self.activity_id);
        let pause = witness.pauses().holding(workflow_id);
        if pause.is_some_and(|pause| pause.is_about(scheduled, began)) {
            witness.accuse(format!("{name} began although it is paused"));
        }
        let timeout = witness.timeouts().holding(workflow_id);
        let timeout = timeout.filter(|timeout| timeout.is_about(scheduled, began));
        let given = Span::from_proto(activity.scheduled.start_to_close_timeout.as_ref());
        if let Some(wanted) = timeout.map(|timeout| timeout.value).filter(|wanted| *wanted != given)
        {
            witness.accuse(format!("{name} has {given:?} instead of the {wanted:?} that were set"));
        }
    }

    /// Whether a command came for this attempt.
    fn is_told_to_stop(&self) -> bool {
        self.worker.world.witness.is_told_to_stop(&self.worker.identity, &self.token())
    }

    fn token(&self) -> Bytes {
        let ActivityDelivery { run, activity, .. } = &self.delivery;
        activity_task_token(&token_keys(), run, activity.scheduled_event_id, activity.attempt)
    }

    fn by_token(&self) -> HeldActivity {
        HeldActivity::Token {
            scheduled_event_id: self.delivery.activity.scheduled_event_id,
            attempt: self.delivery.activity.attempt,
        }
    }

    fn identity(&self) -> String {
        self.worker.identity.clone()
    }

    async fn complete(&self) {
        let Worker { world, dice, .. } = self.worker;
        let by_id = dice.chance(200);
        let activity =
            if by_id { HeldActivity::Id(self.activity_id.clone()) } else { self.by_token() };
        let result = Some(payloads(&format!("ok {}", self.activity_id)));
        let complete = CompleteActivity { activity, result, identity: self.identity() };
        let mut again = dice.chance(50);
        loop {
            let (execution, complete) = (self.execution.clone(), complete.clone());
            let completed = world.call(dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.complete_activity(permit, namespace, &execution, complete).await
            });
            let completed = completed.await;
            self.note("complete", &completed);
            match completed {
                Ok(()) => {
                    let scheduled_event_id = self.delivery.activity.scheduled_event_id;
                    world.witness.activity_completed(&self.delivery.run, scheduled_event_id);
                }
                Err(error) if error.is_rejection() => return,
                Err(_) => {
                    world.sleep(dice.span(5, 200)).await;
                    continue;
                }
            }
            // A worker that repeats itself must be refused.
            if !std::mem::take(&mut again) {
                return;
            }
        }
    }

    async fn fail(&self, non_retryable: bool) {
        let Worker { world, dice, .. } = self.worker;
        work(world, dice).await;
        let fail = FailActivity {
            activity: self.by_token(),
            failure: Some(failure("simulated", non_retryable)),
            identity: self.identity(),
            last_heartbeat_details: None,
        };
        loop {
            let (execution, fail) = (self.execution.clone(), fail.clone());
            let failed = world.call(dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.fail_activity(permit, namespace, &execution, fail).await
            });
            let failed = failed.await;
            self.note("fail", &failed);
            match failed {
                Ok(()) => return,
                Err(error) if error.is_rejection() => return,
                Err(_) => world.sleep(dice.span(5, 200)).await,
            }
        }
    }

    /// Reports progress once; true when the workflow wants the activity to stop.
    async fn report(&self) -> Result<bool, CallError> {
        let Worker { world, dice, .. } = self.worker;
        world.sleep(dice.span(50, 400)).await;
        let scheduled_event_id = self.delivery.activity.scheduled_event_id;
        let progress = world.witness.progress(&self.delivery.run, scheduled_event_id) + 1;
        let heartbeat = HeartbeatActivity {
            activity: self.by_token(),
            details: Some(payloads(&progress.to_string())),
            identity: self.identity(),
        };
        let execution = self.execution.clone();
        let reported = world.call(dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            let answer = life.history.heartbeat_activity(permit, namespace, &execution, heartbeat);
            answer.await.map(|answer| answer.cancel_requested)
        });
        let reported = reported.await;
        self.note("report", &reported);
        if reported.is_ok() {
            world.witness.progressed(&self.delivery.run, scheduled_event_id, progress);
        }
        reported
    }

    async fn await_cancel(&self) {
        let Worker { world, dice, .. } = self.worker;
        while !self.is_told_to_stop() {
            match self.report().await {
                Ok(true) => break,
                Err(error) if error.is_rejection() => return,
                _ => world.sleep(Span::from_millis(200)).await,
            }
        }
        let cancel =
            CancelActivity { activity: self.by_token(), details: None, identity: self.identity() };
        loop {
            let (execution, cancel) = (self.execution.clone(), cancel.clone());
            let cancelled = world.call(dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.cancel_activity(permit, namespace, &execution, cancel).await
            });
            let cancelled = cancelled.await;
            self.note("cancel", &cancelled);
            match cancelled {
                Ok(()) => return,
                Err(error) if error.is_rejection() => return,
                Err(_) => world.sleep(dice.span(5, 200)).await,
            }
        }
    }

    fn note<T>(&self, what: &str, outcome: &Result<T, CallError>) {
        let who = format!("{}: {}", self.worker.identity, self.execution.workflow_id);
        self.worker.world.note(&who, &format!("{what} {}", self.activity_id), outcome);
    }
}
