//! Standalone activities: what they cost, crashes, backlogs, and ids that are used again.

use std::sync::Arc;

use api::{
    activity::v1::activity_execution_outcome::Value,
    common::v1::{ActivityType, Payload, Payloads, RetryPolicy},
    enums::v1::ActivityExecutionStatus as Status,
    failure::v1::Failure,
    history::v1::ActivityTaskScheduledEventAttributes,
    taskqueue::v1::TaskQueue,
};
use environment::Environment;
use history::{
    Config, Delivery, EntityError, EntityView, History, StandaloneActivityDelivery, WorkerPoll,
};
use matching::{Matched, PollRequest, TaskQueueKey};
use model::{RunId, Span};
use standalone_activity::{
    Complete, Fail, Held, Input, Rejection, Reply, StandaloneActivity, Start, State, Terminate,
};
use storage::{Store, Table};
use storage_memory::MemoryStore;
use tokio::task::JoinHandle;
use visibility_query::{Comparison, Condition, Predicate, SystemAttribute, Test, Value as Operand};

use crate::support::{BASE, MINUTE, Node, QUEUE, Settings, probe::Probe};

fn start(request_id: &str) -> Start {
    let duration = |seconds| Some(Span::from_secs(seconds).to_proto());
    let scheduled = ActivityTaskScheduledEventAttributes {
        activity_type: Some(ActivityType { name: "echo".to_owned() }),
        task_queue: Some(TaskQueue { name: QUEUE.to_owned(), ..TaskQueue::default() }),
        start_to_close_timeout: duration(5),
        retry_policy: Some(RetryPolicy {
            initial_interval: duration(1),
            backoff_coefficient: 1.0,
            ..RetryPolicy::default()
        }),
        ..ActivityTaskScheduledEventAttributes::default()
    };
    Start { request_id: request_id.to_owned(), scheduled, ..Start::default() }
}

async fn ask(
    node: &Node,
    id: &str,
    instance: Option<RunId>,
    input: Input,
) -> Result<Reply, EntityError<Rejection>> {
    let (permit, namespace) = (&node.permit, &node.namespace);
    let history = &node.history;
    history.request_instance::<StandaloneActivity>(permit, namespace, id, instance, input).await
}

async fn begin(node: &Node, id: &str, request_id: &str) -> RunId {
    let mut start = start(request_id);
    start.scheduled.activity_id = id.to_owned();
    match ask(node, id, None, Input::Start(Box::new(start))).await.unwrap() {
        Reply::Started { instance, .. } => instance,
        other => panic!("{other:?}"),
    }
}

async fn read(
    node: &Node,
    id: &str,
    instance: Option<RunId>,
) -> Option<EntityView<StandaloneActivity>> {
    node.history.read_instance(&node.permit, &node.namespace, id, instance).await.unwrap()
}

async fn closed(node: &Node, id: &str) -> State {
    let waiting = node.history.await_instance::<StandaloneActivity>(
        &node.permit,
        &node.namespace,
        id,
        None,
        |state| !state.is_open(),
    );
    waiting.await.unwrap().unwrap().state().unwrap().clone()
}

/// A worker that fails the first attempt of activities whose id begins with "fails".
fn worker(node: &Node) -> JoinHandle<()> {
    let node = node.clone();
    tokio::spawn(async move {
        let mut polls = 0;
        loop {
            polls += 1;
            if let Some(started) = poll(&node, &format!("poll {polls}")).await {
                answer(&node, started).await;
            }
        }
    })
}

async fn poll(node: &Node, request_id: &str) -> Option<StandaloneActivityDelivery> {
    let identity = "worker".to_owned();
    let request_id = format!("{request_id} {}", node.now().nanos());
    let request = PollRequest {
        identity: identity.clone(),
        request_id: request_id.clone(),
        deadline: node.now() + MINUTE,
        ..PollRequest::default()
    };
    let key = TaskQueueKey::activity(node.namespace.id, QUEUE);
    let polled = node.matching.poll(&key, request).await.unwrap();
    let delivery = match polled.matched {
        Matched::Started(delivery) => delivery,
        Matched::Queued(task) => {
            assert!(History::is_of_entity(&task));
            let poll = WorkerPoll { request_id, identity, ..WorkerPoll::default() };
            let taken =
                node.history.take_entity_task(&node.permit, &node.namespace, &task, poll).await;
            taken.ok()?
        }
        _ => return None,
    };
    let Delivery::StandaloneActivity(started) = delivery else { panic!("{delivery:?}") };
    Some(*started)
}

async fn answer(node: &Node, started: StandaloneActivityDelivery) {
    let id = started.activity.scheduled.activity_id.clone();
    let held = Held::Token { attempt: started.activity.attempt, stamp: started.stamp };
    let identity = "worker".to_owned();
    let input = if id.starts_with("fails") && started.activity.attempt == 1 {
        let failure = Some(Failure { message: "oops".to_owned(), ..Failure::default() });
        Input::Fail(Box::new(Fail { held, failure, last_heartbeat_details: None, identity }))
    } else {
        let result = Some(result(&started));
        Input::Complete(Complete { held, result, identity })
    };
    // A store that dies answers nothing: the attempt times out.
    let _answer = ask(node, &id, Some(started.run_id), input).await;
}

fn result(started: &StandaloneActivityDelivery) -> Payloads {
    let data = started.activity.attempt.to_string().into();
    Payloads { payloads: vec![Payload { data, ..Payload::default() }] }
}

fn attempt_of(state: &State) -> String {
    let outcome = state.outcome.as_ref().unwrap();
    let Some(Value::Result(result)) = &outcome.value else { panic!("{outcome:?}") };
    String::from_utf8(result.payloads[0].data.to_vec()).unwrap()
}

async fn listed(node: &Node) -> u64 {
    // The index hears of a commit after those who wait for it.
    node.sleep(Span::from_millis(100)).await;
    let filter = Predicate::Condition(Condition {
        attribute: SystemAttribute::TemporalNamespaceDivision.into(),
        test: Test::Compare(
            Comparison::Equal,
            Operand::String(standalone_activity::DIVISION.to_owned()),
        ),
    });
    node.visibility.count(node.namespace.id, &filter).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_standalone_activity_takes_two_commits_when_a_worker_waits() {
    let environment = Environment::simulated(BASE, 7);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    let worker = worker(&node);
    node.sleep(Span::from_millis(10)).await;
    store.take_counts();
    begin(&node, "echo", "start").await;
    let state = closed(&node, "echo").await;
    assert_eq!(state.status(), Status::Completed);
    let counts = store.take_counts();
    println!("standalone activity: {counts:?}");
    assert_eq!(counts.batches, 2);
    let rows = |table| counts.rows.iter().find(|(counted, _)| *counted == table).unwrap().1;
    // A pointer and two states; a time-out and the retention timer, and two changes of the index.
    assert_eq!((rows(Table::Entity), rows(Table::Task)), (3, 4));
    assert_eq!((counts.reads, counts.scans), (1, 0));
    assert!(counts.bytes < 900, "{} bytes", counts.bytes);
    node.sleep(MINUTE).await;
    assert_eq!(store.take_counts().batches, 0, "an idle node works");
    worker.abort();
}

#[tokio::test(start_paused = true)]
async fn activities_that_nobody_waits_for_are_taken_from_the_backlog() {
    let environment = Environment::simulated(BASE, 7);
    let store = Arc::new(Probe::new(MemoryStore::new()));
    let node = Node::open(Arc::clone(&store) as _, &environment).await;
    for number in 0..20 {
        begin(&node, &format!("fails {number}"), "start").await;
    }
    let worker = worker(&node);
    for number in 0..20 {
        let state = closed(&node, &format!("fails {number}")).await;
        assert_eq!((state.status(), attempt_of(&state).as_str()), (Status::Completed, "2"));
    }
    assert_eq!(listed(&node).await, 20);
    worker.abort();
}

/// Runs activities on a store that dies with its n-th batch, and goes on with another node on what
/// the store then has. Returns false once the store outlives them.
async fn crash_after(batches: usize, swallow_last: bool) -> bool {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let dying = Arc::new(Probe::dying(memory.reopened(), batches, swallow_last));
    let node = Node::open(Arc::clone(&dying) as _, &environment).await;
    let before = {
        let node = node.clone();
        tokio::spawn(async move {
            begin(&node, "early", "start").await;
            let worker = worker(&node);
            begin(&node, "fails", "start").await;
            node.sleep(Span::from_secs(30)).await;
            worker.abort();
        })
    };
    node.sleep(Span::from_secs(40)).await;
    let died = dying.is_dead();
    before.abort();
    node.abandon().await;

    let node = Node::open(Arc::new(memory), &environment).await;
    let worker = worker(&node);
    // What was acknowledged goes on; what was not is asked for again, under the same request id.
    for id in ["early", "fails"] {
        let started = begin(&node, id, "start").await;
        assert_eq!(read(&node, id, None).await.unwrap().instance, started);
        let state = closed(&node, id).await;
        assert_eq!(state.status(), Status::Completed);
        let most = if id == "fails" { 3 } else { 2 };
        assert!(attempt_of(&state).parse::<i32>().unwrap() <= most);
    }
    assert_eq!(listed(&node).await, 2);
    worker.abort();
    died
}

#[tokio::test(start_paused = true)]
async fn a_standalone_activity_survives_a_crash_at_every_commit() {
    for swallow_last in [false, true] {
        let mut batches = 1;
        while crash_after(batches, swallow_last).await {
            batches += 1;
            assert!(batches < 50);
        }
        assert!(batches > 6, "the store outlived the activities after {batches} batches");
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_leads_to_its_last_activity_and_the_earlier_ones_are_found_by_their_own() {
    let environment = Environment::simulated(BASE, 7);
    let memory = MemoryStore::new();
    let retention = Span::from_secs(1000);
    let settings = Settings { retention, ..Settings::default() };
    let node = Node::open_with(Arc::new(memory.reopened()), &environment, settings.clone()).await;
    let first = begin(&node, "again", "one").await;
    let terminate = || Input::Terminate(Terminate::default());
    ask(&node, "again", None, terminate()).await.unwrap();
    node.sleep(Span::from_secs(500)).await;
    let second = begin(&node, "again", "two").await;
    assert_ne!(first, second);
    assert_eq!(begin(&node, "again", "two").await, second);
    assert_eq!(listed(&node).await, 2);
    node.abandon().await;

    let node = Node::open_with(Arc::new(memory), &environment, settings).await;
    let status = async |instance| {
        let view = read(&node, "again", instance).await;
        view.map(|view| (view.instance, view.state().unwrap().status()))
    };
    assert_eq!(status(Some(first)).await, Some((first, Status::Terminated)));
    assert_eq!(status(None).await, Some((second, Status::Running)));
    assert_eq!(read(&node, "other", Some(first)).await.map(|view| view.instance), None);
    // The first is forgotten; the id stays with the second.
    node.sleep(Span::from_secs(600)).await;
    assert_eq!(status(Some(first)).await, None);
    assert_eq!(status(None).await, Some((second, Status::Running)));
    ask(&node, "again", Some(second), Input::Delete).await.unwrap();
    assert_eq!(status(None).await, None);
    assert_eq!(listed(&node).await, 0);
    let refused = ask(&node, "again", None, terminate()).await.unwrap_err();
    assert!(matches!(refused, EntityError::Rejected(Rejection::NotFound)));
}

#[tokio::test(start_paused = true)]
async fn activities_leave_a_full_cache_and_come_back() {
    let environment = Environment::simulated(BASE, 7);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let config = Config { cache_bytes_max: 64 * 1024, ..Config::default() };
    let settings = Settings { config, ..Settings::default() };
    let node = Node::open_with(store, &environment, settings).await;
    for number in 0..200 {
        begin(&node, &format!("activity {number}"), "start").await;
    }
    let (cached, _) = node.history.cache_usage();
    assert!(cached < 100, "{cached}");
    let worker = worker(&node);
    for number in 0..200 {
        assert_eq!(closed(&node, &format!("activity {number}")).await.status(), Status::Completed);
    }
    worker.abort();
}
