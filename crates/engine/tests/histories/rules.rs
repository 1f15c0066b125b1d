//! Activities that a rule of the namespace pauses.

use api::rules::v1::{
    WorkflowRule, WorkflowRuleAction, WorkflowRuleSpec,
    workflow_rule_action::{ActionActivityPause, Variant},
    workflow_rule_spec::{ActivityStartingTrigger, Trigger},
};

use super::*;

fn spec(predicate: &str) -> WorkflowRuleSpec {
    let pause = Variant::ActivityPause(ActionActivityPause {});
    let trigger = ActivityStartingTrigger { predicate: predicate.to_owned() };
    WorkflowRuleSpec {
        id: "rule".to_owned(),
        actions: vec![WorkflowRuleAction { variant: Some(pause) }],
        trigger: Some(Trigger::ActivityStart(trigger)),
        ..Default::default()
    }
}

fn script() -> Script {
    let mut script = Script::start(|_| ());
    script.start_task().complete(vec![activity("a", |_| ())]);
    script
}

fn set_rule(script: &mut Script, predicate: &str) {
    script.rules = vec![WorkflowRule { spec: Some(spec(predicate)), ..Default::default() }];
}

#[test]
fn an_activity_is_paused_before_its_first_attempt() {
    let mut script = script();
    set_rule(&mut script, "ActivityId = 'a'");
    script.start_activity(5);
    script.start_activity(5);
    golden!(script);
}

#[test]
fn an_activity_is_paused_after_a_failed_attempt() {
    let mut script = script();
    script.start_activity(5);
    set_rule(&mut script, "Attempts >= 1");
    fail_activity(&mut script, 5, false);
    golden!(script);
}

#[test]
fn an_activity_is_paused_when_its_back_off_is_over() {
    let mut script = script();
    script.start_activity(5);
    fail_activity(&mut script, 5, false);
    set_rule(&mut script, "Attempts = 2");
    script.wait(Span::from_secs(1));
    script.due(|action| matches!(action, TaskAction::ActivityRetry(_)));
    golden!(script);
}

#[test]
fn a_rule_is_applied_to_a_run_once() {
    let mut script = script();
    for predicate in ["ActivityId = 'b'", "ActivityId = 'a'", "ActivityId = 'a'"] {
        script.input("trigger", Input::TriggerRule(Box::new(spec(predicate))));
    }
    script.input("terminate", Input::Terminate(Terminate::default()));
    script.input("trigger", Input::TriggerRule(Box::new(spec("ActivityId = 'a'"))));
    golden!(script);
}
