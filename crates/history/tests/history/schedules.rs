//! Schedules: the entity runtime with crashes, evictions and deletions.

use std::sync::Arc;

use api::{
    common::v1::WorkflowType,
    enums::v1::{ScheduleOverlapPolicy, WorkflowExecutionStatus},
    schedule::v1::{
        IntervalSpec, Schedule as Plan, ScheduleAction, SchedulePatch, SchedulePolicies,
        ScheduleSpec, TriggerImmediatelyRequest, schedule_action::Action,
    },
    taskqueue::v1::TaskQueue,
    workflow::v1::NewWorkflowExecutionInfo,
};
use environment::Environment;
use history::{Config, EntityError, Execution, HistoryError, TerminateRequest};
use model::{Span, Time};
use schedule::{Create, Input, Rejection, Reply, Schedule, State};
use storage::{Scan, Store, Table};
use storage_memory::MemoryStore;
use visibility_query::{Comparison, Condition, Predicate, SystemAttribute, Test, Value};

use crate::support::{BASE, Node, QUEUE, Settings, probe::Probe, worker::Workers};

fn plan(workflow_type: &str, every: Span, overlap: ScheduleOverlapPolicy) -> Plan {
    let interval = IntervalSpec { interval: Some(every.to_proto()), phase: None };
    let workflow = NewWorkflowExecutionInfo {
        workflow_id: "scheduled".to_owned(),
        workflow_type: Some(WorkflowType { name: workflow_type.to_owned() }),
        task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..TaskQueue::default() }),
        ..NewWorkflowExecutionInfo::default()
    };
    Plan {
        spec: Some(ScheduleSpec { interval: vec![interval], ..ScheduleSpec::default() }),
        action: Some(ScheduleAction { action: Some(Action::StartWorkflow(workflow)) }),
        policies: Some(SchedulePolicies {
            overlap_policy: overlap as i32,
            ..SchedulePolicies::default()
        }),
        ..Plan::default()
    }
}

async fn ask(node: &Node, input: Input) -> Result<Reply, EntityError<Rejection>> {
    node.history.request_entity::<Schedule>(&node.permit, &node.namespace, "plan", input).await
}

async fn create(node: &Node, plan: Plan) -> Result<Reply, EntityError<Rejection>> {
    let request_id = "create".to_owned();
    let create = Create { schedule: plan, request_id, ..Create::default() };
    ask(node, Input::Create(Box::new(create))).await
}

async fn state(node: &Node) -> Option<State> {
    let read = node.history.read_entity::<Schedule>(&node.permit, &node.namespace, "plan").await;
    read.unwrap().and_then(|view| view.state().cloned())
}

fn trigger() -> Input {
    let patch = SchedulePatch {
        trigger_immediately: Some(TriggerImmediatelyRequest::default()),
        ..SchedulePatch::default()
    };
    Input::Patch { patch: Box::new(patch), request_id: String::new(), conflict_token: 0 }
}

/// Waits until the schedule has seen so many of its workflows complete.
async fn completed(node: &Node, count: usize) -> State {
    for _ in 0..20_000 {
        let found = state(node).await.unwrap();
        let done = WorkflowExecutionStatus::Completed as i32;
        let statuses = found.recent_actions.iter().map(|action| action.start_workflow_status);
        if statuses.filter(|status| *status == done).count() >= count {
            return found;
        }
        node.sleep(Span::from_millis(100)).await;
    }
    panic!("the schedule does not act: {:?}", state(node).await);
}

async fn listed(node: &Node) -> u64 {
    let filter = Predicate::Condition(Condition {
        attribute: SystemAttribute::TemporalNamespaceDivision.into(),
        test: Test::Compare(Comparison::Equal, Value::String("TemporalScheduler".to_owned())),
    });
    node.visibility.count(node.namespace.id, &filter).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_schedule_starts_a_workflow_at_each_of_its_times() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let _workers = Workers::start(&node, 2, 2);
    create(&node, plan("empty", Span::from_secs(60), ScheduleOverlapPolicy::Skip)).await.unwrap();
    let state = completed(&node, 3).await;
    assert_eq!(state.action_count, 3);
    assert_eq!(state.running_workflows, []);
    let mut expected = BASE.nanos() / 60_000_000_000 * 60;
    for action in &state.recent_actions {
        expected += 60;
        let planned = Time::from_proto(action.schedule_time.as_ref());
        assert_eq!(planned, Time::from_nanos(expected * 1_000_000_000));
        let late = Time::from_proto(action.actual_time.as_ref()).since(planned);
        assert!(late < Span::from_millis(50), "{late:?}");
        let run = action.start_workflow_result.as_ref().unwrap();
        let described = node.describe(&run.workflow_id).await.unwrap();
        assert_eq!(described.run_id, run.run_id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_creation_is_the_same_and_another_is_refused() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let hourly = || plan("empty", Span::from_secs(3600), ScheduleOverlapPolicy::Skip);
    let first = create(&node, hourly()).await.unwrap();
    assert_eq!(create(&node, hourly()).await.unwrap(), first);
    let other = Create { schedule: hourly(), request_id: "other".to_owned(), ..Create::default() };
    let refused = ask(&node, Input::Create(Box::new(other.clone()))).await.unwrap_err();
    assert!(matches!(refused, EntityError::Rejected(Rejection::AlreadyExists)));
    assert_eq!(listed(&node).await, 1);

    ask(&node, Input::Delete).await.unwrap();
    assert_eq!(state(&node).await, None);
    assert_eq!(listed(&node).await, 0);
    let refused = ask(&node, Input::Delete).await.unwrap_err();
    assert!(matches!(refused, EntityError::Rejected(Rejection::NotFound)));
    ask(&node, Input::Create(Box::new(other))).await.unwrap();
    assert_eq!(state(&node).await.unwrap().create_request_id, "other");
    assert_eq!(listed(&node).await, 1);
}

/// Runs a schedule on a store that dies with its n-th batch, and goes on with another node on what
/// the store then has. Returns false once the store outlives it.
async fn crash_after(batches: usize, swallow_last: bool) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = Node::open(Arc::clone(&dying) as _, &environment).await;
    let workers = Workers::start(&node, 2, 2);
    let every = Span::from_secs(60);
    let planned = move || plan("activities 1", every, ScheduleOverlapPolicy::BufferAll);
    let creating = {
        let node = node.clone();
        tokio::spawn(async move { create(&node, planned()).await.is_ok() })
    };
    node.sleep(Span::from_secs(150)).await;
    let died = dying.is_dead();
    creating.abort();
    drop(workers);
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let _workers = Workers::start(&node, 2, 2);
    create(&node, planned()).await.unwrap();
    let state = completed(&node, 3).await;
    // Each time has led to one action, and no workflow is taken for a running one for ever.
    let times: Vec<_> = state.recent_actions.iter().map(|action| action.schedule_time).collect();
    let mut once = times.clone();
    once.dedup();
    assert_eq!(times, once);
    assert!(state.running_workflows.len() <= 1, "{:?}", state.running_workflows);
    assert_eq!(listed(&node).await, 1);
    died
}

#[tokio::test(start_paused = true)]
async fn a_schedule_survives_a_crash_at_every_commit() {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(batches, swallow_last).await {
            batches += 1;
            assert!(batches < 200);
        }
        assert!(batches > 10, "the store outlived the schedule after {batches} batches");
    }
}

#[tokio::test(start_paused = true)]
async fn a_buffered_start_waits_for_the_end_of_the_run_before() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let hourly = plan("empty", Span::from_secs(3600), ScheduleOverlapPolicy::BufferAll);
    create(&node, hourly).await.unwrap();
    for _ in 0..3 {
        ask(&node, trigger()).await.unwrap();
        node.sleep(Span::from_secs(1)).await;
    }
    let waiting = state(&node).await.unwrap();
    assert_eq!(waiting.running_workflows.len(), 1);
    assert_eq!(waiting.buffered_starts.len(), 2);
    let _workers = Workers::start(&node, 2, 2);
    let done = completed(&node, 3).await;
    assert_eq!(done.buffered_starts, []);
    assert_eq!(done.running_workflows, []);
}

#[tokio::test(start_paused = true)]
async fn a_start_does_not_overlap_a_run_whose_end_was_acknowledged() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let hourly = plan("empty", Span::from_secs(3600), ScheduleOverlapPolicy::Skip);
    create(&node, hourly).await.unwrap();
    for count in 1..=10 {
        // Right behind the acknowledgement, before anybody else does anything.
        ask(&node, trigger()).await.unwrap();
        node.sleep(Span::from_secs(1)).await;
        let found = state(&node).await.unwrap();
        assert_eq!((found.action_count, found.overlap_skipped), (count, 0));
        let execution = Execution::current(&found.running_workflows[0].workflow_id);
        let request = TerminateRequest::default();
        let ended =
            node.history.terminate_workflow(&node.permit, &node.namespace, &execution, request);
        ended.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_is_skipped_while_the_run_before_goes_on() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let hourly = plan("empty", Span::from_secs(3600), ScheduleOverlapPolicy::Skip);
    create(&node, hourly).await.unwrap();
    // The second comes while the first is on its way.
    for _ in 0..3 {
        ask(&node, trigger()).await.unwrap();
        ask(&node, trigger()).await.unwrap();
        node.sleep(Span::from_secs(1)).await;
    }
    let found = state(&node).await.unwrap();
    assert_eq!((found.action_count, found.overlap_skipped), (1, 5));
    assert_eq!((found.buffered_starts.len(), found.pending.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_run_still_tells_its_schedule() {
    let environment = Environment::simulated(BASE, 7);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    let hourly = plan("empty", Span::from_secs(3600), ScheduleOverlapPolicy::Skip);
    create(&node, hourly).await.unwrap();
    ask(&node, trigger()).await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    let running = state(&node).await.unwrap().running_workflows.remove(0);
    let execution = Execution::current(running.workflow_id);
    node.history.delete_workflow(&node.permit, &node.namespace, &execution).await.unwrap();
    node.sleep(Span::from_secs(1)).await;
    assert_eq!(state(&node).await.unwrap().running_workflows, []);
}

#[tokio::test(start_paused = true)]
async fn schedules_leave_a_full_cache_and_come_back() {
    let environment = Environment::simulated(BASE, 7);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let cache_bytes_max = 64 * 1024;
    let config = Config { cache_bytes_max, ..Config::default() };
    let settings = Settings { config, ..Settings::default() };
    let node = Node::open_with(store, &environment, settings).await;
    let _workers = Workers::start(&node, 2, 2);
    for number in 0..200 {
        let mut planned = plan("empty", Span::from_secs(600), ScheduleOverlapPolicy::Skip);
        let spec = planned.spec.as_mut().unwrap();
        spec.interval[0].phase = Some(Span::from_secs(3 * number).to_proto());
        let Some(Action::StartWorkflow(workflow)) = &mut planned.action.as_mut().unwrap().action
        else {
            panic!()
        };
        workflow.workflow_id = format!("scheduled {number}");
        let request_id = number.to_string();
        let create = Create { schedule: planned, request_id, ..Create::default() };
        let (id, input) = (format!("plan {number}"), Input::Create(Box::new(create)));
        let asked =
            node.history.request_entity::<Schedule>(&node.permit, &node.namespace, &id, input);
        asked.await.unwrap();
    }
    node.sleep(Span::from_secs(1300)).await;
    let (cached, bytes) = node.history.cache_usage();
    assert!(bytes <= cache_bytes_max, "{bytes} bytes");
    assert!(cached < 100, "{cached}");
    for number in 0..200 {
        let id = format!("plan {number}");
        let read =
            node.history.read_entity::<Schedule>(&node.permit, &node.namespace, &id).await.unwrap();
        assert!(read.unwrap().state().unwrap().action_count >= 2, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_schedule_harms_nothing_else() {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let node = Node::open(Arc::new(memory.reopened()), &environment).await;
    let minutely = plan("empty", Span::from_secs(60), ScheduleOverlapPolicy::Skip);
    create(&node, minutely).await.unwrap();
    node.abandon().await;
    let scan = Scan {
        table: Table::Entity,
        from: bytes::Bytes::new(),
        to: bytes::Bytes::new(),
        reverse: false,
        records_max: 10,
        bytes_max: usize::MAX,
    };
    let records = memory.scan(scan).await.unwrap();
    let states: Vec<_> = records.iter().filter(|record| record.key[2] == 1).collect();
    assert_eq!(states.len(), 1);
    memory.damage(Table::Entity, &states[0].key);

    let node = Node::open(Arc::new(memory), &environment).await;
    let _workers = Workers::start(&node, 2, 2);
    node.sleep(Span::from_secs(120)).await;
    let read = node.history.read_entity::<Schedule>(&node.permit, &node.namespace, "plan").await;
    assert!(matches!(read, Err(HistoryError::Damaged(_))), "{read:?}");
    let started = node.start("empty", "workflow").await.unwrap();
    let status = node.closed(&started.run, Span::from_secs(60)).await;
    assert_eq!(status, WorkflowExecutionStatus::Completed);
}
