//! Memo and search attributes that a workflow changes while it runs.

use std::collections::BTreeMap;

use api::{
    command::v1::{
        ModifyWorkflowPropertiesCommandAttributes, UpsertWorkflowSearchAttributesCommandAttributes,
    },
    common::v1::{Memo, Payload, SearchAttributes},
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{
        UpsertWorkflowSearchAttributesEventAttributes, WorkflowPropertiesModifiedEventAttributes,
        history_event::Attributes,
    },
};
use bytes::Bytes;
use prost::Message as _;

use crate::{
    Shared, State,
    commands::{CommandError, CommandScope},
    draft::Draft,
};

/// The command that sets search attributes.
pub(crate) fn search_attributes(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: UpsertWorkflowSearchAttributesCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause = WorkflowTaskFailedCause::BadSearchAttributes;
    let Some(search_attributes) = command.search_attributes else {
        return Err(CommandError::new(
            BAD,
            "SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.",
        ));
    };
    if search_attributes.indexed_fields.is_empty() {
        return Err(CommandError::new(
            BAD,
            "IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.",
        ));
    }
    scope.check_search_attributes_known()?;
    scope.check_search_attributes_fit(str::to_owned)?;
    let limits = draft.context().limits;
    if search_attributes.encoded_len() > limits.search_attributes_bytes_max {
        return Err(CommandError::terminating(
            BAD,
            "UpsertWorkflowSearchAttributesCommandAttributes.IndexedFields exceeds size limit.",
        ));
    }
    let attributes = UpsertWorkflowSearchAttributesEventAttributes {
        workflow_task_completed_event_id: scope.completed_event_id,
        search_attributes: Some(search_attributes),
    };
    draft.event_with(
        Attributes::UpsertWorkflowSearchAttributesEventAttributes(attributes),
        scope.extras(),
    );
    Ok(())
}

/// The command that changes the memo.
pub(crate) fn memo(
    draft: &mut Draft<'_>,
    scope: &CommandScope,
    command: ModifyWorkflowPropertiesCommandAttributes,
) -> Result<(), CommandError> {
    const BAD: WorkflowTaskFailedCause =
        WorkflowTaskFailedCause::BadModifyWorkflowPropertiesAttributes;
    let Some(upserted_memo) = command.upserted_memo else {
        return Err(CommandError::new(
            BAD,
            "UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.",
        ));
    };
    if upserted_memo.encoded_len() > draft.context().limits.memo_bytes_max {
        return Err(CommandError::terminating(
            BAD,
            "ModifyWorkflowPropertiesCommandAttributes.UpsertedMemo exceeds size limit.",
        ));
    }
    let attributes = WorkflowPropertiesModifiedEventAttributes {
        workflow_task_completed_event_id: scope.completed_event_id,
        upserted_memo: Some(upserted_memo),
    };
    draft.event_with(
        Attributes::WorkflowPropertiesModifiedEventAttributes(attributes),
        scope.extras(),
    );
    Ok(())
}

pub(crate) fn apply_search_attributes(
    state: &mut State,
    upserted: &UpsertWorkflowSearchAttributesEventAttributes,
) {
    let Some(upserted) = &upserted.search_attributes else { return };
    let current = state
        .search_attributes
        .get_or_insert_with(|| Shared::new(SearchAttributes { indexed_fields: BTreeMap::new() }));
    merge(&mut current.edit().indexed_fields, &upserted.indexed_fields);
}

pub(crate) fn apply_memo(state: &mut State, modified: &WorkflowPropertiesModifiedEventAttributes) {
    let Some(upserted) = &modified.upserted_memo else { return };
    let current = state.memo.get_or_insert_with(|| Shared::new(Memo { fields: BTreeMap::new() }));
    merge(&mut current.edit().fields, &upserted.fields);
}

/// Takes over new values; a null value removes its key.
fn merge(current: &mut BTreeMap<String, Payload>, upserted: &BTreeMap<String, Payload>) {
    for (name, value) in upserted {
        if is_null(value) {
            current.remove(name);
        } else {
            current.insert(name.clone(), value.clone());
        }
    }
}

/// Whether a value takes its key away.
pub fn is_null(value: &Payload) -> bool {
    let encoding = value.metadata.get("encoding").map(Bytes::as_ref);
    match encoding {
        Some(b"binary/null") => true,
        None => value.data.is_empty(),
        Some(b"json/plain") => matches!(value.data.as_ref(), b"null" | b"[]"),
        Some(_) => false,
    }
}
