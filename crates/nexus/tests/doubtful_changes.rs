//! Changes of endpoints of which nobody knows what became.

use std::sync::Arc;

use api::nexus::v1::EndpointSpec;
use environment::Environment;
use model::Time;
use nexus::{EndpointError, Endpoints};
use storage::Store;
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};

#[cfg(test)]
async fn open(store: &Arc<dyn Store>) -> Endpoints {
    let environment = Environment::simulated(Time::from_nanos(1), 1);
    Endpoints::open(Arc::clone(store), environment).await.unwrap()
}

fn spec(name: &str) -> EndpointSpec {
    EndpointSpec { name: name.to_owned(), ..EndpointSpec::default() }
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
    let endpoints = open(&store).await;
    let changed = endpoints.create(spec("changed")).await.unwrap();
    let gone = endpoints.create(spec("gone")).await.unwrap();
    faulty.set_faults(faults.clone());
    assert!(endpoints.update(changed.id, 1, spec("other")).await.is_err());
    faulty.set_faults(Faults::default());
    let renamed = endpoints.update(changed.id, 2, spec("another")).await.unwrap();
    assert_eq!((renamed.version, endpoints.by_name("other")), (3, None));
    faulty.set_faults(faults);
    assert!(endpoints.delete(gone.id).await.is_err());
    faulty.set_faults(Faults::default());
    assert!(matches!(endpoints.delete(gone.id).await, Err(EndpointError::NotFound(_))));
    assert_eq!(endpoints.page(None, 10), [renamed]);
}
