//! Workers that run workflows: with a cache and a queue of their own, or without.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    enums::v1::{QueryResultType, WorkflowTaskFailedCause},
    history::v1::HistoryEvent,
    query::v1::WorkflowQueryResult,
};
use engine::{CompleteWorkflowTask, FailWorkflowTask, HeldWorkflowTask, Sticky};
use history::{
    CompleteWorkflowTaskRequest, CompletedTask, QueryAnswer, QueryDelivery, RunKey,
    WorkflowTaskDelivery,
};
use matching::WorkerVersion;
use model::Span;
use parking_lot::Mutex;

use crate::{
    broken::Broken,
    dice::Dice,
    fleet::Answering,
    payload::payloads,
    reading,
    script::{Answer, QUEUE, answer},
    update,
    view::View,
    worker::{activity, dies, poll::Poll, poll::Work, poll::poll_workflow_task, rest, work},
    world::World,
};

/// How long a task waits for the worker that caches its run.
const STICKY_PATIENCE: Span = Span::from_secs(5);

#[derive(Debug, Clone)]
struct Worker {
    world: Arc<World>,
    dice: Arc<Dice>,
    name: String,
    queue: &'static str,
    version: Option<WorkerVersion>,
    process: Arc<Mutex<Process>>,
}

/// What a worker loses when it is restarted.
#[derive(Debug, Default)]
struct Process {
    /// The queue of its own; none for a worker without a cache.
    sticky_queue: Option<String>,
    cache: BTreeMap<RunKey, Vec<HistoryEvent>>,
    restarts: u64,
}

/// Starts a worker.
pub(crate) fn start(world: &Arc<World>, number: u64) {
    start_as(world, format!("workflow worker {number}"), QUEUE, None);
}

/// Starts a worker of this queue, and of this version.
pub(crate) fn start_as(
    world: &Arc<World>,
    name: String,
    queue: &'static str,
    version: Option<WorkerVersion>,
) {
    let dice = Arc::new(Dice::new(world.seed, &name));
    let caches = dice.chance(700);
    let sticky_queue = caches.then(|| format!("{name} sticky 0"));
    let process = Arc::new(Mutex::new(Process { sticky_queue, ..Process::default() }));
    let worker = Worker { world: Arc::clone(world), dice, name, queue, version, process };
    tokio::spawn(worker.clone().run(false));
    if caches {
        let dice = Arc::new(Dice::new(world.seed, &format!("{} sticky", worker.name)));
        tokio::spawn(Worker { dice, ..worker }.run(true));
    }
}

impl Worker {
    async fn run(self, on_sticky_queue: bool) {
        self.world.sleep(self.world.profile.workers_from).await;
        while !self.world.is_done() {
            rest(&self.world, &self.dice).await;
            if !self.world.is_healed() && self.dice.chance(10) {
                self.restart();
            }
            let sticky_queue = self.process.lock().sticky_queue.clone();
            let queue =
                sticky_queue.filter(|_| on_sticky_queue).unwrap_or_else(|| self.queue.to_owned());
            let mut poll = Poll::draw(&self.world, &self.dice, &queue, &self.name);
            poll.version.clone_from(&self.version);
            let request = poll.clone();
            let polled = self.world.call(&self.dice, |life| async move {
                poll_workflow_task(&life, &request, on_sticky_queue).await
            });
            match polled.await {
                Ok(Work::WorkflowTask(delivery)) => self.work_on(*delivery).await,
                Ok(Work::Query(query)) => self.answer_query(*query).await,
                Ok(Work::Nothing) => poll.check_patience(&self.world),
                Err(_) => self.world.sleep(self.dice.span(5, 200)).await,
            }
        }
    }

    /// A new process under the old name: another cache, another queue.
    fn restart(&self) {
        let mut process = self.process.lock();
        process.restarts += 1;
        process.cache.clear();
        let restarts = process.restarts;
        if process.sticky_queue.is_some() {
            process.sticky_queue = Some(format!("{} sticky {restarts}", self.name));
        }
        self.world.trace.note(&format!("{}: restarted", self.name));
    }

    async fn work_on(&self, delivery: WorkflowTaskDelivery) {
        let mut next = Some(delivery);
        while let Some(delivery) = next.take() {
            next = self.answer_task(delivery).await;
        }
    }

    /// Answers a task; the next one, if it came back with the answer.
    async fn answer_task(&self, delivery: WorkflowTaskDelivery) -> Option<WorkflowTaskDelivery> {
        let world = &self.world;
        let (run, task) = (&delivery.run, &delivery.task);
        let workflow_id = &run.workflow.workflow_id;
        let name = format!(
            "{}: {workflow_id} task {} attempt {}",
            self.name, task.scheduled_event_id, task.attempt
        );
        world.trace.note(&name);
        if dies(world, &self.dice) {
            world.trace.note(&format!("{name}: worker dies"));
            self.process.lock().cache.remove(run);
            return None;
        }
        let history = self.history(&delivery).await?;
        let view = View::of(&history);
        work(world, &self.dice).await;
        let Some(program) = world.program(workflow_id) else {
            world.witness.accuse(format!("nobody started `{workflow_id}`"));
            return None;
        };
        let held = HeldWorkflowTask {
            scheduled_event_id: task.scheduled_event_id,
            started_event_id: task.started_event_id,
            attempt: task.attempt,
            started_time: task.started_time,
        };
        match answer(&program, &view, task.attempt) {
            Answer::Fail => {
                self.fail(&delivery, held).await;
                None
            }
            Answer::Commands(mut commands) => {
                let (mut messages, named) = update::answers(&task.messages);
                let (late_messages, late_named) = update::late_answers(&view);
                messages.extend(late_messages);
                commands.splice(0..0, named.into_iter().chain(late_named));
                let results = delivery.queries.keys();
                let results = results.map(|id| (id.clone(), query_result(&view))).collect();
                let sticky = self.process.lock().sticky_queue.clone();
                let Answering { version, behavior, deployment } =
                    Answering::of(world, workflow_id, self.version.as_ref());
                let input = CompleteWorkflowTask {
                    deployment_version: version,
                    versioning_behavior: behavior,
                    worker_deployment_name: deployment,
                    task: held,
                    commands,
                    messages,
                    identity: self.name.clone(),
                    return_new_workflow_task: self.dice.chance(700),
                    request_id: format!("{:x}", self.dice.roll()),
                    nexus_endpoints: world.cluster.endpoints.clone(),
                    sticky: sticky.map(|task_queue| Sticky {
                        task_queue,
                        schedule_to_start_timeout: STICKY_PATIENCE,
                    }),
                    ..CompleteWorkflowTask::default()
                };
                let request = CompleteWorkflowTaskRequest { input, query_results: results };
                self.complete(&delivery, history, request).await
            }
        }
    }

    async fn complete(
        &self,
        delivery: &WorkflowTaskDelivery,
        history: Vec<HistoryEvent>,
        request: CompleteWorkflowTaskRequest,
    ) -> Option<WorkflowTaskDelivery> {
        let world = &self.world;
        let run = &delivery.run;
        let mut again = self.dice.chance(50);
        let mut next = None;
        loop {
            let (key, request) = (run.clone(), request.clone());
            let completed = world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.complete_workflow_task(permit, namespace, &key, request).await
            });
            let completed = completed.await;
            self.note(delivery, "complete", &completed);
            match completed {
                Ok(CompletedTask { workflow_task, activity_tasks, .. }) => {
                    let HeldWorkflowTask { scheduled_event_id, started_event_id, .. } =
                        request_task(delivery);
                    world.witness.workflow_task_completed(
                        run,
                        scheduled_event_id,
                        started_event_id,
                    );
                    self.remember(run, &history);
                    for activity in activity_tasks {
                        activity::run_eagerly(world, &self.name, activity);
                    }
                    next = workflow_task;
                }
                Err(error) if error.is_rejection() => {
                    if world.breaks(Broken::CompletesTwice) {
                        let held = request_task(delivery);
                        let (scheduled, started) = (held.scheduled_event_id, held.started_event_id);
                        world.witness.workflow_task_completed(run, scheduled, started);
                    }
                    if next.is_none() {
                        self.process.lock().cache.remove(run);
                    }
                    return next;
                }
                Err(_) => {
                    self.process.lock().cache.remove(run);
                    world.sleep(self.dice.span(5, 200)).await;
                    continue;
                }
            }
            // A worker that repeats itself must be refused.
            if !std::mem::take(&mut again) {
                return next;
            }
        }
    }

    async fn fail(&self, delivery: &WorkflowTaskDelivery, task: HeldWorkflowTask) {
        self.process.lock().cache.remove(&delivery.run);
        let run = delivery.run.clone();
        let fail = FailWorkflowTask {
            task,
            cause: WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure,
            identity: self.name.clone(),
            ..FailWorkflowTask::default()
        };
        let failed = self.world.call(&self.dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            life.history.fail_workflow_task(permit, namespace, &run, fail).await
        });
        self.note(delivery, "fail", &failed.await);
    }

    /// Keeps the history up to the task's end, unless this worker has no cache.
    fn remember(&self, run: &RunKey, history: &[HistoryEvent]) {
        let mut process = self.process.lock();
        if process.sticky_queue.is_some() {
            process.cache.insert(run.clone(), history.to_vec());
        }
    }

    /// The run's history up to the task: what the delivery has, after what is cached.
    async fn history(&self, delivery: &WorkflowTaskDelivery) -> Option<Vec<HistoryEvent>> {
        let WorkflowTaskDelivery { run, task, .. } = delivery;
        let world = &self.world;
        let mut history = if task.history_from > 1 {
            let cached = self.process.lock().cache.get(run).cloned();
            match cached {
                // The task may arrive before the answer to the completion that made it.
                Some(cached) if ends_before(&cached, task.history_from) => cached,
                _ => reading::read(world, &self.dice, run, 1, task.history_from - 1).await?,
            }
        } else {
            Vec::new()
        };
        history.extend(reading::decode(world, &delivery.history));
        if let Some(from) = delivery.history.next_event_id {
            history
                .extend(reading::read(world, &self.dice, run, from, task.history_through).await?);
        }
        history.retain(|event| event.event_id <= task.history_through);
        let is_gapless = history.iter().map(|event| event.event_id).eq(1..=task.history_through);
        if !is_gapless {
            let ids: Vec<i64> = history.iter().map(|event| event.event_id).collect();
            self.world.witness.accuse(format!(
                "workflow task {} of `{}` came with events {ids:?}, from {} through {}",
                task.scheduled_event_id,
                run.workflow.workflow_id,
                task.history_from,
                task.history_through
            ));
            return None;
        }
        world.witness.shown(run, &history);
        history.extend(task.transient_events.iter().cloned());
        Some(history)
    }

    async fn answer_query(&self, query: QueryDelivery) {
        let run = &query.run;
        self.world.trace.note(&format!("{}: query of {}", self.name, run.workflow.workflow_id));
        let cached = self.process.lock().cache.get(run).cloned();
        let history = match cached.filter(|_| query.history.batches.is_empty()) {
            Some(cached) => cached,
            None => {
                let through = query.state.last_event_id();
                let Some(read) = reading::read(&self.world, &self.dice, run, 1, through).await
                else {
                    return;
                };
                read
            }
        };
        let signals = View::of(&history).signals;
        let answer = QueryAnswer::Answered(Some(payloads(&signals.to_string())));
        let answered = self.world.call(&self.dice, |life| async move {
            Ok(life.history.respond_query(&life.permit, &query.query_id, answer))
        });
        drop(answered.await);
    }

    fn note<T>(
        &self,
        delivery: &WorkflowTaskDelivery,
        what: &str,
        outcome: &Result<T, crate::cluster::CallError>,
    ) {
        let who = format!("{}: {}", self.name, delivery.run.workflow.workflow_id);
        let what = format!("{what} task {}", delivery.task.scheduled_event_id);
        self.world.note(&who, &what, outcome);
    }
}

fn ends_before(history: &[HistoryEvent], event_id: i64) -> bool {
    history.last().is_some_and(|last| last.event_id + 1 == event_id)
}

fn request_task(delivery: &WorkflowTaskDelivery) -> HeldWorkflowTask {
    HeldWorkflowTask {
        scheduled_event_id: delivery.task.scheduled_event_id,
        started_event_id: delivery.task.started_event_id,
        attempt: delivery.task.attempt,
        started_time: delivery.task.started_time,
    }
}

fn query_result(view: &View) -> WorkflowQueryResult {
    WorkflowQueryResult {
        result_type: QueryResultType::Answered as i32,
        answer: Some(payloads(&view.signals.to_string())),
        ..WorkflowQueryResult::default()
    }
}
