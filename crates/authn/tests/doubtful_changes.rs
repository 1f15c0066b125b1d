//! Changes of API keys of which nobody knows what became.

use std::sync::Arc;

use authn::{ApiKeyError, ApiKeyRequest, ApiKeys};
use environment::Environment;
use model::Time;
use storage::Store;
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};

#[tokio::test(start_paused = true)]
async fn a_revocation_whose_answer_was_lost_counts_once_somebody_asks_again() {
    let faults = Faults { lose_ack_per_mille: 1, ..Faults::default() };
    let faulty = FaultyStore::start(MemoryStore::new(), Faults::default(), Random::new(|| 0));
    let faulty = Arc::new(faulty);
    let store = Arc::clone(&faulty) as Arc<dyn Store>;
    let keys = ApiKeys::open(Arc::clone(&store), Environment::simulated(Time::from_nanos(1), 1))
        .await
        .unwrap();
    let request = ApiKeyRequest {
        name: "ci".to_owned(),
        permissions: vec!["orders:write".to_owned()],
        expires: Time::UNSET,
    };
    let made = keys.create(request).await.unwrap();
    faulty.set_faults(faults);
    let lost = keys.revoke(&made.key.id).await;
    assert!(matches!(lost, Err(ApiKeyError::Unavailable(_))), "{lost:?}");
    faulty.set_faults(Faults::default());
    let again = keys.revoke(&made.key.id).await;
    assert!(matches!(again, Err(ApiKeyError::NotFound(_))), "{again:?}");
    assert!(keys.all().is_empty());
}
