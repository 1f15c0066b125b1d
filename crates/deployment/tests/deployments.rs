//! Deployments over a store in memory: what is kept, and what is put in force.

use std::{sync::Arc, time::Duration};

use api::taskqueue::v1::{RateLimit, RateLimitConfig};
use deployment::{
    Change, DeploymentError, Deployments, QueueConfigs, Ramping, TaskQueues, UNVERSIONED,
    drainage_is_due, status,
};
use environment::Environment;
use matching::{Matching, MatchingLimits, Route, TaskQueueKey, WorkerVersion};
use model::{NamespaceId, Span, Time};
use storage::Store;
use storage_memory::{Faults, FaultyStore, MemoryStore, Random};

type Queues = Arc<Matching<String>>;

const NAMESPACE: NamespaceId = NamespaceId::from_bytes([7; 16]);

struct Bench {
    matching: Queues,
    deployments: Deployments,
    configs: QueueConfigs,
}

#[cfg(test)]
async fn open(store: &Arc<dyn Store>) -> Bench {
    let environment = Environment::system();
    let clock = Arc::clone(&environment.clock);
    let matching: Queues = Arc::new(Matching::new(clock, MatchingLimits::default()));
    let queues = Arc::clone(&matching) as Arc<dyn TaskQueues>;
    let deployments =
        Deployments::open(Arc::clone(store), environment, Arc::clone(&queues)).await.unwrap();
    let configs = QueueConfigs::open(Arc::clone(store), queues).await.unwrap();
    Bench { matching, deployments, configs }
}

fn queue(name: &str) -> TaskQueueKey {
    TaskQueueKey::workflow(NAMESPACE, name)
}

fn version(deployment: &str, build_id: &str) -> WorkerVersion {
    WorkerVersion::new(deployment, build_id)
}

fn change(bench: &Bench) -> Change {
    Change { identity: "me".to_owned(), now: bench.deployments.now(), ..Change::default() }
}

async fn set_current(
    bench: &Bench,
    name: &str,
    build_id: Option<&str>,
) -> Result<String, DeploymentError> {
    let change = change(bench);
    let changed = bench.deployments.change(NAMESPACE, name, |deployment, pollers| {
        deployment.set_current(build_id, &change, |_, _, _| false, pollers)
    });
    changed.await.map(|previous| previous.version)
}

fn route(bench: &Bench, name: &str) -> Route {
    bench.matching.routes().routes.route(&queue(name), "workflow")
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_caller_went_away_is_in_force_before_the_next() {
    let delay = Duration::from_millis(10);
    let faults = Faults { commit_delay: delay..=delay, ..Faults::default() };
    let faulty = FaultyStore::start(MemoryStore::new(), Faults::default(), Random::new(|| 0));
    let faulty = Arc::new(faulty);
    let store = Arc::clone(&faulty) as Arc<dyn Store>;
    let bench = open(&store).await;
    bench.deployments.register(&version("shop", "1"), &queue("q")).await.unwrap();
    faulty.set_faults(faults);
    // It is written after ten milliseconds, and answered ten later.
    let gone = tokio::time::timeout(delay + delay / 2, set_current(&bench, "shop", Some("1")));
    assert!(gone.await.is_err());
    let key = queue("q");
    let limited = bench.configs.update(&key, |config| {
        let rate_limit = Some(RateLimit { requests_per_second: 3.0 });
        config.queue_rate_limit = Some(RateLimitConfig { rate_limit, ..Default::default() });
        Ok(())
    });
    assert!(tokio::time::timeout(delay + delay / 2, limited).await.is_err());
    faulty.set_faults(Faults::default());
    bench.deployments.register(&version("shop", "2"), &queue("q")).await.unwrap();
    assert_eq!(route(&bench, "q").version, Some(version("shop", "1")));
    assert_eq!(set_current(&bench, "shop", Some("2")).await.unwrap(), "shop.1");
    bench.configs.update(&queue("q"), |_| Ok(())).await.unwrap();
    assert!(bench.configs.get(&queue("q")).unwrap().queue_rate_limit.is_some());
}

#[tokio::test]
async fn routes_and_settings_are_in_force_again_after_a_restart() {
    let store = memory();
    let bench = open(&store).await;
    bench.deployments.register(&version("shop", "1"), &queue("q")).await.unwrap();
    assert_eq!(route(&bench, "q").version, None, "a version is not current by itself");
    assert_eq!(set_current(&bench, "shop", Some("1")).await.unwrap(), UNVERSIONED);
    assert_eq!(route(&bench, "q").version, Some(version("shop", "1")));
    let limit = RateLimit { requests_per_second: 3.0 };
    bench
        .configs
        .update(&queue("q"), |config| {
            config.queue_rate_limit =
                Some(RateLimitConfig { rate_limit: Some(limit), metadata: None });
            Ok(())
        })
        .await
        .unwrap();
    let again = open(&store).await;
    assert_eq!(route(&again, "q"), route(&bench, "q"));
    let found = again.deployments.get(NAMESPACE, "shop").unwrap();
    assert_eq!(found, bench.deployments.get(NAMESPACE, "shop").unwrap());
    let config = again.configs.get(&queue("q")).unwrap();
    assert_eq!(deployment::queue_settings(&config).tasks_per_second, Some(3.0));
}

#[tokio::test]
async fn a_queue_that_moved_follows_the_deployment_that_serves_it_now() {
    let bench = open(&memory()).await;
    for (name, served) in [("old", "q"), ("old", "other"), ("new", "q")] {
        bench.deployments.register(&version(name, "1"), &queue(served)).await.unwrap();
    }
    set_current(&bench, "old", Some("1")).await.unwrap();
    set_current(&bench, "new", Some("1")).await.unwrap();
    assert_eq!(route(&bench, "q").version, Some(version("new", "1")));
    assert_eq!(route(&bench, "other").version, Some(version("old", "1")));
    // The old deployment moves on to a version that does not serve the queue.
    bench.deployments.register(&version("old", "2"), &queue("other")).await.unwrap();
    set_current(&bench, "old", Some("2")).await.unwrap();
    assert_eq!(route(&bench, "q").version, Some(version("new", "1")));
    set_current(&bench, "new", None).await.unwrap();
    assert_eq!(route(&bench, "q").version, None);
}

#[tokio::test]
async fn a_replaced_version_drains_for_a_while_and_then_as_its_runs_say() {
    let bench = open(&memory()).await;
    for build_id in ["1", "2"] {
        bench.deployments.register(&version("shop", build_id), &queue("q")).await.unwrap();
        set_current(&bench, "shop", Some(build_id)).await.unwrap();
    }
    let found = bench.deployments.get(NAMESPACE, "shop").unwrap();
    let name = |found: &deployment::Deployment| status(found, "1").as_str_name().to_owned();
    assert_eq!(name(&found), "WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING");
    let (old, now) = (&found.versions["1"], bench.deployments.now());
    assert!(!drainage_is_due(old, now));
    assert!(drainage_is_due(old, now + Span::from_secs(200)));
    let note = |open: bool| {
        bench.deployments.change(NAMESPACE, "shop", move |deployment, _| {
            deployment.note_drainage("1", open, now);
            Ok(())
        })
    };
    note(true).await.unwrap();
    assert_eq!(name(&bench.deployments.get(NAMESPACE, "shop").unwrap()), name(&found));
    note(false).await.unwrap();
    let found = bench.deployments.get(NAMESPACE, "shop").unwrap();
    assert_eq!(name(&found), "WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED");
}

#[tokio::test]
async fn a_hundred_versions_are_kept_and_the_oldest_idle_one_makes_room() {
    let bench = open(&memory()).await;
    for number in 0..deployment::VERSIONS_MAX {
        let version = version("shop", &number.to_string());
        bench.deployments.register(&version, &queue("q")).await.unwrap();
    }
    set_current(&bench, "shop", Some("0")).await.unwrap();
    bench.deployments.register(&version("shop", "new"), &queue("q")).await.unwrap();
    let found = bench.deployments.get(NAMESPACE, "shop").unwrap();
    assert_eq!(found.versions.len(), deployment::VERSIONS_MAX);
    assert!(found.versions.contains_key("0"), "the current version stays");
    assert!(!found.versions.contains_key("1"));
}

#[tokio::test]
async fn a_ramp_to_workers_without_a_version_needs_a_current_version() {
    let bench = open(&memory()).await;
    bench.deployments.register(&version("shop", "1"), &queue("q")).await.unwrap();
    let ramp = |percentage: f32| {
        let change = change(&bench);
        bench.deployments.change(NAMESPACE, "shop", move |deployment, pollers| {
            let missing = |_: &_, _: &str, _: &str| false;
            deployment.set_ramping(&Ramping::Unversioned, percentage, &change, missing, pollers)
        })
    };
    let refused = ramp(20.0).await.unwrap_err().to_string();
    assert_eq!(refused, "requested ramping version __unversioned__ is already current");
    set_current(&bench, "shop", Some("1")).await.unwrap();
    ramp(100.0).await.unwrap();
    assert_eq!(route(&bench, "q").version, None);
    assert_ne!(bench.matching.routes().routes.queue(&queue("q")).unwrap().update_time, Time::UNSET);
}

#[tokio::test]
async fn a_deployment_goes_only_without_versions() {
    let bench = open(&memory()).await;
    bench.deployments.create(NAMESPACE, "shop", "me", "request").await.unwrap();
    bench.deployments.create(NAMESPACE, "shop", "me", "request").await.unwrap();
    let again = bench.deployments.create(NAMESPACE, "shop", "me", "other").await;
    assert!(matches!(again, Err(DeploymentError::AlreadyExists(_))));
    bench.deployments.register(&version("shop", "1"), &queue("q")).await.unwrap();
    let refused = bench.deployments.delete(NAMESPACE, "shop").await.unwrap_err();
    assert_eq!(refused.to_string(), "deployment has versions, can't be deleted");
    let deleted = bench.deployments.change(NAMESPACE, "shop", |deployment, pollers| {
        deployment.delete_version("1", "me", false, pollers)
    });
    deleted.await.unwrap();
    bench.deployments.delete(NAMESPACE, "shop").await.unwrap();
    assert!(bench.deployments.find(NAMESPACE, "shop").is_none());
    assert!(bench.matching.routes().routes.queue(&queue("q")).is_none());
}
