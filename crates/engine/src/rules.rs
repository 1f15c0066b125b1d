//! Rules of a namespace: which activities are paused before they are tried.
//!
//! A rule is looked at before the first attempt of an activity, after an attempt that failed, and
//! when its back-off is over. One whose filters cannot be read, or that has expired, means nothing.

use std::collections::BTreeMap;

use api::{
    enums::v1::WorkflowExecutionStatus,
    rules::v1::{
        WorkflowRule, WorkflowRuleSpec, workflow_rule_action, workflow_rule_spec::Trigger,
    },
};
use model::Time;
use visibility_query::{Attribute, AttributeType, Schema, SystemAttribute, Value, parse};

use crate::{
    ActivityPaused, Mutation, Rejection, Reply, State, activity,
    draft::Draft,
    state::{Activity, ActivityPause},
};

/// The rule that pauses an activity, if one does.
fn pausing_rule<'a>(
    rules: &'a [WorkflowRule],
    state: &State,
    activity: &Activity,
    now: Time,
) -> Option<&'a str> {
    let mut specs = rules.iter().filter_map(|rule| rule.spec.as_ref());
    specs.find(|spec| pauses(spec, state, activity, now)).map(|spec| spec.id.as_str())
}

/// Pauses an activity if a rule says so; true then.
pub(crate) fn pause_by_rule(draft: &mut Draft<'_>, scheduled_event_id: i64) -> bool {
    let state = draft.state();
    let Some(activity) = state.activities.get(&scheduled_event_id) else { return false };
    if activity.paused.is_some() {
        return false;
    }
    let (rules, now) = (draft.context().rules, draft.now());
    let Some(rule_id) = pausing_rule(rules, state, activity, now) else { return false };
    pause(draft, scheduled_event_id, rule_id);
    true
}

fn pause(draft: &mut Draft<'_>, scheduled_event_id: i64, rule_id: &str) {
    let pause =
        ActivityPause { time: draft.now(), rule_id: rule_id.to_owned(), ..Default::default() };
    draft.mutate(Mutation::ActivityPaused(ActivityPaused { scheduled_event_id, pause }));
    activity::emit_tasks(draft, scheduled_event_id);
}

/// Applies one rule to all pending activities; none of them may match.
pub(crate) fn trigger(draft: &mut Draft<'_>, spec: &WorkflowRuleSpec) -> Result<Reply, Rejection> {
    let state = draft.state();
    if !state.is_started() {
        return Err(Rejection::WorkflowNotFound { workflow_id: state.workflow_id.clone() });
    }
    if !state.is_running() {
        return Err(Rejection::WorkflowClosed);
    }
    let now = draft.now();
    let meant = state.activities.iter().filter(|(_, activity)| activity.paused.is_none());
    let meant: Vec<i64> = meant
        .filter(|(_, activity)| pauses(spec, state, activity, now))
        .map(|(scheduled_event_id, _)| *scheduled_event_id)
        .collect();
    for scheduled_event_id in &meant {
        pause(draft, *scheduled_event_id, &spec.id);
    }
    Ok(Reply::RuleTriggered { applied: !meant.is_empty() })
}

fn pauses(spec: &WorkflowRuleSpec, state: &State, activity: &Activity, now: Time) -> bool {
    let expires = Time::from_proto(spec.expiration_time.as_ref());
    let Some(Trigger::ActivityStart(trigger)) = &spec.trigger else { return false };
    let pauses = spec.actions.iter().any(|action| {
        matches!(action.variant, Some(workflow_rule_action::Variant::ActivityPause(_)))
    });
    pauses
        && !(expires.is_set() && expires < now)
        && (spec.visibility_query.is_empty() || run_matches(&spec.visibility_query, state, now))
        && activity_matches(&trigger.predicate, activity, now)
}

fn run_matches(filter: &str, state: &State, now: Time) -> bool {
    let Ok(query) = parse(filter, &Schema::default(), now) else { return false };
    query.filter.matches(&|attribute| match attribute {
        Attribute::System(SystemAttribute::WorkflowType) => text(state.workflow_type()),
        Attribute::System(SystemAttribute::WorkflowId) => text(&state.workflow_id),
        Attribute::System(SystemAttribute::StartTime) => vec![Value::Time(state.start_time)],
        Attribute::System(SystemAttribute::ExecutionStatus) => {
            let status = WorkflowExecutionStatus::try_from(state.status).unwrap_or_default();
            vec![Value::Int(i64::from(status as i32))]
        }
        Attribute::System(_) | Attribute::Stored { .. } => Vec::new(),
    })
}

fn activity_matches(predicate: &str, activity: &Activity, now: Time) -> bool {
    if predicate.trim().is_empty() {
        return false;
    }
    let schema =
        Schema::new(BTreeMap::from(ATTRIBUTES.map(|(name, kind)| (name.to_owned(), kind))));
    let Ok(query) = parse(predicate, &schema, now) else { return false };
    query.filter.matches(&|attribute| value(attribute, activity))
}

/// What a predicate may be about, by the names of the API and of the reference.
const ATTRIBUTES: [(&str, AttributeType); 9] = [
    ("ActivityType", AttributeType::Keyword),
    ("ActivityId", AttributeType::Keyword),
    ("ActivityState", AttributeType::Keyword),
    ("ActivityStatus", AttributeType::Keyword),
    ("Attempts", AttributeType::Int),
    ("ActivityAttempt", AttributeType::Int),
    ("BackoffInterval", AttributeType::Int),
    ("LastFailure", AttributeType::Keyword),
    ("StartedTime", AttributeType::Datetime),
];

fn value(attribute: &Attribute, activity: &Activity) -> Vec<Value> {
    match attribute.name() {
        "ActivityType" => text(activity.activity_type()),
        "ActivityId" => text(activity.activity_id()),
        "TaskQueue" => text(activity.task_queue()),
        "ActivityState" | "ActivityStatus" => text(phase(activity)),
        "Attempts" | "ActivityAttempt" => vec![Value::Int(i64::from(activity.attempt))],
        // The first attempt had none.
        "BackoffInterval" if activity.attempt > 1 => {
            let since = activity.attempt_scheduled_time.since(activity.last_attempt_complete_time);
            vec![Value::Int(since.millis() / 1000)]
        }
        "LastFailure" => {
            activity.last_failure.iter().flat_map(|failure| text(&failure.message)).collect()
        }
        "StartedTime" if activity.started_time.is_set() => {
            vec![Value::Time(activity.started_time)]
        }
        _ => Vec::new(),
    }
}

fn phase(activity: &Activity) -> &'static str {
    if activity.paused.is_some() {
        "Paused"
    } else if activity.is_started() {
        "Started"
    } else if activity.cancel_requested_event_id != 0 {
        "CancelRequested"
    } else {
        "Scheduled"
    }
}

fn text(text: &str) -> Vec<Value> {
    vec![Value::String(text.to_owned())]
}

#[cfg(test)]
mod tests {
    use api::{
        common::v1::ActivityType,
        history::v1::ActivityTaskScheduledEventAttributes,
        rules::v1::{
            WorkflowRuleAction,
            workflow_rule_action::{ActionActivityPause, Variant},
            workflow_rule_spec::ActivityStartingTrigger,
        },
    };

    use super::*;
    use crate::Shared;

    fn spec(predicate: &str) -> WorkflowRuleSpec {
        WorkflowRuleSpec {
            id: "rule".to_owned(),
            actions: vec![WorkflowRuleAction {
                variant: Some(Variant::ActivityPause(ActionActivityPause {})),
            }],
            trigger: Some(Trigger::ActivityStart(ActivityStartingTrigger {
                predicate: predicate.to_owned(),
            })),
            ..Default::default()
        }
    }

    fn activity() -> Activity {
        Activity {
            attempt: 3,
            attempt_scheduled_time: Time::from_nanos(9_000_000_000),
            last_attempt_complete_time: Time::from_nanos(5_000_000_000),
            scheduled: Some(Shared::new(ActivityTaskScheduledEventAttributes {
                activity_id: "a".to_owned(),
                activity_type: Some(ActivityType { name: "charge".to_owned() }),
                ..Default::default()
            })),
            ..Default::default()
        }
    }

    fn state() -> State {
        State { workflow_id: "w".to_owned(), status: 1, ..State::default() }
    }

    fn is_paused(spec: &WorkflowRuleSpec) -> bool {
        pauses(spec, &state(), &activity(), Time::from_nanos(1))
    }

    #[test]
    fn a_predicate_is_about_the_activity() {
        for predicate in [
            "ActivityType = 'charge'",
            "ActivityType STARTS_WITH 'ch' AND Attempts > 2",
            "ActivityId = 'b' OR ActivityStatus = 'Scheduled'",
            "BackoffInterval = 4",
        ] {
            assert!(is_paused(&spec(predicate)), "{predicate}");
        }
        for predicate in [
            "ActivityType = 'other'",
            "Attempts <= 2",
            "",
            "nonsense",
            "Unknown = 'a'",
            "ActivityType =",
        ] {
            assert!(!is_paused(&spec(predicate)), "{predicate}");
        }
    }

    #[test]
    fn a_rule_may_be_for_some_workflows_and_for_a_time() {
        let mut rule = spec("ActivityType = 'charge'");
        rule.visibility_query = "WorkflowId = 'w' AND ExecutionStatus = 'Running'".to_owned();
        assert!(is_paused(&rule));
        rule.visibility_query = "WorkflowId = 'x'".to_owned();
        assert!(!is_paused(&rule));
        let mut rule = spec("ActivityType = 'charge'");
        rule.expiration_time = Time::from_nanos(2).to_proto();
        assert!(is_paused(&rule));
        assert!(!pauses(&rule, &state(), &activity(), Time::from_nanos(3)));
        rule.actions.clear();
        assert!(!is_paused(&rule));
    }
}
