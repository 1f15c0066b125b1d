use matching::{Matched, OfferRefused, QueueLimits, TaskQueueKind};
use model::Span;

use crate::support::{Bench, matched, queue, queued_id, sleep, task};

fn ready(text: &str) -> Matched<String> {
    Matched::Ready(text.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_query_goes_to_a_poll_that_waits_or_comes() {
    let bench = Bench::new();
    let key = queue("q");
    let deadline = bench.request("").deadline;
    let dispatch = |text: &str| {
        bench.matching.dispatch(&key, TaskQueueKind::Normal, text.to_owned(), deadline).unwrap()
    };
    let poll = bench.start_worker_poll(&key, "worker").await;
    let first = dispatch("first");
    assert_eq!(matched(poll).await, ready("first"));
    assert_eq!(first.withdraw(), None, "a poll has it");
    let _second = dispatch("second");
    bench.matching.offer(&key, TaskQueueKind::Normal, task(1)).unwrap();
    assert_eq!(bench.poll(&key, "worker").await, ready("second"));
    assert_eq!(queued_id(&bench.poll(&key, "worker").await), 1);
}

#[tokio::test(start_paused = true)]
async fn a_query_that_nobody_waits_for_is_not_delivered() {
    let bench = Bench::new();
    let key = queue("q");
    let now = bench.request("").deadline - Span::from_secs(60);
    let dispatch = |text: &str, seconds| {
        let deadline = now + Span::from_secs(seconds);
        bench.matching.dispatch(&key, TaskQueueKind::Normal, text.to_owned(), deadline).unwrap()
    };
    drop(dispatch("dropped", 10));
    let _late = dispatch("late", 5);
    let elsewhere = dispatch("elsewhere", 100);
    sleep(5_000).await;
    assert_eq!(elsewhere.withdraw().as_deref(), Some("elsewhere"));
    assert_eq!(bench.poll(&key, "worker").await, Matched::Empty);
}

#[tokio::test(start_paused = true)]
async fn a_query_on_its_way_to_a_dropped_poll_goes_to_the_next() {
    let bench = Bench::new();
    let key = queue("q");
    let deadline = bench.request("").deadline;
    let first = bench.start_worker_poll(&key, "first").await;
    let second = bench.start_worker_poll(&key, "second").await;
    let dispatched =
        bench.matching.dispatch(&key, TaskQueueKind::Normal, "query".to_owned(), deadline);
    let _ticket = dispatched.unwrap();
    first.abort();
    assert!(first.await.is_err());
    assert_eq!(matched(second).await, ready("query"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_query_comes_back() {
    let bench = Bench::with_queue_limits(QueueLimits { ready_max: 1, ..QueueLimits::default() });
    let deadline = bench.request("").deadline;
    let dispatch = |kind| bench.matching.dispatch(&queue("q"), kind, "query".to_owned(), deadline);
    let (refused, item) = dispatch(TaskQueueKind::Sticky).unwrap_err();
    assert_eq!((refused, item.as_str()), (OfferRefused::StickyWorkerGone, "query"));
    let _ticket = dispatch(TaskQueueKind::Normal).unwrap();
    let (refused, item) = dispatch(TaskQueueKind::Normal).unwrap_err();
    assert_eq!((refused, item.as_str()), (OfferRefused::Full, "query"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_counts_as_recent_for_twenty_seconds() {
    let bench = Bench::new();
    let key = queue("q");
    assert!(!bench.matching.has_recent_poller(&key));
    bench.poll(&key, "worker").await;
    sleep(19_999).await;
    assert!(bench.matching.has_recent_poller(&key));
    sleep(1).await;
    assert!(!bench.matching.has_recent_poller(&key));
}
