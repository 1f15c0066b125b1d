//! What clients do to the pending activities of a workflow.

use api::activity::v1::ActivityOptions;
use engine::{ActivitySelection, Input, PauseActivity, ResetActivity, UnpauseActivity};
use history::Execution;
use model::Span;

use super::Client;
use crate::broken::Broken;

/// A time-out that is long enough for every activity.
const TIMEOUT: Span = Span::from_secs(20);

impl Client {
    /// Pauses all activities for a while. Those that were paused do not begin meanwhile.
    pub(super) async fn pause_activities(&self, number: usize) {
        let (world, workflow_id) = (&self.world, &self.workflow_id);
        let (asked, epoch) = (world.now(), world.witness.pauses().asked(workflow_id));
        let pause = PauseActivity {
            selection: ActivitySelection::All,
            identity: "client".to_owned(),
            reason: "simulated".to_owned(),
            request_id: format!("pause {number} of the activities of {workflow_id}"),
        };
        let is_paused = world.breaks(Broken::ForgetsPauses)
            || self.operate("pause activities", Input::PauseActivity(pause)).await;
        if !is_paused {
            return;
        }
        if self.keeps_time() {
            world.witness.pauses().answered(workflow_id, epoch, asked, world.now(), ());
        }
        world.sleep(self.dice.span(50, 8_000)).await;
        self.let_activities_go("unpause activities", |client| {
            Input::UnpauseActivity(UnpauseActivity {
                selection: ActivitySelection::All,
                resets_attempts: client.dice.chance(300),
                resets_heartbeat: false,
                jitter: client.dice.span(0, 500),
                seed: 0,
            })
        })
        .await;
    }

    /// Lets all activities begin again.
    pub(super) async fn reset_activities(&self) {
        self.let_activities_go("reset activities", |client| {
            Input::ResetActivity(ResetActivity {
                selection: ActivitySelection::All,
                resets_heartbeat: false,
                keeps_paused: false,
                restores_options: false,
                jitter: client.dice.span(0, 500),
                seed: 0,
            })
        })
        .await;
    }

    async fn let_activities_go(&self, what: &str, input: impl FnOnce(&Self) -> Input) {
        self.world.witness.pauses().end_asked(&self.workflow_id);
        self.operate(what, input(self)).await;
        self.world.witness.pauses().end_answered(&self.workflow_id);
    }

    /// Gives all activities another time-out. Attempts that begin later have it.
    pub(super) async fn set_activity_options(&self, number: usize) {
        let (world, workflow_id) = (&self.world, &self.workflow_id);
        let asked = world.now();
        world.witness.timeouts().end_asked(workflow_id);
        let epoch = Some(world.witness.timeouts().epoch(workflow_id));
        let timeout = TIMEOUT + Span::from_millis(i64::try_from(number).unwrap_or(0) + 1);
        let is_set =
            world.breaks(Broken::ForgetsActivityOptions) || self.ask_for_timeout(timeout).await;
        world.witness.timeouts().end_answered(workflow_id);
        if is_set && self.keeps_time() {
            world.witness.timeouts().answered(workflow_id, epoch, asked, world.now(), timeout);
        }
    }

    /// Asks until there is an answer; false for a refusal.
    async fn ask_for_timeout(&self, timeout: Span) -> bool {
        loop {
            let execution = Execution::current(&self.workflow_id);
            let options = ActivityOptions {
                start_to_close_timeout: Some(timeout.to_proto()),
                ..ActivityOptions::default()
            };
            let change = Some((options, vec!["start_to_close_timeout".to_owned()]));
            let set = self.world.call(&self.dice, |life| async move {
                let (permit, namespace) = (&life.permit, &life.namespace());
                let all = ActivitySelection::All;
                let history = &life.history;
                history.set_activity_options(permit, namespace, &execution, all, change).await
            });
            let set = set.await;
            self.world.note(&self.workflow_id, "set activity options", &set);
            match set {
                Ok(_) => return true,
                Err(error) if error.is_rejection() => return false,
                Err(_) => self.pause().await,
            }
        }
    }

    /// Asks until there is an answer; false for a refusal.
    async fn operate(&self, what: &str, input: Input) -> bool {
        loop {
            let execution = Execution::current(&self.workflow_id);
            let input = input.clone();
            let asked = self.world.call(&self.dice, |life| async move {
                let (permit, namespace, history) = (&life.permit, &life.namespace(), &life.history);
                match input {
                    Input::PauseActivity(pause) => {
                        history.pause_activities(permit, namespace, &execution, pause).await
                    }
                    Input::UnpauseActivity(unpause) => {
                        history.unpause_activities(permit, namespace, &execution, unpause).await
                    }
                    Input::ResetActivity(reset) => {
                        history.reset_activities(permit, namespace, &execution, reset).await
                    }
                    _ => Ok(()),
                }
            });
            let asked = asked.await;
            self.world.note(&self.workflow_id, what, &asked);
            match asked {
                Ok(()) => return true,
                Err(error) if error.is_rejection() => return false,
                Err(_) => self.pause().await,
            }
        }
    }

    /// Whether times tell what came first: no clock is set, and the workflow skips none.
    fn keeps_time(&self) -> bool {
        !self.world.profile.clock_jumps && !self.program.skips_time()
    }
}
