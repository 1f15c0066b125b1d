use matching::{Matched, PriorityKey, RESERVATION_GRACE, TaskQueueKind};

use crate::support::{Bench, matched, queue, queued_id, sleep, started, task, task_of_priority};

const ANY: PriorityKey = PriorityKey::FIRST;

#[tokio::test(start_paused = true)]
async fn a_fulfilled_reservation_hands_the_task_over() {
    let bench = Bench::new();
    let key = queue("q");
    assert!(bench.matching.reserve(&key, ANY).is_none());
    let poll = bench.start_worker_poll(&key, "worker").await;
    let reservation = bench.matching.reserve(&key, ANY).unwrap();
    assert_eq!(reservation.identity(), "worker");
    assert_eq!(reservation.request_id(), "worker-request");
    assert!(bench.matching.reserve(&key, ANY).is_none(), "one poll, one reservation");
    reservation.fulfil("task".to_owned()).unwrap();
    assert_eq!(matched(poll).await, started("task"));
    let stats = bench.matching.describe(&key).unwrap().stats;
    assert!(stats.tasks_add_rate > 0.0 && stats.tasks_dispatch_rate > 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_reservation_puts_the_poll_back_in_its_place() {
    let bench = Bench::new();
    let key = queue("q");
    let first = bench.start_worker_poll(&key, "first").await;
    let second = bench.start_worker_poll(&key, "second").await;
    drop(bench.matching.reserve(&key, ANY).unwrap());
    let again = bench.matching.reserve(&key, ANY).unwrap();
    assert_eq!(again.identity(), "first");
    again.fulfil("task".to_owned()).unwrap();
    assert_eq!(matched(first).await, started("task"));
    assert_eq!(matched(second).await, Matched::Empty);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_comes_back_gets_what_was_offered_meanwhile() {
    let bench = Bench::new();
    let key = queue("q");
    let poll = bench.start_worker_poll(&key, "worker").await;
    let reservation = bench.matching.reserve(&key, ANY).unwrap();
    bench.matching.offer(&key, TaskQueueKind::Normal, task(9)).unwrap();
    drop(reservation);
    assert_eq!(queued_id(&matched(poll).await), 9);
}

#[tokio::test(start_paused = true)]
async fn a_reserved_poll_does_not_time_out() {
    let bench = Bench::new();
    let key = queue("q");
    let poll = bench.start_worker_poll(&key, "worker").await;
    sleep(59_900).await;
    let reservation = bench.matching.reserve(&key, ANY).unwrap();
    sleep(600).await;
    reservation.fulfil("late".to_owned()).unwrap();
    assert_eq!(matched(poll).await, started("late"));
}

#[tokio::test(start_paused = true)]
async fn a_reserved_poll_waits_less_than_a_second_past_its_deadline() {
    let bench = Bench::new();
    let key = queue("q");
    let poll = bench.start_worker_poll(&key, "worker").await;
    let reservation = bench.matching.reserve(&key, ANY).unwrap();
    assert_eq!(matched(poll).await, Matched::Empty);
    assert_eq!(bench.millis(), 60_000 + RESERVATION_GRACE.millis());
    assert_eq!(reservation.fulfil("too late".to_owned()), Err("too late".to_owned()));
    assert_eq!(bench.matching.totals().pollers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_poll_whose_time_is_over_is_answered_when_its_reservation_is_dropped() {
    let bench = Bench::new();
    let key = queue("q");
    let poll = bench.start_worker_poll(&key, "worker").await;
    let reservation = bench.matching.reserve(&key, ANY).unwrap();
    sleep(60_100).await;
    drop(reservation);
    assert_eq!(matched(poll).await, Matched::Empty);
    assert_eq!(bench.millis(), 60_100);
}

#[tokio::test(start_paused = true)]
async fn a_reservation_of_a_dropped_poll_gives_the_task_back() {
    let bench = Bench::new();
    let key = queue("q");
    let poll = bench.start_worker_poll(&key, "worker").await;
    let reservation = bench.matching.reserve(&key, ANY).unwrap();
    poll.abort();
    assert!(poll.await.is_err());
    assert_eq!(reservation.fulfil("task".to_owned()), Err("task".to_owned()));
    assert_eq!(bench.matching.totals().pollers, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_new_overtakes_a_backlog_of_its_priority() {
    let bench = Bench::new();
    let key = queue("q");
    bench.limit(&key, Some(0.0));
    let _poll = bench.start_worker_poll(&key, "worker").await;
    bench.matching.offer(&key, TaskQueueKind::Normal, task_of_priority(1, 3)).unwrap();
    // The first token that comes belongs to a task that is more urgent, or to the backlog.
    bench.limit(&key, Some(1.0));
    sleep(999).await;
    assert!(bench.matching.reserve(&key, PriorityKey::from_proto(3)).is_none());
    bench.clock.jump(1_000_000);
    assert!(bench.matching.reserve(&key, PriorityKey::from_proto(4)).is_none());
    assert!(bench.matching.reserve(&key, PriorityKey::from_proto(2)).is_some());
}
