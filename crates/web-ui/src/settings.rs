//! What a UI is told of the server that it is for, in the shape of the reference's UI server.

use serde::Serialize;

/// What `GET /api/v1/settings` answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Settings {
    pub auth: Auth,
    pub default_namespace: String,
    pub show_temporal_system_namespace: bool,
    pub nav_collapsed_by_default: bool,
    #[serde(rename = "FeedbackURL")]
    pub feedback_url: String,
    pub disable_news_fetch: bool,
    pub codec: Codec,
    pub version: String,
    pub disable_write_actions: bool,
    pub workflow_terminate_disabled: bool,
    pub workflow_cancel_disabled: bool,
    pub workflow_signal_disabled: bool,
    pub workflow_update_disabled: bool,
    pub workflow_reset_disabled: bool,
    pub workflow_pause_disabled: bool,
    pub batch_actions_disabled: bool,
    pub start_workflow_disabled: bool,
    pub hide_workflow_query_errors: bool,
    pub refresh_workflow_counts_disabled: bool,
    pub activity_commands_disabled: bool,
}

/// How a UI signs people in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Auth {
    pub enabled: bool,
    pub options: Option<Vec<String>>,
    pub redirect_to_provider: bool,
}

/// The codec server that a UI asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Codec {
    pub endpoint: String,
    pub pass_access_token: bool,
    pub include_credentials: bool,
    pub default_error_message: String,
    pub default_error_link: String,
}

impl Settings {
    /// Takes what the reference's variables say; `lookup` gives their values.
    ///
    /// # Errors
    /// The name of a variable whose value is not understood.
    pub fn fill_in(&mut self, lookup: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        let given = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let codec = &mut self.codec;
        for (name, text) in [
            ("TEMPORAL_CODEC_ENDPOINT", &mut codec.endpoint),
            ("TEMPORAL_CODEC_DEFAULT_ERROR_MESSAGE", &mut codec.default_error_message),
            ("TEMPORAL_CODEC_DEFAULT_ERROR_LINK", &mut codec.default_error_link),
            ("TEMPORAL_DEFAULT_NAMESPACE", &mut self.default_namespace),
            ("TEMPORAL_FEEDBACK_URL", &mut self.feedback_url),
        ] {
            if let Some(value) = given(name) {
                *text = value;
            }
        }
        for (name, flag) in [
            ("TEMPORAL_CODEC_PASS_ACCESS_TOKEN", &mut codec.pass_access_token),
            ("TEMPORAL_CODEC_INCLUDE_CREDENTIALS", &mut codec.include_credentials),
            ("TEMPORAL_SHOW_TEMPORAL_SYSTEM_NAMESPACE", &mut self.show_temporal_system_namespace),
            ("TEMPORAL_NAV_COLLAPSED_BY_DEFAULT", &mut self.nav_collapsed_by_default),
            ("TEMPORAL_DISABLE_NEWS_FETCH", &mut self.disable_news_fetch),
            ("TEMPORAL_DISABLE_WRITE_ACTIONS", &mut self.disable_write_actions),
            ("TEMPORAL_WORKFLOW_TERMINATE_DISABLED", &mut self.workflow_terminate_disabled),
            ("TEMPORAL_WORKFLOW_CANCEL_DISABLED", &mut self.workflow_cancel_disabled),
            ("TEMPORAL_WORKFLOW_SIGNAL_DISABLED", &mut self.workflow_signal_disabled),
            ("TEMPORAL_WORKFLOW_UPDATE_DISABLED", &mut self.workflow_update_disabled),
            ("TEMPORAL_WORKFLOW_RESET_DISABLED", &mut self.workflow_reset_disabled),
            ("TEMPORAL_WORKFLOW_PAUSE_DISABLED", &mut self.workflow_pause_disabled),
            ("TEMPORAL_BATCH_ACTIONS_DISABLED", &mut self.batch_actions_disabled),
            ("TEMPORAL_START_WORKFLOW_DISABLED", &mut self.start_workflow_disabled),
            ("TEMPORAL_HIDE_WORKFLOW_QUERY_ERRORS", &mut self.hide_workflow_query_errors),
            (
                "TEMPORAL_REFRESH_WORKFLOW_COUNTS_DISABLED",
                &mut self.refresh_workflow_counts_disabled,
            ),
            ("TEMPORAL_ACTIVITY_COMMANDS_DISABLED", &mut self.activity_commands_disabled),
        ] {
            if let Some(value) = given(name) {
                *flag = match value.as_str() {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(name.to_owned()),
                };
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_that_of_the_reference() {
        let json = serde_json::to_value(Settings::default()).unwrap();
        let expected = serde_json::json!({
            "Auth": {"Enabled": false, "Options": null, "RedirectToProvider": false},
            "DefaultNamespace": "", "ShowTemporalSystemNamespace": false,
            "NavCollapsedByDefault": false, "FeedbackURL": "", "DisableNewsFetch": false,
            "Codec": {"Endpoint": "", "PassAccessToken": false, "IncludeCredentials": false,
                      "DefaultErrorMessage": "", "DefaultErrorLink": ""},
            "Version": "", "DisableWriteActions": false, "WorkflowTerminateDisabled": false,
            "WorkflowCancelDisabled": false, "WorkflowSignalDisabled": false,
            "WorkflowUpdateDisabled": false, "WorkflowResetDisabled": false,
            "WorkflowPauseDisabled": false, "BatchActionsDisabled": false,
            "StartWorkflowDisabled": false, "HideWorkflowQueryErrors": false,
            "RefreshWorkflowCountsDisabled": false, "ActivityCommandsDisabled": false,
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn variables_of_the_reference_are_taken() {
        let mut settings = Settings::default();
        let lookup = |name: &str| match name {
            "TEMPORAL_CODEC_ENDPOINT" => Some("https://codec".to_owned()),
            "TEMPORAL_DISABLE_WRITE_ACTIONS" => Some("true".to_owned()),
            "TEMPORAL_FEEDBACK_URL" => Some(String::new()),
            _ => None,
        };
        settings.fill_in(lookup).unwrap();
        assert_eq!(settings.codec.endpoint, "https://codec");
        assert!(settings.disable_write_actions);
        let wrong = settings.fill_in(|_| Some("perhaps".to_owned())).unwrap_err();
        assert_eq!(wrong, "TEMPORAL_CODEC_PASS_ACCESS_TOKEN");
    }
}
