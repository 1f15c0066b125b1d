//! What workers answer to workflow tasks.

use std::collections::BTreeMap;

use api::{
    command::v1::{Command, command::Attributes},
    enums::v1::TaskQueueKind,
    taskqueue::v1::StickyExecutionAttributes,
    workflowservice::v1::{
        RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskCompletedResponse,
        RespondWorkflowTaskFailedRequest, RespondWorkflowTaskFailedResponse,
    },
};
use authz::Resource;
use engine::{CompleteWorkflowTask, FailWorkflowTask, HeldWorkflowTask, Sticky};
use history::{CompleteWorkflowTaskRequest, CompletedTask, KeptPage};
use model::{Limits, Span};

use crate::{
    admission::Call,
    command_metrics,
    details::of_command,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::{
        activity_poll::activity_task, query::check_answer, start::StartChecks,
        workflow_poll::workflow_task,
    },
    system_operations,
    validation::{
        answering_version, check_duration, check_length, drop_nulls, polled_queue,
        shape_versioning_overrides, type_search_attributes,
    },
};

pub(crate) async fn respond_workflow_task_completed(
    frontend: &Frontend,
    call: &Call,
    mut request: RespondWorkflowTaskCompletedRequest,
) -> ApiResult<RespondWorkflowTaskCompletedResponse> {
    let namespace = call.namespace()?;
    let limits = &namespace.limits;
    let token = call.token()?;
    let task = token.held_workflow_task()?;
    check_length("Identity", &request.identity, limits)?;
    check_length("WorkerControlTaskQueue", &request.worker_control_task_queue, limits)?;
    let Some(is_too_large) = join_pages(frontend, call, &task, &mut request).await? else {
        return Ok(RespondWorkflowTaskCompletedResponse::default());
    };
    // The engine refuses other namespaces; one that there is not is the caller's mistake. Who has
    // no right there learns neither.
    for attributes in request.commands.iter().filter_map(|command| command.attributes.as_ref()) {
        let Some((name, rpc)) = target_namespace(attributes) else { continue };
        if name != namespace.name {
            let rpc = authz::method(rpc);
            let rpc = rpc.ok_or_else(|| ApiError::internal(&"a command without a method"))?;
            let resource = Resource::in_namespace(name).about(of_command(attributes));
            let permitted = frontend.permit(rpc, call.permit.caller(), resource).await;
            permitted.map_err(|error| {
                let rule = error.reason().unwrap_or_default().to_owned();
                error.because(format!("{rule}: {} on `{name}`", rpc.name))
            })?;
        }
        frontend.namespace(name)?;
    }
    let search_attributes_refusals = type_search_attributes(&mut request.commands, namespace);
    let versioning_override_refusals = shape_versioning_overrides(&mut request.commands);
    drop_nulls(&mut request.commands);
    let checks = StartChecks::now(frontend);
    let nexus_operation_refusals =
        system_operations::refusals(&checks, namespace, &request.commands);
    let nexus_endpoints = nexus_endpoints(frontend, &request.commands);
    let counted: Vec<_> = request
        .commands
        .iter()
        .filter_map(|command| command_metrics::counted(command.command_type()))
        .collect();
    let behavior = request.versioning_behavior();
    let options = request.deployment_options.as_ref();
    let (deployment_version, versioning_behavior) = answering_version(options, behavior)?;
    let input = CompleteWorkflowTask {
        task,
        commands: request.commands,
        messages: request.messages,
        identity: request.identity,
        binary_checksum: request.binary_checksum,
        sticky: sticky(request.sticky_attributes, limits)?,
        return_new_workflow_task: request.return_new_workflow_task,
        force_create_new_workflow_task: request.force_create_new_workflow_task,
        takes_back_speculative_events: request
            .capabilities
            .is_some_and(|worker| worker.discard_speculative_workflow_task_with_events),
        sdk_metadata: request.sdk_metadata,
        metering_metadata: request.metering_metadata,
        worker_version: request.worker_version_stamp,
        is_too_large,
        worker_control_task_queue: request.worker_control_task_queue,
        request_id: frontend.request_id(String::new()),
        search_attributes_refusals,
        versioning_override_refusals,
        nexus_operation_refusals,
        nexus_endpoints,
        deployment_version,
        versioning_behavior,
        worker_deployment_name: request
            .deployment_options
            .map(|options| options.deployment_name)
            .unwrap_or_default(),
        ..CompleteWorkflowTask::default()
    };
    let results = request.query_results.into_iter();
    let query_results = results.map(|(id, result)| (id, check_answer(result, limits))).collect();
    let request = CompleteWorkflowTaskRequest { input, query_results };
    let CompletedTask { workflow_task: next, activity_tasks, reset_history_event_id } = frontend
        .history
        .complete_workflow_task(&call.permit, namespace, &token.run, request)
        .await?;
    for command in counted {
        frontend.metrics.command(&namespace.name, command);
    }
    let keys = frontend.token_keys();
    Ok(RespondWorkflowTaskCompletedResponse {
        workflow_task: next.map(|task| workflow_task(keys, task)),
        activity_tasks: activity_tasks
            .into_iter()
            .map(|delivery| activity_task(keys, &namespace.name, &delivery.run, delivery.activity))
            .collect(),
        reset_history_event_id,
    })
}

/// Puts the commands of the pages before into the last one; true when all of it has grown too large.
/// None when more pages are to follow: this one is kept.
async fn join_pages(
    frontend: &Frontend,
    call: &Call,
    task: &HeldWorkflowTask,
    request: &mut RespondWorkflowTaskCompletedRequest,
) -> ApiResult<Option<bool>> {
    let (history, run, page) = (&frontend.history, &call.token()?.run, request.page_number);
    if request.intermediate_page {
        let commands = std::mem::take(&mut request.commands);
        let kept = history.keep_completion_page(&call.permit, run, task, page, commands).await?;
        return Ok((kept == KeptPage::TooLarge).then_some(true));
    }
    if page != 0 {
        let mut commands = history.take_completion_pages(&call.permit, run, task, page)?;
        commands.append(&mut request.commands);
        request.commands = commands;
    }
    Ok(Some(false))
}

pub(crate) async fn respond_workflow_task_failed(
    frontend: &Frontend,
    call: &Call,
    request: RespondWorkflowTaskFailedRequest,
) -> ApiResult<RespondWorkflowTaskFailedResponse> {
    let namespace = call.namespace()?;
    let token = call.token()?;
    check_length("Identity", &request.identity, &namespace.limits)?;
    let fail = FailWorkflowTask {
        task: token.held_workflow_task()?,
        cause: request.cause(),
        failure: request.failure,
        identity: request.identity,
        binary_checksum: request.binary_checksum,
        worker_version: request.worker_version,
    };
    frontend.history.fail_workflow_task(&call.permit, namespace, &token.run, fail).await?;
    Ok(RespondWorkflowTaskFailedResponse {})
}

/// The namespace that a command names, if it names one, and the method that does the same.
fn target_namespace(attributes: &Attributes) -> Option<(&str, &'static str)> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others stay with their workflow")]
    let (name, rpc) = match attributes {
        Attributes::StartChildWorkflowExecutionCommandAttributes(command) => {
            (&command.namespace, "StartWorkflowExecution")
        }
        Attributes::SignalExternalWorkflowExecutionCommandAttributes(command) => {
            (&command.namespace, "SignalWorkflowExecution")
        }
        Attributes::RequestCancelExternalWorkflowExecutionCommandAttributes(command) => {
            (&command.namespace, "RequestCancelWorkflowExecution")
        }
        _ => return None,
    };
    (!name.is_empty()).then_some((name, rpc))
}

/// Where the worker caches the run; without a queue nowhere.
fn sticky(
    attributes: Option<StickyExecutionAttributes>,
    limits: &Limits,
) -> ApiResult<Option<Sticky>> {
    let Some(attributes) = attributes else { return Ok(None) };
    let Some(task_queue) = attributes.worker_task_queue else { return Ok(None) };
    if task_queue.name.is_empty() {
        return Ok(None);
    }
    let task_queue = polled_queue(Some(task_queue), limits)?;
    if task_queue.kind() == TaskQueueKind::Normal {
        return Ok(None);
    }
    let timeout = attributes.schedule_to_start_timeout;
    check_duration("ScheduleToStartTimeout", timeout.as_ref())?;
    Ok(Some(Sticky {
        task_queue: task_queue.name,
        schedule_to_start_timeout: Span::from_proto(timeout.as_ref()),
    }))
}

/// The ids of the endpoints that commands name; unknown ones are left out.
fn nexus_endpoints(frontend: &Frontend, commands: &[Command]) -> BTreeMap<String, String> {
    let names = commands.iter().filter_map(|command| match &command.attributes {
        Some(Attributes::ScheduleNexusOperationCommandAttributes(command)) => {
            Some(&command.endpoint)
        }
        Some(_) | None => None,
    });
    let found = names.filter_map(|name| frontend.endpoints.by_name(name));
    found.map(|endpoint| (endpoint.name().to_owned(), endpoint.id.to_string())).collect()
}
