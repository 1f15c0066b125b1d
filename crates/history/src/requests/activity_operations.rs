//! What people do to pending activities.

use std::sync::Arc;

use api::{activity::v1::ActivityOptions, rules::v1::WorkflowRuleSpec};
use authz::Permit;
use engine::{
    ActivitySelection, Input, PauseActivity, Reply, ResetActivity, SetActivityOptions,
    UnpauseActivity,
};
use namespace::Namespace;

use crate::{Execution, History, HistoryError};

impl History {
    /// Stops new attempts of activities.
    ///
    /// # Errors
    /// When the run has no such activity, or another request has paused it.
    pub async fn pause_activities(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        pause: PauseActivity,
    ) -> Result<(), HistoryError> {
        self.apply(permit, namespace, execution, Input::PauseActivity(pause)).await?;
        Ok(())
    }

    /// Lets paused activities go on. What decides their places in the jitter is filled in.
    ///
    /// # Errors
    /// When the run has no such activity.
    pub async fn unpause_activities(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        unpause: UnpauseActivity,
    ) -> Result<(), HistoryError> {
        let seed = self.node.environment.entropy.random_u64();
        let input = Input::UnpauseActivity(UnpauseActivity { seed, ..unpause });
        self.apply(permit, namespace, execution, input).await?;
        Ok(())
    }

    /// Lets activities begin again with their first attempt. What decides their places in the
    /// jitter is filled in.
    ///
    /// # Errors
    /// When the run has no such activity.
    pub async fn reset_activities(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        reset: ResetActivity,
    ) -> Result<(), HistoryError> {
        let seed = self.node.environment.entropy.random_u64();
        let input = Input::ResetActivity(ResetActivity { seed, ..reset });
        self.apply(permit, namespace, execution, input).await?;
        Ok(())
    }

    /// Applies a rule to the pending activities of a run; true when it has paused one.
    ///
    /// # Errors
    /// When there is no such run, or it has closed.
    pub async fn trigger_rule(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        spec: WorkflowRuleSpec,
    ) -> Result<bool, HistoryError> {
        let input = Input::TriggerRule(Box::new(spec));
        let reply = self.apply(permit, namespace, execution, input).await?;
        Ok(matches!(reply, Reply::RuleTriggered { applied: true }))
    }

    /// Changes the options of activities that the paths name, or gives the activities their own
    /// back. Returns what is in force then for the last of them.
    ///
    /// # Errors
    /// When the run has no such activity, or the options are not valid.
    pub async fn set_activity_options(
        &self,
        permit: &Permit,
        namespace: &Arc<Namespace>,
        execution: &Execution,
        selection: ActivitySelection,
        change: Option<(ActivityOptions, Vec<String>)>,
    ) -> Result<ActivityOptions, HistoryError> {
        let input = Input::SetActivityOptions(Box::new(SetActivityOptions { selection, change }));
        match self.apply(permit, namespace, execution, input).await? {
            Reply::ActivityOptions(options) => Ok(*options),
            _ => Ok(ActivityOptions::default()),
        }
    }
}
