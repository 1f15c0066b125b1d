//! Rules of a namespace: which activities are paused before they are tried.

use api::{
    rules::v1::WorkflowRule,
    workflowservice::v1::{
        CreateWorkflowRuleRequest, CreateWorkflowRuleResponse, DeleteWorkflowRuleRequest,
        DeleteWorkflowRuleResponse, DescribeWorkflowRuleRequest, DescribeWorkflowRuleResponse,
        ListWorkflowRulesRequest, ListWorkflowRulesResponse, TriggerWorkflowRuleRequest,
        TriggerWorkflowRuleResponse, trigger_workflow_rule_request::Rule,
    },
};
use namespace::{Namespace, RULES_MAX, RuleError};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    validation::execution,
};

pub(crate) async fn create_workflow_rule(
    frontend: &Frontend,
    call: &Call,
    request: CreateWorkflowRuleRequest,
) -> ApiResult<CreateWorkflowRuleResponse> {
    let namespace = call.namespace()?;
    let spec = request.spec.ok_or_else(|| ApiError::invalid("Rule Specification is not set."))?;
    check_id(&spec.id)?;
    if spec.id.len() > namespace.limits.id_length_max {
        return Err(ApiError::invalid("Workflow Rule Id length exceeds limit."));
    }
    let now = frontend.now();
    let rule = WorkflowRule {
        create_time: now.to_proto(),
        spec: Some(spec),
        created_by_identity: request.identity,
        description: request.description,
    };
    frontend.namespaces.add_rule(namespace.id, rule.clone(), now).await?.map_err(refusal)?;
    Ok(CreateWorkflowRuleResponse { rule: Some(rule), job_id: String::new() })
}

pub(crate) async fn describe_workflow_rule(
    _frontend: &Frontend,
    call: &Call,
    request: DescribeWorkflowRuleRequest,
) -> ApiResult<DescribeWorkflowRuleResponse> {
    check_id(&request.rule_id)?;
    let rule = find(call.namespace()?, &request.rule_id)?.clone();
    Ok(DescribeWorkflowRuleResponse { rule: Some(rule) })
}

pub(crate) async fn delete_workflow_rule(
    frontend: &Frontend,
    call: &Call,
    request: DeleteWorkflowRuleRequest,
) -> ApiResult<DeleteWorkflowRuleResponse> {
    check_id(&request.rule_id)?;
    let namespace = call.namespace()?;
    let removed = frontend.namespaces.remove_rule(namespace.id, &request.rule_id).await?;
    removed.map_err(refusal)?;
    Ok(DeleteWorkflowRuleResponse {})
}

pub(crate) async fn list_workflow_rules(
    _frontend: &Frontend,
    call: &Call,
    _request: ListWorkflowRulesRequest,
) -> ApiResult<ListWorkflowRulesResponse> {
    let rules = call.namespace()?.rules.clone();
    Ok(ListWorkflowRulesResponse { rules, ..Default::default() })
}

pub(crate) async fn trigger_workflow_rule(
    frontend: &Frontend,
    call: &Call,
    request: TriggerWorkflowRuleRequest,
) -> ApiResult<TriggerWorkflowRuleResponse> {
    let namespace = call.namespace()?;
    let spec = match request.rule {
        Some(Rule::Spec(spec)) => spec,
        Some(Rule::Id(rule_id)) => {
            check_id(&rule_id)?;
            find(namespace, &rule_id)?.spec.clone().unwrap_or_default()
        }
        None => return Err(ApiError::invalid("Rule Specification is not set.")),
    };
    let execution = execution(request.execution)?;
    let history = &frontend.history;
    let applied = history.trigger_rule(&call.permit, namespace, &execution, spec).await?;
    Ok(TriggerWorkflowRuleResponse { applied })
}

fn check_id(rule_id: &str) -> ApiResult<()> {
    if rule_id.is_empty() {
        return Err(ApiError::invalid("Workflow Rule ID is not set."));
    }
    Ok(())
}

fn find<'a>(namespace: &'a Namespace, rule_id: &str) -> ApiResult<&'a WorkflowRule> {
    namespace.rule(rule_id).ok_or_else(|| refusal(RuleError::NotFound))
}

fn refusal(error: RuleError) -> ApiError {
    ApiError::invalid(match error {
        RuleError::NotFound => "Workflow Rule with this ID not Found.".to_owned(),
        RuleError::AlreadyExists => "Workflow Rule with this ID already exists.".to_owned(),
        RuleError::TooMany => format!("Workflow Rule limit exceeded. Max: {RULES_MAX}"),
    })
}
