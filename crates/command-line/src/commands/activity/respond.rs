//! `activity complete` and `activity fail`: answers from outside of workers.

use api::{
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    workflowservice::v1::{
        RespondActivityTaskCompletedByIdRequest, RespondActivityTaskFailedByIdRequest,
    },
};
use clap::Args;

use crate::{commands::payload_input::payloads, context::Context, error::Result};

/// An activity that waits for an answer.
#[derive(Debug, Args)]
pub(crate) struct Waiting {
    /// Activity id.
    #[arg(long, short = 'a', value_name = "ID")]
    activity_id: String,
    /// Workflow id; none for a standalone activity.
    #[arg(long, short = 'w', value_name = "ID", default_value = "", hide_default_value = true)]
    workflow_id: String,
    /// Run id; the latest run when missing.
    #[arg(long, short = 'r', value_name = "ID", default_value = "", hide_default_value = true)]
    run_id: String,
}

/// See `activity complete`.
#[derive(Debug, Args)]
pub struct Complete {
    #[command(flatten)]
    activity: Waiting,
    /// Result, as JSON.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    result: String,
}

impl Complete {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let request = RespondActivityTaskCompletedByIdRequest {
            namespace: context.namespace(),
            workflow_id: self.activity.workflow_id,
            run_id: self.activity.run_id,
            activity_id: self.activity.activity_id,
            result: Some(payloads(&[self.result], &[], &[], false)?),
            identity: context.identity(),
            ..RespondActivityTaskCompletedByIdRequest::default()
        };
        context.call(request).await?;
        Ok(())
    }
}

/// See `activity fail`.
#[derive(Debug, Args)]
pub struct Fail {
    #[command(flatten)]
    activity: Waiting,
    /// Details, as JSON.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    detail: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

impl Fail {
    pub(crate) async fn run(self, context: &mut Context) -> Result {
        let details = match self.detail {
            Some(detail) => Some(payloads(&[detail], &[], &[], false)?),
            None => None,
        };
        let info = ApplicationFailureInfo {
            non_retryable: true,
            details,
            ..ApplicationFailureInfo::default()
        };
        let request = RespondActivityTaskFailedByIdRequest {
            namespace: context.namespace(),
            workflow_id: self.activity.workflow_id,
            run_id: self.activity.run_id,
            activity_id: self.activity.activity_id,
            failure: Some(Failure {
                message: self.reason,
                source: "CLI".to_owned(),
                failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
                ..Failure::default()
            }),
            identity: context.identity(),
            ..RespondActivityTaskFailedByIdRequest::default()
        };
        context.call(request).await?;
        Ok(())
    }
}
