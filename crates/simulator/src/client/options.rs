//! Other options for a run: its priority, and which version of the workers it stays on.

use api::{
    common::v1::Priority,
    workflow::v1::{
        VersioningOverride, WorkflowExecutionOptions,
        versioning_override::{Override, PinnedOverride, PinnedOverrideBehavior},
    },
};
use engine::UpdateOptions;
use history::Execution;

use super::Client;
use crate::{broken::Broken, fleet};

impl Client {
    /// Gives the run a priority that tells which request set it.
    pub(super) async fn set_priority(&self, number: usize) {
        let (world, workflow_id) = (&self.world, &self.workflow_id);
        let fairness_key = format!("options {number}");
        let priority = Priority { fairness_key: fairness_key.clone(), ..Priority::default() };
        let options = WorkflowExecutionOptions { priority: Some(priority), ..Default::default() };
        let is_set = world.breaks(Broken::LosesOptions)
            || self.set_options(options, "priority.fairness_key").await;
        if is_set {
            world.witness.options_set(workflow_id, &fairness_key);
        }
    }

    /// Pins the run to a version for a while, whatever its worker says.
    pub(super) async fn override_version(&self) {
        let Some(build_id) = self.dice.pick(&fleet::BUILDS) else { return };
        let pinned = PinnedOverride {
            behavior: PinnedOverrideBehavior::Pinned as i32,
            version: Some(fleet::version(build_id)),
        };
        let chosen =
            VersioningOverride { r#override: Some(Override::Pinned(pinned)), ..Default::default() };
        let options = WorkflowExecutionOptions {
            versioning_override: Some(chosen),
            ..WorkflowExecutionOptions::default()
        };
        if !self.set_options(options, "versioning_override").await {
            return;
        }
        self.world.sleep(self.dice.span(50, 15_000)).await;
        self.set_options(WorkflowExecutionOptions::default(), "versioning_override").await;
    }

    /// Asks until there is an answer; false for a refusal.
    async fn set_options(&self, options: WorkflowExecutionOptions, path: &str) -> bool {
        loop {
            let execution = Execution::current(&self.workflow_id);
            let update = UpdateOptions {
                options: options.clone(),
                paths: vec![path.to_owned()],
                identity: "client".to_owned(),
            };
            let set = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                life.history.update_workflow_options(permit, namespace, &execution, update).await
            });
            let set = set.await;
            self.world.note(&self.workflow_id, &format!("set {path}"), &set);
            match set {
                Ok(_) => return true,
                Err(error) if error.is_rejection() => return false,
                Err(_) => self.pause().await,
            }
        }
    }
}
