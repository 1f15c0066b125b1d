use std::collections::BTreeSet;

use matching::{Drained, Matched, MatchingLimits, OfferRefused, QueueLimits, TaskQueueKind};
use model::{SlotId, Time};

use crate::support::{Bench, queue, queued_id, sleep, task};

fn slot(number: u16) -> SlotId {
    SlotId::new(number).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_stays_with_its_slot_and_is_asked_for() {
    let limits = QueueLimits { backlog_max: 10, backlog_low_water: 5, ..QueueLimits::default() };
    let bench = Bench::with_queue_limits(limits);
    let key = queue("q");
    let mut kept = BTreeSet::new();
    for id in 0..30 {
        match bench.matching.offer(&key, TaskQueueKind::Normal, task(id)) {
            Ok(()) => assert!(id < 10),
            Err(refused) => {
                assert_eq!(refused, OfferRefused::Full);
                kept.insert(id);
            }
        }
    }
    let mut delivered = Vec::new();
    while delivered.len() < 30 {
        delivered.push(queued_id(&bench.poll(&key, "worker").await));
        // What history does when it is asked.
        if bench.matching.totals().backlog == 5 && !kept.is_empty() {
            let drained = bench.matching.next_drained().await;
            assert_eq!(drained.key.as_ref(), Some(&key));
            for slot in drained.slots {
                let id = u64::from(slot.number());
                if bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).is_ok() {
                    kept.remove(&id);
                }
            }
        }
    }
    assert_eq!(delivered, (0..30).collect::<Vec<u64>>(), "the oldest first, none twice, none lost");
    assert_eq!(bench.millis(), 0);
}

#[tokio::test(start_paused = true)]
async fn slots_are_asked_a_few_at_a_time() {
    let queue_limits =
        QueueLimits { backlog_max: 2, backlog_low_water: 1, ..QueueLimits::default() };
    let limits =
        MatchingLimits { drained_slots_max: 3, queue: queue_limits, ..MatchingLimits::default() };
    let bench = Bench::with_limits(limits);
    let key = queue("q");
    for id in 0..9 {
        let taken = bench.matching.offer(&key, TaskQueueKind::Normal, task(id)).is_ok();
        assert_eq!(taken, id < 2);
    }
    bench.poll(&key, "worker").await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        asked.push(bench.matching.next_drained().await.slots);
    }
    let expected =
        [vec![slot(2), slot(3), slot(4)], vec![slot(5), slot(6), slot(7)], vec![slot(8)]];
    assert_eq!(asked, expected);
    let more =
        tokio::time::timeout(std::time::Duration::from_secs(9), bench.matching.next_drained());
    assert!(more.await.is_err(), "there is nothing else to ask for");
}

#[tokio::test(start_paused = true)]
async fn tasks_without_a_queue_are_asked_for_when_queues_go() {
    let limits = MatchingLimits { queues_max: 1, ..MatchingLimits::default() };
    let bench = Bench::with_limits(limits);
    bench.matching.offer(&queue("first"), TaskQueueKind::Normal, task(1)).unwrap();
    let refused = bench.matching.offer(&queue("second"), TaskQueueKind::Normal, task(2));
    assert_eq!(refused, Err(OfferRefused::Full));

    // Nobody works on the first queue: in time its task goes back to its slot, and both slots are
    // asked for all they have.
    sleep(6 * 60_000).await;
    let mut request = bench.request("worker");
    request.deadline = Time::UNSET;
    let mut number = 0;
    while bench.matching.describe(&queue("first")).is_some() {
        number += 1;
        // Queues are looked through when another one is to be made in the same shard.
        drop(bench.matching.poll(&queue(&format!("other{number}")), request.clone()).await);
    }
    let drained = bench.matching.next_drained().await;
    let expected = Drained {
        key: None,
        slots: vec![slot(1), slot(2)],
        // The first was taken; the second was refused.
        dropped: vec![(slot(1), task(1).scheduled())],
    };
    assert_eq!(drained, expected);
}

#[tokio::test(start_paused = true)]
async fn the_backlog_of_a_live_queue_is_never_dropped() {
    let bench = Bench::new();
    bench.matching.offer(&queue("kept"), TaskQueueKind::Normal, task(1)).unwrap();
    sleep(24 * 3_600_000).await;
    for number in 0..200 {
        let mut request = bench.request("worker");
        request.deadline = Time::UNSET;
        let key = queue(&format!("q{number}"));
        assert_eq!(bench.matching.poll(&key, request).await.unwrap().matched, Matched::Empty);
    }
    assert_eq!(queued_id(&bench.poll(&queue("kept"), "worker").await), 1);
}
