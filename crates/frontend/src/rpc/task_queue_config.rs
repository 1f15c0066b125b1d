//! The settings of task queues. Texts are the reference's.

use std::collections::BTreeMap;

use api::{
    enums::v1::TaskQueueType as ApiTaskQueueType,
    taskqueue::v1::{ConfigMetadata, RateLimitConfig},
    workflowservice::v1::{
        UpdateTaskQueueConfigRequest, UpdateTaskQueueConfigResponse,
        update_task_queue_config_request::RateLimitUpdate,
    },
};
use deployment::DeploymentError;
use matching::TaskQueueKey;
use model::{Limits, Time};

use crate::{
    admission::Call,
    error::{ApiError, ApiResult},
    frontend::Frontend,
    rpc::task_queue::queue_type,
};

/// Longest reason, in bytes, as the reference.
const REASON_BYTES_MAX: usize = 1000;

/// Longest fairness key, in bytes.
const FAIRNESS_KEY_BYTES_MAX: usize = 64;

/// Most weights of fairness keys, in a request and in all.
const WEIGHTS_MAX: usize = 1000;

pub(crate) async fn update_task_queue_config(
    frontend: &Frontend,
    call: &Call,
    request: UpdateTaskQueueConfigRequest,
) -> ApiResult<UpdateTaskQueueConfigResponse> {
    let namespace = call.namespace()?;
    check(&request, &namespace.limits)?;
    let task_type = queue_type(request.task_queue_type());
    let key = TaskQueueKey::new(namespace.id, request.task_queue.as_str(), task_type);
    let now = frontend.now();
    let config = frontend
        .queue_configs
        .update(&key, |config| {
            let identity = &request.identity;
            let queue = request.update_queue_rate_limit.as_ref();
            update_limit(&mut config.queue_rate_limit, queue, identity, now);
            let keys = request.update_fairness_key_rate_limit_default.as_ref();
            update_limit(&mut config.fairness_keys_rate_limit_default, keys, identity, now);
            let weights = &mut config.fairness_weight_overrides;
            weights.extend(request.set_fairness_weight_overrides.clone());
            weights.retain(|key, _| !request.unset_fairness_weight_overrides.contains(key));
            if weights.len() > WEIGHTS_MAX {
                let text = format!(
                    "too many fairness weight overrides: got {}, maximum {WEIGHTS_MAX}",
                    weights.len()
                );
                return Err(DeploymentError::Invalid(text));
            }
            Ok(())
        })
        .await?;
    let config = Some(config.as_ref().clone());
    Ok(UpdateTaskQueueConfigResponse { config })
}

/// Sets a limit, or takes it away when the update names none.
fn update_limit(
    limit: &mut Option<RateLimitConfig>,
    update: Option<&RateLimitUpdate>,
    identity: &str,
    now: Time,
) {
    let Some(update) = update else { return };
    *limit = Some(RateLimitConfig {
        rate_limit: update.rate_limit,
        metadata: Some(ConfigMetadata {
            reason: update.reason.clone(),
            update_identity: identity.to_owned(),
            update_time: now.to_proto(),
        }),
    });
}

fn check(request: &UpdateTaskQueueConfigRequest, limits: &Limits) -> ApiResult<()> {
    let of_workflows = request.task_queue_type() == ApiTaskQueueType::Workflow;
    for (update, field, refused) in [
        (
            request.update_queue_rate_limit.as_ref(),
            "UpdateQueueRateLimit",
            "Setting rate limit on workflow task queues is not allowed.",
        ),
        (
            request.update_fairness_key_rate_limit_default.as_ref(),
            "UpdateFairnessKeyRateLimitDefault",
            "Setting fairness key rate limit on workflow task queues is not allowed.",
        ),
    ] {
        let Some(update) = update else { continue };
        let Some(limit) = &update.rate_limit else { continue };
        if of_workflows {
            return Err(ApiError::invalid(refused));
        }
        if limit.requests_per_second.is_nan() || limit.requests_per_second < 0.0 {
            return Err(ApiError::invalid(format!(
                "RequestsPerSecond for {field} rate limit must be non-negative."
            )));
        }
        check_text(&format!("{field}.Reason"), &update.reason, REASON_BYTES_MAX)?;
    }
    check_text("Identity", &request.identity, limits.id_length_max)?;
    check_text("TaskQueue", &request.task_queue, limits.id_length_max)?;
    check_weights(&request.set_fairness_weight_overrides, &request.unset_fairness_weight_overrides)
}

fn check_weights(set: &BTreeMap<String, f32>, unset: &[String]) -> ApiResult<()> {
    let total = set.len() + unset.len();
    if total > WEIGHTS_MAX {
        return Err(ApiError::invalid(format!(
            "too many fairness weight overrides in request: got {total}, maximum {WEIGHTS_MAX}"
        )));
    }
    for key in set.keys().chain(unset) {
        if key.is_empty() {
            return Err(ApiError::invalid("fairness weight override key must not be empty"));
        }
        if key.len() > FAIRNESS_KEY_BYTES_MAX {
            return Err(ApiError::invalid("fairness key length exceeds limit"));
        }
        if set.get(key).is_some_and(|weight| weight.is_nan() || *weight <= 0.0) {
            return Err(ApiError::invalid(format!(
                "invalid fairness weight weight for key \"{key}\": must be greater than zero"
            )));
        }
    }
    if let Some(both) = unset.iter().find(|key| set.contains_key(*key)) {
        return Err(ApiError::invalid(format!(
            "fairness weight override key \"{both}\" present in both set and unset lists"
        )));
    }
    Ok(())
}

fn check_text(field: &str, text: &str, bytes_max: usize) -> ApiResult<()> {
    if text.len() > bytes_max {
        let text = format!("{field} field too long (max {bytes_max} characters).");
        return Err(ApiError::invalid(text));
    }
    Ok(())
}
