//! Event batches as bytes: walking over them without decoding, and the latest ones of a run.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use prost::encoding::decode_varint;

/// Most batches kept in memory for one run.
const RECENT_BATCHES_MAX: usize = 64;

/// Most bytes of batches kept in memory for one run (64 KiB); older ones are read from the store.
const RECENT_BYTES_MAX: usize = 64 * 1024;

/// One stored batch and the events it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The id of its first event.
    pub(crate) first_event_id: i64,
    /// The id after that of its last event.
    pub(crate) next_event_id: i64,
    /// An encoded `History` message.
    pub(crate) encoded: Bytes,
}

/// The latest batches of a run, without gaps, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentBatches {
    batches: VecDeque<Batch>,
    bytes: usize,
}

impl RecentBatches {
    /// Adds batches that follow the ones there are.
    pub(crate) fn extend(&mut self, batches: impl IntoIterator<Item = Batch>) {
        for batch in batches {
            self.bytes += batch.encoded.len();
            self.batches.push_back(batch);
        }
        while self.batches.len() > RECENT_BATCHES_MAX || self.bytes > RECENT_BYTES_MAX {
            let Some(oldest) = self.batches.pop_front() else { break };
            self.bytes -= oldest.encoded.len();
        }
    }

    /// The batches that hold the events from `from` up to, not including, `to`; `None` when the
    /// older ones of them are not here any more.
    pub(crate) fn range(&self, from: i64, to: i64) -> Option<impl Iterator<Item = &Batch>> {
        let first = self.batches.front()?;
        if first.first_event_id > from {
            return None;
        }
        let within = move |batch: &&Batch| batch.next_event_id > from && batch.first_event_id < to;
        Some(self.batches.iter().filter(within))
    }

    /// The batches that hold events below `to`, the last one first.
    pub(crate) fn before(&self, to: i64) -> impl Iterator<Item = &Batch> {
        self.batches.iter().rev().filter(move |batch| batch.first_event_id < to)
    }

    /// What they weigh.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Numbers the batches of a record whose first event has this id.
pub(crate) fn number_batches(first_event_id: i64, encoded: Vec<Bytes>) -> Vec<Batch> {
    let mut next_event_id = first_event_id;
    let number = |encoded: Bytes| {
        let first_event_id = next_event_id;
        next_event_id += events(&encoded).count() as i64;
        Batch { first_event_id, next_event_id, encoded }
    };
    encoded.into_iter().map(number).collect()
}

/// The batch with its events in falling order.
pub(crate) fn reversed(encoded: &Bytes) -> Bytes {
    let mut parts: Vec<Bytes> = events(encoded).collect();
    parts.reverse();
    let mut joined = BytesMut::with_capacity(encoded.len());
    for part in parts {
        joined.extend_from_slice(&part);
    }
    joined.freeze()
}

/// The events of an encoded `History`, each with its tag and length. Ends early at bytes that are
/// no message; the checksum of the record has ruled those out.
fn events(encoded: &Bytes) -> impl Iterator<Item = Bytes> {
    let mut rest = encoded.clone();
    std::iter::from_fn(move || {
        let mut cursor = rest.clone();
        decode_varint(&mut cursor).ok()?;
        let length = usize::try_from(decode_varint(&mut cursor).ok()?).ok()?;
        let whole = rest.len() - cursor.remaining() + length;
        (whole <= rest.len()).then(|| rest.split_to(whole))
    })
}

#[cfg(test)]
mod tests {
    use api::{RawHistory, history::v1::HistoryEvent};

    use super::*;

    fn batch(first: i64, events: i64) -> Batch {
        let ids = first..first + events;
        let events: Vec<HistoryEvent> =
            ids.map(|event_id| HistoryEvent { event_id, ..Default::default() }).collect();
        let next_event_id = first + events.len() as i64;
        let encoded = RawHistory::from(events).encoded().clone();
        Batch { first_event_id: first, next_event_id, encoded }
    }

    fn ids(encoded: Bytes) -> Vec<i64> {
        let events = RawHistory::from_encoded(encoded).decode_events().unwrap();
        events.into_iter().map(|event| event.event_id).collect()
    }

    #[test]
    fn batches_are_numbered_by_the_events_they_hold() {
        let expected = [batch(4, 2), batch(6, 1), batch(7, 300)];
        let encoded = expected.iter().map(|batch| batch.encoded.clone()).collect();
        assert_eq!(number_batches(4, encoded), expected);
    }

    #[test]
    fn a_reversed_batch_has_the_same_events_last_first() {
        assert_eq!(ids(reversed(&batch(5, 3).encoded)), [7, 6, 5]);
        assert_eq!(reversed(&Bytes::new()), Bytes::new());
    }

    #[test]
    fn a_range_has_the_batches_that_touch_it_or_nothing() {
        let mut recent = RecentBatches::default();
        recent.extend([batch(4, 2), batch(6, 1), batch(7, 3)]);
        let firsts = |from, to| {
            recent
                .range(from, to)
                .map(|batches| batches.map(|batch| batch.first_event_id).collect::<Vec<_>>())
        };
        assert_eq!(firsts(4, 10), Some(vec![4, 6, 7]));
        assert_eq!(firsts(6, 7), Some(vec![6]));
        assert_eq!(firsts(10, 10), Some(vec![]));
        assert_eq!(firsts(3, 10), None);
    }

    #[test]
    fn batches_below_an_event_come_last_first() {
        let mut recent = RecentBatches::default();
        recent.extend([batch(4, 2), batch(6, 1), batch(7, 3)]);
        let firsts = |to| recent.before(to).map(|batch| batch.first_event_id).collect::<Vec<_>>();
        assert_eq!(firsts(10), [7, 6, 4]);
        assert_eq!(firsts(7), [6, 4]);
        assert_eq!(firsts(8), [7, 6, 4]);
        assert_eq!(firsts(4), [] as [i64; 0]);
    }

    #[test]
    fn old_batches_make_room() {
        let mut recent = RecentBatches::default();
        for first in 1..1000 {
            recent.extend([batch(first, 1)]);
        }
        assert!(recent.batches.len() <= RECENT_BATCHES_MAX);
        assert!(recent.range(990, 1000).is_some());
        let large = Batch {
            first_event_id: 1000,
            next_event_id: 1001,
            encoded: vec![0; 2 * RECENT_BYTES_MAX].into(),
        };
        recent.extend([large]);
        assert_eq!(recent.bytes(), 0);
    }
}
