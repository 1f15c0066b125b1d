//! What people do to a run as a whole: options, pauses.

use api::{
    common::v1::Priority,
    workflow::v1::{VersioningOverride, WorkflowExecutionOptions, versioning_override::Override},
};
use engine::{Input, PauseRequest, UpdateOptions};

pub(crate) fn input(pick: u8) -> Input {
    let request = PauseRequest {
        identity: "somebody".to_owned(),
        reason: if pick % 2 == 0 { "why".to_owned() } else { String::new() },
        request_id: format!("pause-{}", pick % 4),
    };
    match pick % 5 {
        0 => Input::UpdateOptions(Box::new(options(pick / 5))),
        1 | 2 => Input::Pause(request),
        _ => Input::Unpause(request),
    }
}

fn options(pick: u8) -> UpdateOptions {
    let r#override = match pick % 3 {
        0 => None,
        1 => Some(Override::AutoUpgrade(true)),
        _ => Some(Override::Pinned(Default::default())),
    };
    let path = match pick % 4 {
        0 => "priority.fairness_key",
        1 => "priority",
        _ => "versioning_override",
    };
    UpdateOptions {
        options: WorkflowExecutionOptions {
            versioning_override: r#override.map(|chosen| VersioningOverride {
                r#override: Some(chosen),
                ..Default::default()
            }),
            priority: Some(Priority {
                priority_key: i32::from(pick % 3),
                fairness_key: (pick % 2).to_string(),
                ..Default::default()
            }),
            ..Default::default()
        },
        paths: vec![path.to_owned()],
        identity: "somebody".to_owned(),
    }
}
