//! The search attribute that tells what of a run is paused.

use std::collections::BTreeSet;

use api::common::v1::{Payload, SearchAttributes};

use crate::{Shared, State};

/// Its name.
pub(crate) const TEMPORAL_PAUSE_INFO: &str = "TemporalPauseInfo";

/// Makes the attribute say what the state says.
pub(crate) fn refresh(state: &mut State) {
    let paused = state.activities.values().filter(|activity| activity.paused.is_some());
    let activities: BTreeSet<String> = paused
        .map(|activity| format!("property:activityType={}", activity.activity_type()))
        .collect();
    let run = state.paused.iter().flat_map(|pause| {
        let reason = Some(format!("Reason:{}", pause.reason)).filter(|_| !pause.reason.is_empty());
        [Some(format!("Workflow:{}", state.workflow_id)), reason].into_iter().flatten()
    });
    let entries: Vec<String> = run.chain(activities).collect();
    let shown = state
        .search_attributes
        .as_ref()
        .and_then(|attributes| attributes.indexed_fields.get(TEMPORAL_PAUSE_INFO));
    let wanted = (!entries.is_empty()).then(|| payload(&entries));
    if shown == wanted.as_ref() {
        return;
    }
    let attributes = state
        .search_attributes
        .get_or_insert_with(|| Shared::new(SearchAttributes::default()))
        .edit();
    match wanted {
        Some(payload) => {
            attributes.indexed_fields.insert(TEMPORAL_PAUSE_INFO.to_owned(), payload);
        }
        None => {
            attributes.indexed_fields.remove(TEMPORAL_PAUSE_INFO);
        }
    }
}

fn payload(entries: &[String]) -> Payload {
    let quoted: Vec<String> = entries.iter().map(|entry| quoted(entry)).collect();
    Payload {
        metadata: [
            ("encoding".to_owned(), "json/plain".into()),
            ("type".to_owned(), "KeywordList".into()),
        ]
        .into(),
        data: format!("[{}]", quoted.join(",")).into(),
        ..Default::default()
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
