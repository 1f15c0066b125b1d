use matching::{
    QueueRoutes, QueueSettings, Route, Routes, TaskQueueKey, TaskQueueKind, WorkerVersion,
};
use model::Time;

use crate::support::{Bench, matched, queue, queued_id, task};

fn version(build_id: &str) -> WorkerVersion {
    WorkerVersion::new("shop", build_id)
}

fn routes(key: &TaskQueueKey, current: &str) -> Routes {
    let mut routes = Routes::default();
    let current = Route { version: Some(version(current)), revision_number: 1 };
    let versions = [version("1"), version("2")].into();
    let queue = QueueRoutes { versions, current, ramping: None, update_time: Time::UNSET };
    routes.set(key, Some(queue));
    routes
}

#[tokio::test(start_paused = true)]
async fn tasks_that_wait_go_back_to_their_slots_when_their_route_changes() {
    let bench = Bench::new();
    let (key, other) = (queue("q"), queue("other"));
    bench.matching.set_routes(routes(&key, "1"));
    let first = key.with_version(Some(version("1")));
    bench.matching.offer(&first, TaskQueueKind::Normal, task(7)).unwrap();
    bench.matching.offer(&other, TaskQueueKind::Normal, task(8)).unwrap();
    bench.matching.set_routes(routes(&key, "2"));
    let drained = bench.matching.next_drained().await;
    assert_eq!(drained.dropped, [(task(7).slot, task(7).scheduled())]);
    assert_eq!(bench.matching.routes().number, 2);
    assert_eq!(bench.matching.totals().backlog, 1, "the other queue keeps its task");
    let target = bench.matching.routes().routes.route(&key, "workflow").version;
    assert_eq!(target, Some(version("2")));
}

#[tokio::test(start_paused = true)]
async fn a_poll_gets_tasks_of_its_version_only() {
    let bench = Bench::new();
    let key = queue("q");
    let first = key.with_version(Some(version("1")));
    let second = key.with_version(Some(version("2")));
    let poll = bench.start_worker_poll(&second, "new").await;
    bench.matching.offer(&first, TaskQueueKind::Normal, task(1)).unwrap();
    bench.matching.offer(&key, TaskQueueKind::Normal, task(2)).unwrap();
    bench.matching.offer(&second, TaskQueueKind::Normal, task(3)).unwrap();
    assert_eq!(queued_id(&matched(poll).await), 3);
    let described = bench.matching.describe_versions(&key);
    let counts: Vec<i64> =
        described.values().map(|found| found.stats.approximate_backlog_count).collect();
    assert_eq!(described.keys().cloned().collect::<Vec<_>>(), [key, first, second]);
    assert_eq!(counts, [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_stops_is_found_whatever_its_version() {
    let bench = Bench::new();
    let key = queue("q");
    let poll = bench.start_worker_poll(&key.with_version(Some(version("1"))), "worker").await;
    assert_eq!(bench.stop("worker", &key), 1);
    assert_eq!(matched(poll).await, matching::Matched::Empty);
}

#[tokio::test(start_paused = true)]
async fn settings_hold_for_versions_that_come_later() {
    let bench = Bench::new();
    let key = queue("q");
    bench.limit(&key, Some(0.0));
    let first = key.with_version(Some(version("1")));
    bench.matching.offer(&first, TaskQueueKind::Normal, task(1)).unwrap();
    let poll = bench.start_worker_poll(&first, "worker").await;
    assert_eq!(bench.matching.totals().backlog, 1);
    bench.matching.configure(&key, QueueSettings::default());
    assert_eq!(queued_id(&matched(poll).await), 1);
}
