//! Retry policies, of activities and workflows alike (fact sheet section 8).

use api::{
    common::v1::RetryPolicy,
    enums::v1::{RetryState, TimeoutType},
    failure::v1::{Failure, failure::FailureInfo},
};
use model::{Span, Time};

const INITIAL_INTERVAL: Span = Span::from_secs(1);
const BACKOFF_COEFFICIENT: f64 = 2.0;
const MAXIMUM_INTERVAL_FACTOR: f64 = 100.0;

/// The wait after the first failed request to a Nexus handler or a callback.
const OUTBOUND_DELAY_MIN: Span = Span::from_secs(1);

/// The longest wait between two such requests.
const OUTBOUND_DELAY_MAX: Span = Span::from_secs(3600);

/// Whether another attempt follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RetryDecision {
    /// One follows after this delay.
    After(Span),
    /// None does, and why.
    Stop(RetryState),
}

/// Fills in the defaults of a policy.
pub fn normalize_retry_policy(policy: &mut RetryPolicy) {
    if policy.initial_interval.is_none_or(|interval| interval.seconds == 0 && interval.nanos == 0) {
        policy.initial_interval = Some(INITIAL_INTERVAL.to_proto());
    }
    if policy.backoff_coefficient == 0.0 {
        policy.backoff_coefficient = BACKOFF_COEFFICIENT;
    }
    if policy.maximum_interval.is_none_or(|interval| interval.seconds == 0 && interval.nanos == 0) {
        let initial = Span::from_proto(policy.initial_interval.as_ref());
        policy.maximum_interval = Some(initial.scaled(MAXIMUM_INTERVAL_FACTOR).to_proto());
    }
}

/// Checks a policy.
///
/// # Errors
/// The reference's text for what is wrong.
pub fn validate_retry_policy(policy: &RetryPolicy) -> Result<(), String> {
    let negative = |duration: Option<&prost_types::Duration>| {
        duration.is_some_and(|duration| duration.seconds < 0 || duration.nanos < 0)
    };
    let initial = Span::from_proto(policy.initial_interval.as_ref());
    let maximum = Span::from_proto(policy.maximum_interval.as_ref());
    if negative(policy.initial_interval.as_ref()) {
        return Err("invalid InitialInterval set on retry policy: negative duration".to_owned());
    }
    if policy.backoff_coefficient != 0.0 && policy.backoff_coefficient < 1.0
        || policy.backoff_coefficient.is_nan()
    {
        return Err("BackoffCoefficient cannot be less than 1 on retry policy.".to_owned());
    }
    if negative(policy.maximum_interval.as_ref()) {
        return Err("invalid MaximumInterval set on retry policy: negative duration".to_owned());
    }
    if !maximum.is_zero() && maximum < initial {
        return Err(
            "MaximumInterval cannot be less than InitialInterval on retry policy.".to_owned()
        );
    }
    if policy.maximum_attempts < 0 {
        return Err("MaximumAttempts cannot be negative on retry policy.".to_owned());
    }
    let timeouts = ["StartToClose", "ScheduleToStart", "ScheduleToClose", "Heartbeat"];
    let listed = policy.non_retryable_error_types.iter();
    let mut kinds = listed.filter_map(|listed| listed.strip_prefix("TemporalTimeout:"));
    match kinds.find(|kind| !timeouts.contains(kind)) {
        Some(kind) => Err(format!("Invalid timeout type value: {kind}.")),
        None => Ok(()),
    }
}

/// Decides whether an attempt that failed is followed by another.
///
/// `expiration` is the time by which everything must be over (unset for never); `delay` overrides
/// the policy's interval and its maximum.
pub fn decide_retry(
    policy: Option<&RetryPolicy>,
    attempt: i32,
    failure: &Failure,
    now: Time,
    expiration: Time,
    delay: Option<Span>,
) -> RetryDecision {
    let Some(policy) = policy else {
        return RetryDecision::Stop(RetryState::RetryPolicyNotSet);
    };
    if !is_retryable(failure, &policy.non_retryable_error_types) {
        return RetryDecision::Stop(RetryState::NonRetryableFailure);
    }
    if policy.maximum_attempts > 0 && attempt >= policy.maximum_attempts {
        return RetryDecision::Stop(RetryState::MaximumAttemptsReached);
    }
    let delay = delay.unwrap_or_else(|| retry_interval(policy, attempt));
    if expiration.is_set() && now + delay > expiration {
        return RetryDecision::Stop(RetryState::Timeout);
    }
    RetryDecision::After(delay)
}

/// How long the attempt after this one waits.
pub fn retry_interval(policy: &RetryPolicy, attempt: i32) -> Span {
    let initial = Span::from_proto(policy.initial_interval.as_ref()).or(INITIAL_INTERVAL);
    let maximum = Span::from_proto(policy.maximum_interval.as_ref())
        .or(initial.scaled(MAXIMUM_INTERVAL_FACTOR));
    let coefficient = policy.backoff_coefficient.max(1.0);
    initial.scaled(coefficient.powi(attempt.saturating_sub(1).max(0))).min(maximum)
}

/// Whether a failure of this kind can be cured by trying again.
pub(crate) fn is_retryable(failure: &Failure, non_retryable_types: &[String]) -> bool {
    let listed = |name: &str| non_retryable_types.iter().any(|listed| listed == name);
    match &failure.failure_info {
        Some(FailureInfo::TerminatedFailureInfo(_) | FailureInfo::CanceledFailureInfo(_)) => false,
        Some(FailureInfo::TimeoutFailureInfo(info)) => match info.timeout_type() {
            TimeoutType::StartToClose => !listed("TemporalTimeout:StartToClose"),
            TimeoutType::Heartbeat => !listed("TemporalTimeout:Heartbeat"),
            TimeoutType::ScheduleToStart
            | TimeoutType::ScheduleToClose
            | TimeoutType::Unspecified => false,
        },
        Some(FailureInfo::ServerFailureInfo(info)) => !info.non_retryable,
        Some(FailureInfo::ApplicationFailureInfo(info)) => {
            !info.non_retryable && !listed(&info.r#type)
        }
        Some(
            FailureInfo::ResetWorkflowFailureInfo(_)
            | FailureInfo::ActivityFailureInfo(_)
            | FailureInfo::ChildWorkflowExecutionFailureInfo(_)
            | FailureInfo::NexusOperationExecutionFailureInfo(_)
            | FailureInfo::NexusHandlerFailureInfo(_),
        )
        | None => true,
    }
}

/// How long the server waits after this many failed requests to somebody who has no retry policy:
/// the wait doubles from one to the next.
pub fn outbound_delay(attempts: i32) -> Span {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(12);
    (0..doublings).fold(OUTBOUND_DELAY_MIN, |delay, _| delay + delay).min(OUTBOUND_DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use api::failure::v1::ApplicationFailureInfo;

    use super::*;

    #[test]
    fn the_wait_between_outbound_requests_doubles_up_to_an_hour() {
        let seconds: Vec<Span> = [1, 2, 3, 12, 13, 40].map(outbound_delay).to_vec();
        assert_eq!(seconds, [1, 2, 4, 2048, 3600, 3600].map(Span::from_secs));
    }

    fn application(error_type: &str, non_retryable: bool) -> Failure {
        let info = ApplicationFailureInfo {
            r#type: error_type.to_owned(),
            non_retryable,
            ..Default::default()
        };
        Failure {
            failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
            ..Default::default()
        }
    }

    fn policy(maximum_attempts: i32) -> RetryPolicy {
        let mut policy = RetryPolicy {
            maximum_attempts,
            non_retryable_error_types: vec!["Fatal".to_owned()],
            ..Default::default()
        };
        normalize_retry_policy(&mut policy);
        policy
    }

    fn decide(policy: &RetryPolicy, attempt: i32, failure: &Failure) -> RetryDecision {
        let now = Time::from_nanos(1);
        decide_retry(Some(policy), attempt, failure, now, Time::UNSET, None)
    }

    #[test]
    fn intervals_double_up_to_a_hundred_times_the_first() {
        let seconds: Vec<i64> = [1, 2, 3, 7, 8, 40]
            .map(|attempt| match decide(&policy(0), attempt, &Failure::default()) {
                RetryDecision::After(delay) => delay.millis() / 1000,
                RetryDecision::Stop(_) => -1,
            })
            .into();
        assert_eq!(seconds, [1, 2, 4, 64, 100, 100]);
    }

    #[test]
    fn the_reasons_to_stop_are_told_apart() {
        let plain = application("Plain", false);
        let stop = |decision| match decision {
            RetryDecision::Stop(state) => state,
            RetryDecision::After(_) => RetryState::InProgress,
        };
        assert_eq!(stop(decide(&policy(3), 3, &plain)), RetryState::MaximumAttemptsReached);
        assert_eq!(stop(decide(&policy(3), 2, &plain)), RetryState::InProgress);
        let fatal = application("Fatal", false);
        assert_eq!(stop(decide(&policy(3), 1, &fatal)), RetryState::NonRetryableFailure);
        let final_failure = application("Plain", true);
        assert_eq!(stop(decide(&policy(0), 1, &final_failure)), RetryState::NonRetryableFailure);
        let now = Time::from_nanos(1);
        let soon = now + Span::from_millis(500);
        let late = decide_retry(Some(&policy(0)), 1, &plain, now, soon, None);
        assert_eq!(stop(late), RetryState::Timeout);
        let none = decide_retry(None, 1, &plain, now, Time::UNSET, None);
        assert_eq!(stop(none), RetryState::RetryPolicyNotSet);
    }
}
