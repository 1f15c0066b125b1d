//! Workers that follow a script: the workflow type says what a workflow does.

use std::{collections::BTreeMap, sync::Arc};

use api::{
    command::v1::{
        Command, CompleteWorkflowExecutionCommandAttributes,
        RequestCancelExternalWorkflowExecutionCommandAttributes,
        ScheduleActivityTaskCommandAttributes, SignalExternalWorkflowExecutionCommandAttributes,
        StartChildWorkflowExecutionCommandAttributes, StartTimerCommandAttributes,
        command::Attributes,
    },
    common::v1::{ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType},
    enums::v1::{CommandType, EventType, ParentClosePolicy, QueryResultType},
    history::v1::{HistoryEvent, history_event::Attributes as Event},
    query::v1::WorkflowQueryResult,
    taskqueue::v1::TaskQueue,
};
use engine::{
    CompleteActivity, CompleteWorkflowTask, HeldActivity, HeldWorkflowTask, StartedWorkflowTask,
    Sticky,
};
use history::{
    ActivityDelivery, CompleteWorkflowTaskRequest, CompletedTask, Delivery, Execution,
    HistoryError, QueryAnswer, QueryDelivery, WorkerPoll, WorkflowTaskDelivery,
};
use matching::{Matched, PollRequest, TaskQueueKey};
use model::{RunId, Span};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::{MINUTE, Node, QUEUE, decode, updates};

/// What the workers of a node did.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) workflow_tasks: usize,
    pub(crate) activities: usize,
    pub(crate) queries: usize,
}

/// Running workers; dropping them kills them.
pub(crate) struct Workers {
    pub(crate) work: Arc<Mutex<Work>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A worker that caches the runs that it works on polls at a queue of its own too.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerOptions {
    pub(crate) sticky_queue: Option<String>,
}

impl Workers {
    /// So many workflow workers and so many activity workers.
    pub(crate) fn start(node: &Node, workflow_workers: usize, activity_workers: usize) -> Self {
        Self::start_with(node, workflow_workers, activity_workers, WorkerOptions::default())
    }

    pub(crate) fn start_with(
        node: &Node,
        workflow_workers: usize,
        activity_workers: usize,
        options: WorkerOptions,
    ) -> Self {
        let work = Arc::new(Mutex::new(Work::default()));
        let mut tasks = Vec::new();
        for number in 0..workflow_workers {
            let worker = Worker::new(node, number, &work, &options);
            tasks.push(tokio::spawn(worker.clone().run_workflows(QUEUE.to_owned(), false)));
            if let Some(sticky_queue) = options.sticky_queue.clone() {
                tasks.push(tokio::spawn(worker.run_workflows(sticky_queue, true)));
            }
        }
        for number in 0..activity_workers {
            let worker = Worker::new(node, number, &work, &options);
            tasks.push(tokio::spawn(worker.run_activities()));
        }
        Self { work, tasks }
    }
}

type Cache = Arc<Mutex<BTreeMap<RunId, Vec<HistoryEvent>>>>;

#[derive(Clone)]
struct Worker {
    node: Node,
    identity: String,
    work: Arc<Mutex<Work>>,
    options: WorkerOptions,
    cache: Cache,
}

impl Worker {
    fn new(node: &Node, number: usize, work: &Arc<Mutex<Work>>, options: &WorkerOptions) -> Self {
        Self {
            node: node.clone(),
            identity: format!("worker {number}"),
            work: Arc::clone(work),
            options: options.clone(),
            cache: Cache::default(),
        }
    }

    async fn run_workflows(self, queue: String, on_sticky_queue: bool) {
        let key = TaskQueueKey::workflow(self.node.namespace.id, queue.as_str());
        loop {
            let request = self.poll_request();
            let request_id = request.request_id.clone();
            let polled = self.node.matching.poll(&key, request).await.unwrap();
            match polled.matched {
                Matched::Started(Delivery::WorkflowTask(delivery)) => {
                    self.work_on(*delivery).await;
                }
                Matched::Ready(Delivery::Query(query)) => self.answer(*query).await,
                Matched::Queued(task) => {
                    let identity = self.identity.clone();
                    let poll = WorkerPoll {
                        request_id,
                        identity,
                        on_sticky_queue,
                        ..WorkerPoll::default()
                    };
                    let started = self
                        .node
                        .history
                        .start_workflow_task(&self.node.permit, &self.node.namespace, &task, poll)
                        .await;
                    match started {
                        Ok(delivery) => self.work_on(delivery).await,
                        Err(HistoryError::Rejected(engine::Rejection::TaskObsolete)) => {}
                        Err(_) => {
                            self.node.sleep(Span::from_millis(20)).await;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    async fn run_activities(self) {
        let key = TaskQueueKey::activity(self.node.namespace.id, QUEUE);
        loop {
            let request = self.poll_request();
            let request_id = request.request_id.clone();
            let polled = self.node.matching.poll(&key, request).await.unwrap();
            match polled.matched {
                Matched::Started(Delivery::Activity(delivery)) => {
                    self.run_activity(*delivery).await
                }
                Matched::Queued(task) => {
                    let identity = self.identity.clone();
                    let poll = WorkerPoll { request_id, identity, ..WorkerPoll::default() };
                    let started = self
                        .node
                        .history
                        .start_activity(&self.node.permit, &self.node.namespace, &task, poll)
                        .await;
                    match started {
                        Ok(delivery) => self.run_activity(delivery).await,
                        Err(HistoryError::Rejected(engine::Rejection::TaskObsolete)) => {}
                        Err(_) => {
                            self.node.sleep(Span::from_millis(20)).await;
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn poll_request(&self) -> PollRequest {
        PollRequest {
            identity: self.identity.clone(),
            request_id: self.node.environment.entropy.uuid_v4().to_string(),
            deadline: self.node.now() + MINUTE,
            ..PollRequest::default()
        }
    }

    async fn work_on(&self, delivery: WorkflowTaskDelivery) {
        let mut next = Some(delivery);
        while let Some(delivery) = next.take() {
            self.work.lock().workflow_tasks += 1;
            let run_id = delivery.run.run_id;
            let Some(history) = self.history_of(&delivery).await else { return };
            let mut commands = script(&delivery.task.workflow_type, &history);
            let (messages, named) = updates::answers(&delivery.task, &history);
            commands.splice(0..0, named);
            let request = CompleteWorkflowTaskRequest {
                input: CompleteWorkflowTask {
                    task: held(&delivery.task),
                    commands,
                    messages,
                    identity: self.identity.clone(),
                    return_new_workflow_task: true,
                    request_id: self.node.environment.entropy.uuid_v4().to_string(),
                    sticky: self.options.sticky_queue.clone().map(|task_queue| Sticky {
                        task_queue,
                        schedule_to_start_timeout: Span::from_secs(5),
                    }),
                    ..CompleteWorkflowTask::default()
                },
                query_results: delivery.queries.keys().map(|id| (id.clone(), result())).collect(),
            };
            self.remember(run_id, history);
            let node = &self.node;
            let completed = node
                .history
                .complete_workflow_task(&node.permit, &node.namespace, &delivery.run, request)
                .await;
            if let Ok(CompletedTask { workflow_task, activity_tasks, .. }) = completed {
                for activity in activity_tasks {
                    let worker = self.clone();
                    tokio::spawn(async move { worker.run_activity(activity).await });
                }
                next = workflow_task;
            }
        }
    }

    /// Caches a history, unless a worker that was faster has cached more of it: an attempt that timed
    /// out may still be at work.
    fn remember(&self, run_id: RunId, history: Vec<HistoryEvent>) {
        let mut cache = self.cache.lock();
        if cache.get(&run_id).is_none_or(|known| known.len() < history.len()) {
            cache.insert(run_id, history);
        }
    }

    /// The run's history: what the delivery has, after what the worker has cached.
    async fn history_of(&self, delivery: &WorkflowTaskDelivery) -> Option<Vec<HistoryEvent>> {
        let mut history = if delivery.task.history_from > 1 {
            // The workers share a sticky queue and no cache: another one may have got further.
            let reaches = usize::try_from(delivery.task.history_from - 1).unwrap();
            let cached = self.cache.lock().get(&delivery.run.run_id).cloned();
            let cached = cached.filter(|cached| cached.len() >= reaches).map(|mut cached| {
                cached.truncate(reaches);
                cached
            });
            match cached {
                // What came with a task that left no trace comes again.
                Some(mut cached) => {
                    cached.retain(|event| event.event_id < delivery.task.history_from);
                    cached
                }
                None => {
                    let mut all = self.node.events(&delivery.run).await;
                    all.retain(|event| event.event_id < delivery.task.history_from);
                    all
                }
            }
        } else {
            Vec::new()
        };
        let mut page = delivery.history.clone();
        loop {
            history.extend(page.batches.into_iter().flat_map(decode));
            let Some(from) = page.next_event_id else { break };
            let node = &self.node;
            let read = node
                .history
                .read_history(&node.permit, &node.namespace, &delivery.run, from..i64::MAX, 256)
                .await;
            page = read.ok()?;
        }
        history.retain(|event| event.event_id <= delivery.task.history_through);
        let ids: Vec<i64> = history.iter().map(|event| event.event_id).collect();
        let expected: Vec<i64> = (1..=delivery.task.history_through).collect();
        assert_eq!(ids, expected, "a delivered history has gaps");
        history.extend(delivery.task.transient_events.iter().cloned());
        Some(history)
    }

    async fn run_activity(&self, delivery: ActivityDelivery) {
        self.work.lock().activities += 1;
        let run = &delivery.run;
        let execution = Execution::run(run.workflow.workflow_id.clone(), run.run_id);
        let complete = CompleteActivity {
            activity: HeldActivity::Token {
                scheduled_event_id: delivery.activity.scheduled_event_id,
                attempt: delivery.activity.attempt,
            },
            result: Some(payloads("done")),
            identity: self.identity.clone(),
        };
        let node = &self.node;
        loop {
            let completed = node
                .history
                .complete_activity(&node.permit, &node.namespace, &execution, complete.clone())
                .await;
            match completed {
                Ok(()) | Err(HistoryError::Rejected(_)) => return,
                Err(_) => node.sleep(Span::from_millis(20)).await,
            }
        }
    }

    async fn answer(&self, query: QueryDelivery) {
        self.work.lock().queries += 1;
        let node = &self.node;
        let answer = QueryAnswer::Answered(Some(payloads("answer")));
        node.history.respond_query(&node.permit, &query.query_id, answer);
    }
}

pub(crate) fn held(task: &StartedWorkflowTask) -> HeldWorkflowTask {
    HeldWorkflowTask {
        scheduled_event_id: task.scheduled_event_id,
        started_event_id: task.started_event_id,
        attempt: task.attempt,
        started_time: task.started_time,
    }
}

pub(crate) fn payloads(text: &str) -> Payloads {
    Payloads { payloads: vec![Payload { data: text.to_owned().into(), ..Default::default() }] }
}

fn result() -> WorkflowQueryResult {
    WorkflowQueryResult {
        result_type: QueryResultType::Answered as i32,
        answer: Some(payloads("answer")),
        ..Default::default()
    }
}

/// What a workflow does next: `empty`, `activity`, `activities N`, `timer SECONDS`, `timers N`,
/// `signals N`, `updates`; `parent N` waits for so many children, `leaver POLICY` leaves one behind,
/// `keeper` waits for one that is terminated, `sender N` signals `other` so often and asks it to
/// cancel.
fn script(workflow_type: &str, history: &[HistoryEvent]) -> Vec<Command> {
    let count = |event_type: EventType| {
        history.iter().filter(|event| event.event_type() == event_type).count()
    };
    let (name, number) = workflow_type.split_once(' ').unwrap_or((workflow_type, "1"));
    let number: usize = number.parse().unwrap();
    let first = count(EventType::WorkflowTaskCompleted) == 0;
    let (done, commands): (bool, Vec<Command>) = match name {
        "empty" => (true, Vec::new()),
        "activity" | "activities" => (
            count(EventType::ActivityTaskCompleted) == number,
            (0..number)
                .map(|activity| schedule_activity(&format!("activity {activity}")))
                .collect(),
        ),
        "timer" => (
            count(EventType::TimerFired) == 1,
            vec![start_timer("timer", Span::from_secs(i64::try_from(number).unwrap()))],
        ),
        "timers" => (
            count(EventType::TimerFired) == number,
            (1..=number)
                .map(|timer| {
                    let seconds = i64::try_from(timer).unwrap();
                    start_timer(&format!("timer {timer}"), Span::from_secs(seconds))
                })
                .collect(),
        ),
        // The first signal is for the updates that wait.
        "updates" => (count(EventType::WorkflowExecutionSignaled) >= 2, Vec::new()),
        "signals" => (count(EventType::WorkflowExecutionSignaled) >= number, Vec::new()),
        "parent" => (
            count(EventType::ChildWorkflowExecutionCompleted) == number,
            (0..number).map(|child| start_child(&child_id(history, child), "empty", 0)).collect(),
        ),
        "leaver" => (
            count(EventType::ChildWorkflowExecutionStarted) == 1,
            vec![start_child(&child_id(history, 0), "signals 1", i32::try_from(number).unwrap())],
        ),
        "keeper" => (
            count(EventType::ChildWorkflowExecutionTerminated) == 1,
            vec![start_child(&child_id(history, 0), "signals 1", 0)],
        ),
        "sender" => (
            count(EventType::ExternalWorkflowExecutionSignaled) == number
                && count(EventType::ExternalWorkflowExecutionCancelRequested) == 1,
            (0..number).map(|_| signal_other()).chain([cancel_other()]).collect(),
        ),
        other => panic!("no script for {other}"),
    };
    if done {
        vec![complete()]
    } else if first {
        commands
    } else {
        Vec::new()
    }
}

pub(crate) fn command(command_type: CommandType, attributes: Attributes) -> Command {
    Command {
        command_type: command_type as i32,
        attributes: Some(attributes),
        ..Default::default()
    }
}

pub(crate) fn complete() -> Command {
    command(
        CommandType::CompleteWorkflowExecution,
        Attributes::CompleteWorkflowExecutionCommandAttributes(
            CompleteWorkflowExecutionCommandAttributes { result: Some(payloads("done")) },
        ),
    )
}

fn schedule_activity(activity_id: &str) -> Command {
    command(
        CommandType::ScheduleActivityTask,
        Attributes::ScheduleActivityTaskCommandAttributes(ScheduleActivityTaskCommandAttributes {
            activity_id: activity_id.to_owned(),
            activity_type: Some(ActivityType { name: "activity".to_owned() }),
            task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..Default::default() }),
            start_to_close_timeout: Some(Span::from_secs(10).to_proto()),
            ..Default::default()
        }),
    )
}

fn start_timer(timer_id: &str, after: Span) -> Command {
    command(
        CommandType::StartTimer,
        Attributes::StartTimerCommandAttributes(StartTimerCommandAttributes {
            timer_id: timer_id.to_owned(),
            start_to_fire_timeout: Some(after.to_proto()),
        }),
    )
}

/// The workflow id of a child by its number.
fn child_id(history: &[HistoryEvent], number: usize) -> String {
    let parent = history.first().and_then(|event| event.attributes.clone());
    match parent {
        Some(Event::WorkflowExecutionStartedEventAttributes(started)) => {
            format!("{} child {number}", started.workflow_id)
        }
        other => panic!("no start: {other:?}"),
    }
}

fn start_child(workflow_id: &str, workflow_type: &str, policy: i32) -> Command {
    let parent_close_policy = ParentClosePolicy::try_from(policy).unwrap() as i32;
    command(
        CommandType::StartChildWorkflowExecution,
        Attributes::StartChildWorkflowExecutionCommandAttributes(
            StartChildWorkflowExecutionCommandAttributes {
                workflow_id: workflow_id.to_owned(),
                workflow_type: Some(WorkflowType { name: workflow_type.to_owned() }),
                parent_close_policy,
                ..Default::default()
            },
        ),
    )
}

fn signal_other() -> Command {
    let execution = WorkflowExecution { workflow_id: "other".to_owned(), ..Default::default() };
    command(
        CommandType::SignalExternalWorkflowExecution,
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(
            SignalExternalWorkflowExecutionCommandAttributes {
                execution: Some(execution),
                signal_name: "signal".to_owned(),
                ..Default::default()
            },
        ),
    )
}

fn cancel_other() -> Command {
    command(
        CommandType::RequestCancelExternalWorkflowExecution,
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(
            RequestCancelExternalWorkflowExecutionCommandAttributes {
                workflow_id: "other".to_owned(),
                ..Default::default()
            },
        ),
    )
}
