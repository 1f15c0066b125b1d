//! Which calls the settings of a UI forbid.
//!
//! The reference's UI server refuses every write when all of them are forbidden, and leaves single
//! actions to its pages. Here the server refuses both.

use http::Method;

use crate::Settings;

/// The call that only reads, although it is sent with a body.
const QUERY: &str = "QueryWorkflow";

impl Settings {
    /// Whether nobody may make this call through the UI's API. `rpc` is the name of the method that
    /// is called, without its service; `None` when the request is no call.
    pub fn forbid(&self, method: &Method, rpc: Option<&str>) -> bool {
        let writes = *method != Method::GET && rpc != Some(QUERY);
        (writes && self.disable_write_actions) || rpc.is_some_and(|rpc| self.forbid_action(rpc))
    }

    fn forbid_action(&self, rpc: &str) -> bool {
        match rpc {
            "StartWorkflowExecution" => self.start_workflow_disabled,
            "SignalWithStartWorkflowExecution" => {
                self.start_workflow_disabled || self.workflow_signal_disabled
            }
            "SignalWorkflowExecution" => self.workflow_signal_disabled,
            "UpdateWorkflowExecution" => self.workflow_update_disabled,
            "RequestCancelWorkflowExecution" => self.workflow_cancel_disabled,
            "TerminateWorkflowExecution" => self.workflow_terminate_disabled,
            "ResetWorkflowExecution" => self.workflow_reset_disabled,
            "PauseWorkflowExecution" | "UnpauseWorkflowExecution" => self.workflow_pause_disabled,
            "StartBatchOperation" => self.batch_actions_disabled,
            "PauseActivity"
            | "PauseActivityExecution"
            | "RequestCancelActivityExecution"
            | "ResetActivity"
            | "ResetActivityExecution"
            | "TerminateActivityExecution"
            | "UnpauseActivity"
            | "UnpauseActivityExecution"
            | "UpdateActivityExecutionOptions"
            | "UpdateActivityOptions" => self.activity_commands_disabled,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_reading_is_left_when_all_writes_are_forbidden() {
        let settings = Settings { disable_write_actions: true, ..Settings::default() };
        for (method, rpc, forbidden) in [
            (Method::GET, Some("ListWorkflowExecutions"), false),
            (Method::POST, Some(QUERY), false),
            (Method::POST, Some("StartWorkflowExecution"), true),
            (Method::DELETE, Some("DeleteSchedule"), true),
            (Method::POST, None, true),
            (Method::GET, None, false),
        ] {
            assert_eq!(settings.forbid(&method, rpc), forbidden, "{method} {rpc:?}");
        }
    }

    #[test]
    fn one_action_is_forbidden_and_no_other() {
        let forbidden = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            [
                "StartWorkflowExecution",
                "SignalWithStartWorkflowExecution",
                "SignalWorkflowExecution",
                "UpdateWorkflowExecution",
                "RequestCancelWorkflowExecution",
                "TerminateWorkflowExecution",
                "ResetWorkflowExecution",
                "PauseWorkflowExecution",
                "StartBatchOperation",
                "PauseActivity",
            ]
            .into_iter()
            .filter(|rpc| settings.forbid(&Method::POST, Some(rpc)))
            .collect::<Vec<_>>()
        };
        assert_eq!(forbidden(|_| {}), [""; 0]);
        assert_eq!(
            forbidden(|settings| settings.workflow_terminate_disabled = true),
            ["TerminateWorkflowExecution"]
        );
        assert_eq!(
            forbidden(|settings| settings.start_workflow_disabled = true),
            ["StartWorkflowExecution", "SignalWithStartWorkflowExecution"]
        );
        assert_eq!(
            forbidden(|settings| settings.workflow_signal_disabled = true),
            ["SignalWithStartWorkflowExecution", "SignalWorkflowExecution"]
        );
        assert_eq!(
            forbidden(|settings| settings.activity_commands_disabled = true),
            ["PauseActivity"]
        );
    }
}
