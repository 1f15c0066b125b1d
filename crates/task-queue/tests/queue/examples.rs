//! The queue by examples.

use crate::support::{TestPoller, TestQueue, at, matches, poll, poller, task};
use std::ops::Range;

use model::{SlotId, Span, Time};
use task_queue::{
    GaveUp, Match, POLLER_TTL, PollEnd, PriorityKey, QueueLimits, QueueSettings, QueuedTask,
    RateLimitSource, TaskOrder,
};

fn queue() -> TestQueue {
    TestQueue::new(QueueLimits::default(), at(0))
}

fn polls(queue: &mut TestQueue, numbers: Range<u64>, now: Time) {
    for number in numbers {
        poll(queue, poller(number), now);
    }
}

fn small_queue() -> TestQueue {
    let limits = QueueLimits {
        backlog_max: 4,
        backlog_low_water: 2,
        pollers_max: 3,
        ready_max: 2,
        ..QueueLimits::default()
    };
    TestQueue::new(limits, at(0))
}

#[test]
fn the_poll_that_waits_longest_is_served_first() {
    let mut queue = queue();
    for number in 1..=3 {
        poll(&mut queue, poller(number), at(0));
    }
    for id in [10, 11] {
        queue.offer(task(id, 0, at(1)), at(1)).unwrap();
    }
    assert_eq!(matches(&mut queue, at(1)), [(1, 10), (2, 11)]);
    assert_eq!(queue.poller_count(), 1);
}

#[test]
fn a_task_that_is_offered_again_waits_once() {
    let mut queue = queue();
    let again = |row| QueuedTask { task_id: row, ..task(1, 0, at(1)) };
    for row in 1..100 {
        queue.offer(again(row), at(1)).unwrap();
    }
    assert_eq!(queue.stats(at(1)).approximate_backlog_count, 1);
    let mut later = again(1);
    later.order.created = at(5);
    queue.offer(later, at(5)).unwrap();
    queue.offer(task(2, 0, at(3)), at(5)).unwrap();
    queue.offer(QueuedTask { attempt: 2, ..task(2, 0, at(4)) }, at(5)).unwrap();
    for number in 1..5 {
        poll(&mut queue, poller(number), at(6));
    }
    assert_eq!(matches(&mut queue, at(6)), [(1, 2), (2, 2), (3, 1)]);
    queue.offer(again(1), at(7)).unwrap();
    assert_eq!(matches(&mut queue, at(7)), [(4, 1)]);
}

#[test]
fn lower_priority_keys_go_first_and_then_the_older_tasks() {
    let mut queue = queue();
    for (id, priority, created) in [(1, 5, 0), (2, 0, 2), (3, 3, 1), (4, 1, 9), (5, 0, 2)] {
        queue.offer(task(id, priority, at(created)), at(10)).unwrap();
    }
    polls(&mut queue, 0..5, at(10));
    let order: Vec<u64> = matches(&mut queue, at(10)).into_iter().map(|(_, task)| task).collect();
    assert_eq!(order, [4, 3, 2, 5, 1]);
}

#[test]
fn fairness_keys_take_turns_when_fairness_is_on() {
    for (fairness, expected) in [(false, [1, 2, 3, 4]), (true, [1, 4, 2, 3])] {
        let limits = QueueLimits { fairness, ..QueueLimits::default() };
        let mut queue = TestQueue::new(limits, at(0));
        for (id, key) in [(1, "flood"), (2, "flood"), (3, "flood"), (4, "drop")] {
            let mut task = task(id, 0, at(0));
            task.order = TaskOrder { fairness_key: Some(key.into()), ..task.order };
            queue.offer(task, at(0)).unwrap();
        }
        polls(&mut queue, 0..4, at(0));
        let order: Vec<u64> =
            matches(&mut queue, at(0)).into_iter().map(|(_, task)| task).collect();
        assert_eq!(order, expected);
    }
}

#[test]
fn nothing_is_reserved_past_a_backlog_of_the_same_priority() {
    let mut queue = queue();
    queue.set_rate_limit(Some(1.0));
    poll(&mut queue, poller(1), at(0));
    poll(&mut queue, poller(2), at(0));
    poll(&mut queue, poller(3), at(0));
    queue.offer(task(1, 3, at(0)), at(0)).unwrap();
    queue.offer(task(2, 3, at(0)), at(0)).unwrap();
    assert_eq!(matches(&mut queue, at(0)), [(1, 1)]);
    // The second task waits for the rate limit. A later time brings a token.
    let later = at(1000);
    assert_eq!(queue.reserve(PriorityKey::from_proto(3), later), None);
    assert_eq!(queue.reserve(PriorityKey::from_proto(4), later), None);
    assert_eq!(queue.reserve(PriorityKey::from_proto(2), later).unwrap().poller.number, 2);
}

#[test]
fn a_released_poll_is_first_again() {
    let mut queue = queue();
    poll(&mut queue, poller(1), at(0));
    poll(&mut queue, poller(2), at(0));
    let reserved = queue.reserve(PriorityKey::default(), at(0)).unwrap();
    assert_eq!(reserved.poller.number, 1);
    queue.release(reserved, at(5)).unwrap();
    queue.offer(task(7, 0, at(5)), at(5)).unwrap();
    assert_eq!(matches(&mut queue, at(5)), [(1, 7)]);
}

#[test]
fn a_reserved_poll_does_not_give_up() {
    let mut queue = queue();
    let waiting = poll(&mut queue, poller(1), at(0));
    let reserved = queue.reserve(PriorityKey::default(), at(0)).unwrap();
    assert_eq!(queue.give_up(waiting), GaveUp::Reserved);
    // Its time is over when it comes back: it is to be answered, not to wait again.
    assert_eq!(queue.release(reserved, at(60_000)).unwrap_err().number, 1);
    assert_eq!(queue.poller_count(), 0);
}

#[test]
fn a_poll_that_left_while_reserved_is_not_waited_for() {
    let mut queue = queue();
    let waiting = poll(&mut queue, poller(1), at(0));
    let reserved = queue.reserve(PriorityKey::default(), at(0)).unwrap();
    queue.end_poll(waiting, PollEnd::Cancelled, at(1));
    assert!(queue.release(reserved, at(1)).is_err());
    queue.offer(task(1, 0, at(1)), at(1)).unwrap();
    assert_eq!(matches(&mut queue, at(1)), []);
    assert_eq!(queue.backlog_len(), 1);
}

#[test]
fn a_task_that_comes_back_keeps_its_place() {
    let mut queue = queue();
    poll(&mut queue, poller(1), at(0));
    for id in [1, 2] {
        queue.offer(task(id, 0, at(i64::try_from(id).unwrap())), at(3)).unwrap();
    }
    let Match::Task(_, first) = queue.next_match(at(3)) else { panic!("no match") };
    queue.put_back(first, at(4));
    poll(&mut queue, poller(2), at(4));
    poll(&mut queue, poller(3), at(4));
    assert_eq!(matches(&mut queue, at(4)), [(2, 1), (3, 2)]);
}

#[test]
fn queries_go_before_the_backlog_and_not_after_their_deadline() {
    let mut queue = queue();
    queue.set_rate_limit(Some(0.0));
    queue.offer(task(1, 1, at(0)), at(0)).unwrap();
    queue.offer_ready(100, at(50), at(0)).unwrap();
    let withdrawn = queue.offer_ready(101, at(5000), at(0)).unwrap();
    queue.offer_ready(102, at(5000), at(0)).unwrap();
    assert_eq!(queue.withdraw(withdrawn), Some(101));
    poll(&mut queue, poller(1), at(50));
    poll(&mut queue, poller(2), at(50));
    assert_eq!(matches(&mut queue, at(50)), [(1, 102)]);
}

#[test]
fn a_full_priority_refuses_until_it_has_drained() {
    let mut queue = small_queue();
    for id in 1..=4 {
        queue.offer(task(id, 0, at(0)), at(0)).unwrap();
    }
    assert_eq!(queue.offer(task(5, 0, at(0)), at(0)).unwrap_err().task_id, 5);
    assert_eq!(queue.offer(task(6, 0, at(0)), at(0)).unwrap_err().task_id, 6);
    queue.offer(task(7, 1, at(0)), at(0)).unwrap();
    assert_eq!(queue.stats(at(0)).approximate_backlog_count, 7);

    // One less than full is not drained: the refused tasks are older than new ones.
    poll(&mut queue, poller(1), at(1));
    poll(&mut queue, poller(2), at(1));
    assert_eq!(matches(&mut queue, at(1)), [(1, 7), (2, 1)]);
    assert!(!queue.wants_more());
    assert!(queue.offer(task(8, 0, at(1)), at(1)).is_err());

    poll(&mut queue, poller(3), at(1));
    assert_eq!(matches(&mut queue, at(1)), [(3, 2)]);
    assert!(queue.wants_more());
    let slots = |numbers: &[u16]| -> Vec<SlotId> {
        numbers.iter().map(|number| SlotId::new(*number).unwrap()).collect()
    };
    assert_eq!(queue.take_overflow(2), slots(&[5, 6]));
    assert_eq!(queue.take_overflow(2), slots(&[8]));
    assert!(!queue.wants_more());
    queue.offer(task(5, 0, at(0)), at(2)).unwrap();
}

#[test]
fn nothing_is_reserved_past_tasks_that_were_refused() {
    let mut queue = small_queue();
    for id in 1..=5 {
        drop(queue.offer(task(id, 0, at(0)), at(0)));
    }
    for number in 0..5 {
        poll(&mut queue, poller(number), at(0));
        matches(&mut queue, at(0));
    }
    assert_eq!((queue.backlog_len(), queue.poller_count()), (0, 1));
    assert_eq!(queue.reserve(PriorityKey::default(), at(0)), None);
    assert_eq!(queue.take_overflow(10).len(), 1);
    assert!(queue.reserve(PriorityKey::default(), at(0)).is_some());
}

#[test]
fn polls_and_queries_are_bounded() {
    let mut queue = small_queue();
    polls(&mut queue, 0..3, at(0));
    assert!(queue.poll(poller(9), at(0)).is_err());
    let mut queue = small_queue();
    queue.offer_ready(1, at(9), at(0)).unwrap();
    queue.offer_ready(2, at(9), at(0)).unwrap();
    assert_eq!(queue.offer_ready(3, at(9), at(0)), Err(3));
}

#[test]
fn the_rate_limit_holds_tasks_back_and_says_until_when() {
    let mut queue = queue();
    for id in 1..=3 {
        queue.offer(task(id, 0, at(0)), at(0)).unwrap();
    }
    for number in 1..=3 {
        let rate = (number == 1).then_some(1.0);
        poll(&mut queue, TestPoller { rate, ..poller(number) }, at(0));
    }
    assert_eq!(matches(&mut queue, at(0)), [(1, 1)]);
    assert_eq!(queue.next_match(at(0)), Match::Limited(at(1000)));
    assert_eq!(matches(&mut queue, at(1000)), [(2, 2)]);
    assert_eq!(queue.rate_limit(at(1000)).source, RateLimitSource::Worker);
    assert_eq!(queue.reserve(PriorityKey::FIRST, at(1000)), None);
    queue.set_rate_limit(Some(0.0));
    assert_eq!(queue.next_match(at(9000)), Match::Limited(Time::MAX));
    queue.set_rate_limit(None);
    // The worker's word is forgotten; what was stopped has saved nothing up.
    assert_eq!(matches(&mut queue, at(60_000)), []);
    assert_eq!(matches(&mut queue, at(60_001)), [(3, 3)]);
}

#[test]
fn a_sticky_queue_lives_ten_seconds_past_its_last_poll() {
    let mut queue = queue();
    assert!(!queue.is_sticky_live(at(0)));
    let waiting = poll(&mut queue, poller(1), at(0));
    assert!(queue.is_sticky_live(at(59_000)));
    queue.end_poll(waiting, PollEnd::Empty, at(59_000));
    assert!(queue.is_sticky_live(at(68_999)));
    assert!(!queue.is_sticky_live(at(69_000)));
}

#[test]
fn a_broken_connection_is_no_sign_of_life() {
    let mut queue = queue();
    let waiting = poll(&mut queue, poller(1), at(0));
    queue.end_poll(waiting, PollEnd::Cancelled, at(30_000));
    assert!(!queue.is_sticky_live(at(30_000)));
}

#[test]
fn a_poll_of_a_worker_that_stops_can_be_taken_out() {
    let mut queue = queue();
    let stopped = TestPoller { worker: "stopped", ..poller(1) };
    poll(&mut queue, stopped.clone(), at(0));
    poll(&mut queue, poller(2), at(0));
    let mut take = || queue.take_poller_where(|poller| poller.worker == "stopped");
    assert_eq!((take(), take()), (Some(stopped), None));
}

#[test]
fn statistics_count_what_waits_comes_and_goes() {
    let mut queue = queue();
    for second in 0..10_u64 {
        let now = at(i64::try_from(second * 1000).unwrap());
        queue.offer(task(second, 2, now), now).unwrap();
    }
    let waiting = poll(&mut queue, poller(1), at(9000));
    assert_eq!(matches(&mut queue, at(9000)).len(), 1);
    queue.end_poll(waiting, PollEnd::Matched, at(9000));
    let waiting = poll(&mut queue, poller(2), at(9000));
    assert_eq!(matches(&mut queue, at(9000)).len(), 1);
    queue.end_poll(waiting, PollEnd::Matched, at(9000));

    // A task that never waited counts as come and gone.
    let waiting = poll(&mut queue, poller(3), at(10_000));
    assert!(queue.reserve(PriorityKey::FIRST, at(10_000)).is_some());
    queue.end_poll(waiting, PollEnd::Fulfilled, at(10_000));

    let by_priority = queue.stats_by_priority(at(10_000));
    let second = by_priority[&PriorityKey::from_proto(2)];
    assert_eq!(second.approximate_backlog_count, 8);
    assert_eq!(second.approximate_backlog_age, Span::from_secs(8));
    assert_eq!((second.tasks_add_rate, second.tasks_dispatch_rate), (1.0, 0.2));
    let first = by_priority[&PriorityKey::FIRST];
    assert_eq!((first.tasks_add_rate, first.tasks_dispatch_rate), (1.0, 1.0));
    assert_eq!(queue.stats(at(10_000)).approximate_backlog_count, 8);
    assert_eq!(queue.pollers(at(10_000)).len(), 1);
}

#[test]
fn a_queue_is_idle_only_when_it_holds_nothing() {
    let mut queue = queue();
    let minute = Span::from_secs(60);
    assert!(queue.is_idle(minute, at(60_000)));
    queue.offer(task(1, 0, at(0)), at(0)).unwrap();
    assert!(!queue.is_idle(minute, at(60_000)));
    assert!(!queue.is_abandoned(at(60_000)));
    assert!(queue.is_abandoned(at(0) + POLLER_TTL));
    let waiting = poll(&mut queue, poller(1), at(60_000));
    assert!(!queue.is_abandoned(at(0) + POLLER_TTL));
    assert_eq!(matches(&mut queue, at(61_000)).len(), 1);
    queue.end_poll(waiting, PollEnd::Matched, at(62_000));
    assert!(!queue.is_idle(minute, at(121_000)));
    assert!(queue.is_idle(minute, at(122_000)));
    queue.set_rate_limit(Some(5.0));
    assert!(!queue.is_idle(minute, at(122_000)));
}

fn keyed(task_id: u64, key: &str) -> QueuedTask {
    let mut task = task(task_id, 3, at(0));
    task.order.fairness_key = Some(key.into());
    task
}

#[test]
fn a_fairness_key_over_its_limit_lets_the_others_pass() {
    let mut queue = TestQueue::new(QueueLimits::default(), at(0));
    queue.configure(QueueSettings {
        tasks_per_second_per_key: Some(1.0),
        fairness_weights: [("fast".into(), 2.0)].into(),
        ..QueueSettings::default()
    });
    for (id, key) in [(1, "slow"), (2, "slow"), (3, "fast"), (4, "fast"), (5, "fast")] {
        queue.offer(keyed(id, key), at(0)).unwrap();
    }
    for number in 0..5 {
        poll(&mut queue, poller(number), at(0));
    }
    let first: Vec<u64> = matches(&mut queue, at(0)).into_iter().map(|(_, id)| id).collect();
    assert_eq!(first.len(), 3, "one of `slow` and two of `fast`: {first:?}");
    assert_eq!(queue.next_match(at(0)), Match::Limited(at(500)));
    assert_eq!(matches(&mut queue, at(500)), [(3, 5)]);
    assert_eq!(matches(&mut queue, at(1000)), [(4, 2)]);
}

#[test]
fn a_reservation_counts_against_its_key() {
    let mut queue = TestQueue::new(QueueLimits::default(), at(0));
    let settings =
        QueueSettings { tasks_per_second_per_key: Some(1.0), ..QueueSettings::default() };
    queue.configure(settings);
    poll(&mut queue, poller(1), at(0));
    poll(&mut queue, poller(2), at(0));
    let order = |key| keyed(1, key).order;
    assert!(queue.reserve_for(&order("a"), at(0)).is_some());
    assert!(queue.reserve_for(&order("a"), at(0)).is_none());
    assert!(queue.reserve_for(&order("b"), at(0)).is_some());
}

#[test]
fn weights_that_are_set_share_the_queue() {
    let mut queue = TestQueue::new(QueueLimits::default(), at(0));
    queue.configure(QueueSettings {
        fairness_weights: [("heavy".into(), 3.0)].into(),
        ..QueueSettings::default()
    });
    for id in 0..40 {
        queue.offer(keyed(id, "light"), at(0)).unwrap();
        queue.offer(keyed(100 + id, "heavy"), at(0)).unwrap();
    }
    for number in 0..40 {
        poll(&mut queue, poller(number), at(0));
    }
    let heavy = matches(&mut queue, at(0)).iter().filter(|(_, id)| *id >= 100).count();
    assert_eq!(heavy, 30);
}
