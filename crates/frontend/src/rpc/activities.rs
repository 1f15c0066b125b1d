//! What workers and others report about activities: by task token, or by the ids of workflow and
//! activity.

use api::{
    common::v1::Payloads,
    failure::v1::{Failure, failure::FailureInfo},
    workflowservice::v1::{
        RecordActivityTaskHeartbeatByIdRequest, RecordActivityTaskHeartbeatByIdResponse,
        RecordActivityTaskHeartbeatRequest, RecordActivityTaskHeartbeatResponse,
        RespondActivityTaskCanceledByIdRequest, RespondActivityTaskCanceledByIdResponse,
        RespondActivityTaskCanceledRequest, RespondActivityTaskCanceledResponse,
        RespondActivityTaskCompletedByIdRequest, RespondActivityTaskCompletedByIdResponse,
        RespondActivityTaskCompletedRequest, RespondActivityTaskCompletedResponse,
        RespondActivityTaskFailedByIdRequest, RespondActivityTaskFailedByIdResponse,
        RespondActivityTaskFailedRequest, RespondActivityTaskFailedResponse,
    },
};
use engine::{CancelActivity, CompleteActivity, FailActivity, HeartbeatActivity, HeldActivity};
use history::{Execution, HeartbeatAnswer, RunKey};
use standalone_activity::{Complete, Confirm, Fail, Heartbeat, Input, Reply};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::activity_executions::Named,
    token::HeldTask,
    validation::{check_length, failure_of_size, run_id},
};

/// The activity that a worker means.
enum Held {
    /// One of a run.
    OfRun {
        /// The run.
        execution: Execution,
        /// The activity.
        activity: HeldActivity,
    },
    /// One that no workflow runs.
    Standalone {
        /// The activity.
        named: Named,
        /// Its attempt.
        held: standalone_activity::Held,
    },
}

impl Held {
    fn by_token(call: &Call, identity: &str) -> ApiResult<Self> {
        check_length("Identity", identity, &call.namespace()?.limits)?;
        let token = call.token()?;
        let RunKey { workflow, run_id } = &token.run;
        if let HeldTask::StandaloneActivity(held) = &token.task {
            let named = Named::known(workflow.workflow_id.clone(), Some(*run_id));
            return Ok(Self::Standalone { named, held: *held });
        }
        Ok(Self::OfRun {
            execution: Execution::run(workflow.workflow_id.clone(), *run_id),
            activity: token.held_activity()?,
        })
    }

    fn by_id(
        call: &Call,
        workflow_id: String,
        run: &str,
        activity_id: String,
        identity: &str,
    ) -> ApiResult<Self> {
        let run_id = run_id(run, "RunId is not valid UUID.")?;
        if activity_id.is_empty() {
            return Err(ApiError::invalid("ActivityId is not set on request."));
        }
        check_length("Identity", identity, &call.namespace()?.limits)?;
        if workflow_id.is_empty() {
            let named = Named::known(activity_id, run_id);
            return Ok(Self::Standalone { named, held: standalone_activity::Held::Current });
        }
        let execution = Execution { workflow_id, run_id };
        Ok(Self::OfRun { execution, activity: HeldActivity::Id(activity_id) })
    }

    /// An activity that has failed because of the size of its details is asked to stop.
    async fn heartbeat(
        self,
        frontend: &Frontend,
        call: &Call,
        details: Option<Payloads>,
        identity: String,
    ) -> ApiResult<HeartbeatAnswer> {
        let namespace = call.namespace()?;
        let too_large = failure_of_size("Heartbeat details", details.as_ref(), &namespace.limits);
        if let Some(failure) = too_large {
            self.fail_with(frontend, call, Some(failure), identity, None).await?;
            return Ok(HeartbeatAnswer { cancel_requested: true, ..HeartbeatAnswer::default() });
        }
        match self {
            Self::OfRun { execution, activity } => {
                let heartbeat = HeartbeatActivity { activity, details, identity };
                let answer = frontend.history.heartbeat_activity(
                    &call.permit,
                    namespace,
                    &execution,
                    heartbeat,
                );
                Ok(answer.await?)
            }
            Self::Standalone { named, held } => {
                let heartbeat = Input::Heartbeat(Heartbeat { held, details });
                match named.ask(frontend, call, heartbeat).await? {
                    Reply::Heartbeat { cancel_requested, paused, reset } => {
                        Ok(HeartbeatAnswer { cancel_requested, paused, reset })
                    }
                    _ => Ok(HeartbeatAnswer::default()),
                }
            }
        }
    }

    async fn complete(
        self,
        frontend: &Frontend,
        call: &Call,
        result: Option<Payloads>,
        identity: String,
    ) -> ApiResult<()> {
        let namespace = call.namespace()?;
        let too_large = failure_of_size("Complete result", result.as_ref(), &namespace.limits);
        if let Some(failure) = too_large {
            return self.fail_with(frontend, call, Some(failure), identity, None).await;
        }
        match self {
            Self::OfRun { execution, activity } => {
                let complete = CompleteActivity { activity, result, identity };
                let (history, permit) = (&frontend.history, &call.permit);
                history.complete_activity(permit, namespace, &execution, complete).await?;
            }
            Self::Standalone { named, held } => {
                let complete = Input::Complete(Complete { held, result, identity });
                named.ask(frontend, call, complete).await?;
            }
        }
        Ok(())
    }

    async fn fail(
        self,
        frontend: &Frontend,
        call: &Call,
        failure: Option<Failure>,
        identity: String,
        last_heartbeat_details: Option<Payloads>,
    ) -> ApiResult<()> {
        let limits = &call.namespace()?.limits;
        if let Some(Failure { failure_info, .. }) = &failure
            && !matches!(failure_info, Some(FailureInfo::ApplicationFailureInfo(_)))
        {
            return Err(ApiError::invalid("Failure must have ApplicationFailureInfo."));
        }
        let of_heartbeat =
            failure_of_size("Heartbeat details", last_heartbeat_details.as_ref(), limits);
        if let Some(of_heartbeat) = of_heartbeat {
            return self.fail_with(frontend, call, Some(of_heartbeat), identity, None).await;
        }
        let failure = failure_of_size("Failure details", failure.as_ref(), limits).or(failure);
        self.fail_with(frontend, call, failure, identity, last_heartbeat_details).await
    }

    async fn fail_with(
        self,
        frontend: &Frontend,
        call: &Call,
        failure: Option<Failure>,
        identity: String,
        last_heartbeat_details: Option<Payloads>,
    ) -> ApiResult<()> {
        match self {
            Self::OfRun { execution, activity } => {
                let fail = FailActivity { activity, failure, identity, last_heartbeat_details };
                let (history, permit) = (&frontend.history, &call.permit);
                history.fail_activity(permit, call.namespace()?, &execution, fail).await?;
            }
            Self::Standalone { named, held } => {
                let fail = Fail { held, failure, last_heartbeat_details, identity };
                named.ask(frontend, call, Input::Fail(Box::new(fail))).await?;
            }
        }
        Ok(())
    }

    async fn cancel(
        self,
        frontend: &Frontend,
        call: &Call,
        details: Option<Payloads>,
        identity: String,
    ) -> ApiResult<()> {
        let namespace = call.namespace()?;
        let too_large = failure_of_size("Cancel details", details.as_ref(), &namespace.limits);
        if let Some(failure) = too_large {
            return self.fail_with(frontend, call, Some(failure), identity, None).await;
        }
        match self {
            Self::OfRun { execution, activity } => {
                let cancel = CancelActivity { activity, details, identity };
                let (history, permit) = (&frontend.history, &call.permit);
                history.cancel_activity(permit, namespace, &execution, cancel).await?;
            }
            Self::Standalone { named, held } => {
                named.ask(frontend, call, Input::Confirm(Confirm { held, details })).await?;
            }
        }
        Ok(())
    }
}

pub(crate) async fn record_activity_task_heartbeat(
    frontend: &Frontend,
    call: &Call,
    request: RecordActivityTaskHeartbeatRequest,
) -> ApiResult<RecordActivityTaskHeartbeatResponse> {
    let held = Held::by_token(call, &request.identity)?;
    let HeartbeatAnswer { cancel_requested, paused, reset } =
        held.heartbeat(frontend, call, request.details, request.identity).await?;
    Ok(RecordActivityTaskHeartbeatResponse {
        cancel_requested,
        activity_paused: paused,
        activity_reset: reset,
    })
}

pub(crate) async fn record_activity_task_heartbeat_by_id(
    frontend: &Frontend,
    call: &Call,
    request: RecordActivityTaskHeartbeatByIdRequest,
) -> ApiResult<RecordActivityTaskHeartbeatByIdResponse> {
    let (workflow_id, activity_id) = (request.workflow_id, request.activity_id);
    let held = Held::by_id(call, workflow_id, &request.run_id, activity_id, &request.identity)?;
    let HeartbeatAnswer { cancel_requested, paused, reset } =
        held.heartbeat(frontend, call, request.details, request.identity).await?;
    Ok(RecordActivityTaskHeartbeatByIdResponse {
        cancel_requested,
        activity_paused: paused,
        activity_reset: reset,
    })
}

pub(crate) async fn respond_activity_task_completed(
    frontend: &Frontend,
    call: &Call,
    request: RespondActivityTaskCompletedRequest,
) -> ApiResult<RespondActivityTaskCompletedResponse> {
    let held = Held::by_token(call, &request.identity)?;
    held.complete(frontend, call, request.result, request.identity).await?;
    Ok(RespondActivityTaskCompletedResponse {})
}

pub(crate) async fn respond_activity_task_completed_by_id(
    frontend: &Frontend,
    call: &Call,
    request: RespondActivityTaskCompletedByIdRequest,
) -> ApiResult<RespondActivityTaskCompletedByIdResponse> {
    let (workflow_id, activity_id) = (request.workflow_id, request.activity_id);
    let held = Held::by_id(call, workflow_id, &request.run_id, activity_id, &request.identity)?;
    held.complete(frontend, call, request.result, request.identity).await?;
    Ok(RespondActivityTaskCompletedByIdResponse {})
}

pub(crate) async fn respond_activity_task_failed(
    frontend: &Frontend,
    call: &Call,
    request: RespondActivityTaskFailedRequest,
) -> ApiResult<RespondActivityTaskFailedResponse> {
    let held = Held::by_token(call, &request.identity)?;
    let (failure, heartbeat) = (request.failure, request.last_heartbeat_details);
    held.fail(frontend, call, failure, request.identity, heartbeat).await?;
    Ok(RespondActivityTaskFailedResponse::default())
}

pub(crate) async fn respond_activity_task_failed_by_id(
    frontend: &Frontend,
    call: &Call,
    request: RespondActivityTaskFailedByIdRequest,
) -> ApiResult<RespondActivityTaskFailedByIdResponse> {
    let (workflow_id, activity_id) = (request.workflow_id, request.activity_id);
    let held = Held::by_id(call, workflow_id, &request.run_id, activity_id, &request.identity)?;
    let (failure, heartbeat) = (request.failure, request.last_heartbeat_details);
    held.fail(frontend, call, failure, request.identity, heartbeat).await?;
    Ok(RespondActivityTaskFailedByIdResponse::default())
}

pub(crate) async fn respond_activity_task_canceled(
    frontend: &Frontend,
    call: &Call,
    request: RespondActivityTaskCanceledRequest,
) -> ApiResult<RespondActivityTaskCanceledResponse> {
    let held = Held::by_token(call, &request.identity)?;
    held.cancel(frontend, call, request.details, request.identity).await?;
    Ok(RespondActivityTaskCanceledResponse {})
}

pub(crate) async fn respond_activity_task_canceled_by_id(
    frontend: &Frontend,
    call: &Call,
    request: RespondActivityTaskCanceledByIdRequest,
) -> ApiResult<RespondActivityTaskCanceledByIdResponse> {
    let (workflow_id, activity_id) = (request.workflow_id, request.activity_id);
    let held = Held::by_id(call, workflow_id, &request.run_id, activity_id, &request.identity)?;
    held.cancel(frontend, call, request.details, request.identity).await?;
    Ok(RespondActivityTaskCanceledByIdResponse {})
}
