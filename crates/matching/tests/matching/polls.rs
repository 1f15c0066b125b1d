use matching::{Matched, MatchingLimits, PollRefused, PollRequest, QueueLimits, TaskQueueKind};
use model::{Span, Time};

use crate::support::{Bench, matched, queue, queued_id, sleep, task};

#[tokio::test(start_paused = true)]
async fn a_poll_is_answered_empty_at_its_deadline() {
    let bench = Bench::new();
    assert_eq!(bench.poll(&queue("q"), "worker").await, Matched::Empty);
    assert_eq!(bench.millis(), 60_000);
    assert_eq!(bench.matching.totals().pollers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_the_past_still_takes_what_is_there() {
    let bench = Bench::new();
    let late = PollRequest { deadline: Time::UNSET, ..bench.request("worker") };
    let empty = bench.matching.poll(&queue("q"), late.clone()).await.unwrap();
    assert_eq!(empty.matched, Matched::Empty);
    bench.matching.offer(&queue("q"), TaskQueueKind::Normal, task(1)).unwrap();
    let polled = bench.matching.poll(&queue("q"), late).await.unwrap();
    assert_eq!(queued_id(&polled.matched), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_poll_leaves_at_once() {
    let bench = Bench::new();
    let poll = bench.start_worker_poll(&queue("q"), "worker").await;
    assert_eq!(bench.matching.totals().pollers, 1);
    poll.abort();
    assert!(poll.await.unwrap_err().is_cancelled());
    assert_eq!(bench.matching.totals().pollers, 0);
    assert!(bench.matching.reserve(&queue("q"), Default::default()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_was_on_its_way_to_a_dropped_poll_goes_to_the_next() {
    let bench = Bench::new();
    let key = queue("q");
    let first = bench.start_worker_poll(&key, "first").await;
    let second = bench.start_worker_poll(&key, "second").await;
    bench.matching.offer(&key, TaskQueueKind::Normal, task(1)).unwrap();
    // The first poll has the task in its hands, and does not get to look at it.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(queued_id(&matched(second).await), 1);
    assert_eq!(bench.millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_poll_that_waits_longest_is_served_first() {
    let bench = Bench::new();
    let key = queue("q");
    let first = bench.start_worker_poll(&key, "first").await;
    sleep(10).await;
    let second = bench.start_worker_poll(&key, "second").await;
    for id in [1, 2] {
        bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).unwrap();
    }
    assert_eq!(queued_id(&matched(first).await), 1);
    assert_eq!(queued_id(&matched(second).await), 2);
}

#[tokio::test(start_paused = true)]
async fn queues_of_other_names_types_and_namespaces_share_nothing() {
    let bench = Bench::new();
    let key = queue("q");
    let mut activities = key.clone();
    activities.task_type = matching::TaskQueueType::Activity;
    let mut elsewhere = key.clone();
    elsewhere.namespace_id = Default::default();
    for other in [queue("r"), activities, elsewhere] {
        bench.matching.offer(&other, TaskQueueKind::Normal, task(1)).unwrap();
    }
    assert_eq!(bench.poll(&key, "worker").await, Matched::Empty);
    assert_eq!(bench.matching.totals().backlog, 3);
}

#[tokio::test(start_paused = true)]
async fn too_many_polls_and_too_many_queues_are_refused() {
    let queue_limits = QueueLimits { pollers_max: 2, ..QueueLimits::default() };
    let limits = MatchingLimits { queues_max: 2, queue: queue_limits, ..MatchingLimits::default() };
    let bench = Bench::with_limits(limits);
    let _first = bench.start_worker_poll(&queue("q"), "a").await;
    let _second = bench.start_worker_poll(&queue("q"), "b").await;
    let refused = bench.matching.poll(&queue("q"), bench.request("c")).await;
    assert_eq!(refused, Err(PollRefused::TooManyPollers));
    let _third = bench.start_worker_poll(&queue("r"), "a").await;
    let refused = bench.matching.poll(&queue("s"), bench.request("a")).await;
    assert_eq!(refused, Err(PollRefused::TooManyQueues));
}

#[tokio::test(start_paused = true)]
async fn queues_that_nobody_uses_are_forgotten() {
    let bench = Bench::new();
    for number in 0..100 {
        let request = PollRequest { deadline: Time::UNSET, ..bench.request("worker") };
        bench.matching.poll(&queue(&format!("q{number}")), request).await.unwrap();
    }
    assert_eq!(bench.matching.totals().queues, 100);
    let waiting = PollRequest {
        deadline: bench.request("worker").deadline + Span::from_secs(3600),
        ..bench.request("worker")
    };
    let _waiting = bench.start_poll(&queue("waiting"), waiting).await;
    sleep(10 * 60_000).await;
    for number in 0..200 {
        let request = PollRequest { deadline: Time::UNSET, ..bench.request("worker") };
        bench.matching.poll(&queue(&format!("r{number}")), request).await.unwrap();
    }
    let left = bench.matching.totals();
    assert!((201..215).contains(&left.queues), "{left:?}");
    assert_eq!(left.pollers, 1);
}

#[tokio::test(start_paused = true)]
async fn pollers_and_statistics_are_described() {
    let bench = Bench::new();
    let key = queue("q");
    assert_eq!(bench.matching.describe(&key), None);
    let request = PollRequest { max_tasks_per_second: Some(7.5), ..bench.request("worker") };
    let poll = bench.start_poll(&key, request).await;
    for id in 1..=3 {
        bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).unwrap();
    }
    let polled = poll.await.unwrap().unwrap();
    assert_eq!(polled.backlog_count_hint, 2);
    sleep(2000).await;
    let described = bench.matching.describe(&key).unwrap();
    assert_eq!(described.pollers.len(), 1);
    assert_eq!(described.pollers[0].identity, "worker");
    assert_eq!(described.pollers[0].rate_per_second, 7.5);
    assert_eq!(described.stats.approximate_backlog_count, 2);
    assert_eq!(described.stats.tasks_add_rate, 1.5);
    assert_eq!(described.stats.tasks_dispatch_rate, 0.5);
    assert_eq!(described.rate_limit.tasks_per_second, 7.5);
    assert_eq!(described.stats_by_priority.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_backlog_asks_for_more_polls_and_a_long_wait_for_fewer() {
    let bench = Bench::new();
    let key = queue("q");
    for id in 1..=2 {
        bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).unwrap();
    }
    sleep(300).await;
    let polled = bench.matching.poll(&key, bench.request("worker")).await.unwrap();
    assert_eq!(polled.poller_delta, Some(1));
    bench.poll(&key, "worker").await;
    let poll = bench.start_worker_poll(&key, "worker").await;
    sleep(1500).await;
    bench.matching.offer(&key, TaskQueueKind::Normal, task(3)).unwrap();
    assert_eq!(poll.await.unwrap().unwrap().poller_delta, Some(-1));
}
