//! What deleted namespaces leave behind: nothing.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use environment::Environment;
use futures_util::future::BoxFuture;
use history::NamespaceBelongings;
use model::{NamespaceId, Span};
use schedule::{Create, Input, Schedule};
use storage::{Scan, Store, Table};
use storage_memory::MemoryStore;

use crate::support::{BASE, MINUTE, Node, probe::Probe, worker::Workers};

#[derive(Debug, Default)]
struct Counted {
    forgotten: AtomicUsize,
}

impl NamespaceBelongings for Counted {
    fn forget(&self, _: NamespaceId) -> BoxFuture<'_, Result<(), String>> {
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }
}

async fn records(store: &MemoryStore, table: Table) -> usize {
    let scan = Scan {
        table,
        from: bytes::Bytes::new(),
        to: bytes::Bytes::new(),
        reverse: false,
        records_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    store.scan(scan).await.unwrap().len()
}

/// Open runs, a closed one that is not the last of its workflow, and a schedule; then the
/// namespace is deleted.
async fn deleted_namespace(store: &MemoryStore, environment: &Environment) -> NamespaceId {
    let node = Node::open(Arc::new(store.reopened()), environment).await;
    let workers = Workers::start(&node, 1, 1);
    let run = node.start("empty", "closed").await.unwrap().run;
    node.closed(&run, MINUTE).await;
    drop(workers);
    let mut again = crate::support::start_request("timer 1000", "closed");
    again.start.request_id = "again".to_owned();
    node.start_with(again).await.unwrap();
    node.start("timer 1000", "open").await.unwrap();
    let create = Create { request_id: "create".to_owned(), ..Create::default() };
    let input = Input::Create(Box::new(create));
    node.history
        .request_entity::<Schedule>(&node.permit, &node.namespace, "plan", input)
        .await
        .unwrap();
    node.namespaces.delete(node.namespace.id, Span::ZERO).await.unwrap();
    let id = node.namespace.id;
    node.abandon().await;
    id
}

async fn wait_until_gone(node: &Node, id: NamespaceId, patience: Span) -> bool {
    let deadline = node.now() + patience;
    while node.namespaces.by_id(id).is_some() {
        if node.now() > deadline {
            return false;
        }
        node.sleep(Span::from_millis(100)).await;
    }
    true
}

#[tokio::test(start_paused = true)]
async fn a_deleted_namespace_leaves_nothing_wherever_the_server_dies() {
    for batches in [1, 2, 3, 4, 5, 6, 8, 10, 13] {
        let environment = Environment::simulated(BASE, 1);
        let store = MemoryStore::new();
        let id = deleted_namespace(&store, &environment).await;
        assert!(records(&store, Table::Entity).await > 0);

        let dying = Arc::new(Probe::dying(store.reopened(), batches, batches % 2 == 0));
        let node = Node::open(Arc::clone(&dying) as Arc<dyn Store>, &environment).await;
        node.history.reclaim_namespaces(Arc::new(Counted::default()));
        wait_until_gone(&node, id, Span::from_secs(3)).await;
        node.abandon().await;

        let node = Node::open(Arc::new(store.reopened()), &environment).await;
        let counted = Arc::new(Counted::default());
        node.history.reclaim_namespaces(Arc::clone(&counted) as Arc<dyn NamespaceBelongings>);
        assert!(wait_until_gone(&node, id, MINUTE).await, "after {batches} batches");
        for table in [Table::History, Table::Run, Table::Current, Table::Entity] {
            assert_eq!(records(&store, table).await, 0, "{table:?} after {batches} batches");
        }
        // It may have been forgotten before the server died.
        assert!(counted.forgotten.load(Ordering::Relaxed) <= 1);
        node.abandon().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_stays_until_its_delay_is_over() {
    let environment = Environment::simulated(BASE, 1);
    let node = Node::open(Arc::new(MemoryStore::new()), &environment).await;
    node.history.reclaim_namespaces(Arc::new(Counted::default()));
    node.start("timer 1000", "open").await.unwrap();
    let id = node.namespace.id;
    node.namespaces.delete(id, Span::from_secs(3600)).await.unwrap();
    node.sleep(MINUTE).await;
    assert!(node.describe("open").await.is_err(), "its runs go at once");
    assert!(node.namespaces.by_id(id).is_some());
    assert!(wait_until_gone(&node, id, Span::from_secs(3600)).await);
}
