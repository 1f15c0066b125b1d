//! Changes of namespaces of which nobody knows what became.

use std::sync::Arc;

use environment::Environment;
use model::{Limits, Span, Time};
use namespace::{NamespaceError, Namespaces, Registration};
use storage::Store;
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};

#[cfg(test)]
async fn open(store: &Arc<dyn Store>) -> Namespaces {
    let environment = Environment::simulated(Time::from_nanos(1), 1);
    Namespaces::open(Arc::clone(store), environment, Limits::default()).await.unwrap()
}

/// A store that loses every acknowledgement, once it is told to.
fn forgetful() -> (Arc<FaultyStore>, Faults) {
    let store = FaultyStore::start(MemoryStore::new(), Faults::default(), Random::new(|| 0));
    (Arc::new(store), Faults { lose_ack_per_mille: 1, ..Faults::default() })
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_change_is_known_before_the_next() {
    let (faulty, faults) = forgetful();
    let store = Arc::clone(&faulty) as Arc<dyn Store>;
    let registry = open(&store).await;
    let id = registry
        .register(Registration {
            name: "shop".to_owned(),
            retention: Span::from_secs(24 * 3600),
            ..Registration::default()
        })
        .await
        .unwrap()
        .id;
    faulty.set_faults(faults);
    let lost = registry.update(id, |namespace| namespace.details.description = "a".to_owned());
    assert!(matches!(lost.await, Err(NamespaceError::Unavailable(_))));
    faulty.set_faults(Faults::default());
    let next = registry.update(id, |namespace| namespace.details.owner_email = "b".to_owned());
    let next = next.await.unwrap();
    assert_eq!((next.details.description.as_str(), next.version), ("a", 3));
    assert_eq!(open(&store).await.by_id(id), Some(next));
}
