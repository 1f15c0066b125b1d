//! Reading histories, as clients and workers read them.

use api::{RawHistory, history::v1::HistoryEvent};
use history::{HistoryPage, RunKey};

use crate::{dice::Dice, world::World};

/// Batches of a page of history.
const PAGE_BATCHES: usize = 7;

/// Reads events page by page; none when the node does not answer.
pub(crate) async fn read(
    world: &World,
    dice: &Dice,
    run: &RunKey,
    from: i64,
    through: i64,
) -> Option<Vec<HistoryEvent>> {
    let mut events = Vec::new();
    let mut next = Some(from);
    while let Some(from) = next.filter(|from| *from <= through) {
        let key = run.clone();
        let page = world.call(dice, |life| async move {
            let (permit, namespace) = (&life.permit, &life.namespace());
            life.history.read_history(permit, namespace, &key, from..i64::MAX, PAGE_BATCHES).await
        });
        let page = page.await.ok()?;
        events.extend(decode(world, &page));
        next = page.next_event_id;
    }
    events.retain(|event| event.event_id >= from && event.event_id <= through);
    Some(events)
}

/// The events of a page.
pub(crate) fn decode(world: &World, page: &HistoryPage) -> Vec<HistoryEvent> {
    let mut events = Vec::new();
    for batch in &page.batches {
        match RawHistory::from_encoded(batch.clone()).decode_events() {
            Ok(batch) => events.extend(batch),
            Err(error) => world.witness.accuse(format!("a batch is no history: {error}")),
        }
    }
    events
}
