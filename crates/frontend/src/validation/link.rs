//! Links that a request brings along. Texts are the reference's.

use api::{
    common::v1::{Callback, Link, link::Variant, link::workflow_event::Reference},
    enums::v1::EventType,
};
use prost::Message as _;

use crate::error::{ApiError, ApiResult};

/// Most links of one request.
const LINKS_MAX: usize = 10;

/// Largest link.
const LINK_BYTES_MAX: usize = 4000;

/// Refuses too many links, large ones, and those that lead nowhere.
pub(crate) fn check_links(links: &[Link]) -> ApiResult<()> {
    check_all(&links.iter().collect::<Vec<_>>())
}

/// The links of a start that no callback of it has already. Those of the callbacks are checked with
/// them, and count as well.
pub(crate) fn links_beside_callbacks(
    mut links: Vec<Link>,
    callbacks: &[Callback],
) -> ApiResult<Vec<Link>> {
    let of_callbacks = || callbacks.iter().flat_map(|callback| &callback.links);
    links.retain(|link| of_callbacks().all(|other| other != link));
    check_all(&links.iter().chain(of_callbacks()).collect::<Vec<_>>())?;
    Ok(links)
}

/// Refuses too many links.
pub(crate) fn check_link_count(count: usize) -> ApiResult<()> {
    if count <= LINKS_MAX {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "cannot attach more than {LINKS_MAX} links per request, got {count}"
    )))
}

fn check_all(links: &[&Link]) -> ApiResult<()> {
    check_link_count(links.len())?;
    for link in links {
        let size = link.encoded_len();
        if size > LINK_BYTES_MAX {
            return Err(ApiError::invalid(format!(
                "link exceeds allowed size of {LINK_BYTES_MAX}, got {size}"
            )));
        }
        check_target(link)?;
    }
    Ok(())
}

fn check_target(link: &Link) -> ApiResult<()> {
    let (kind, fields) = match &link.variant {
        Some(Variant::WorkflowEvent(event)) => (
            "workflow event",
            vec![
                (&event.namespace, "namespace"),
                (&event.workflow_id, "workflow ID"),
                (&event.run_id, "run ID"),
            ],
        ),
        Some(Variant::BatchJob(batch)) if batch.job_id.is_empty() => {
            return Err(ApiError::invalid("batch job link must not have an empty job ID"));
        }
        Some(Variant::BatchJob(_)) => return Ok(()),
        Some(Variant::NexusOperation(operation)) => (
            "nexus operation",
            vec![
                (&operation.namespace, "namespace"),
                (&operation.operation_id, "operation ID"),
                (&operation.run_id, "run ID"),
            ],
        ),
        Some(Variant::Activity(activity)) => (
            "activity",
            vec![
                (&activity.namespace, "namespace"),
                (&activity.activity_id, "activity ID"),
                (&activity.run_id, "run ID"),
            ],
        ),
        _ => return Err(ApiError::invalid("unsupported link variant")),
    };
    for (value, name) in fields {
        if value.is_empty() {
            let text = format!("{kind} link must not have an empty {name} field");
            return Err(ApiError::invalid(text));
        }
    }
    if let Some(Variant::WorkflowEvent(event)) = &link.variant
        && let Some(Reference::EventRef(reference)) = &event.reference
        && reference.event_type == EventType::Unspecified as i32
        && reference.event_id != 0
    {
        return Err(ApiError::invalid(
            "workflow event link ref cannot have an unspecified event type and a non-zero event ID",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use api::common::v1::link::WorkflowEvent;

    use super::*;

    fn link(workflow_id: &str) -> Link {
        let event = WorkflowEvent {
            namespace: "default".to_owned(),
            workflow_id: workflow_id.to_owned(),
            run_id: "run".to_owned(),
            reference: None,
        };
        Link { variant: Some(Variant::WorkflowEvent(event)) }
    }

    fn callback(links: &[&str]) -> Callback {
        Callback { links: links.iter().map(|id| link(id)).collect(), ..Callback::default() }
    }

    #[test]
    fn a_link_that_a_callback_has_is_not_there_twice() {
        let callbacks = [callback(&["b", "d"]), callback(&["c"])];
        let links = links_beside_callbacks(vec![link("a"), link("b"), link("c")], &callbacks);
        assert_eq!(links.ok(), Some(vec![link("a")]));
    }

    #[test]
    fn links_of_callbacks_count() {
        let six: Vec<Link> = ["1", "2", "3", "4", "5", "6"].map(link).into();
        let five = callback(&["a", "b", "c", "d", "e"]);
        assert!(links_beside_callbacks(six.clone(), &[five]).is_err());
        let same = callback(&["1", "2", "3", "4", "5"]);
        assert_eq!(links_beside_callbacks(six, &[same]).ok(), Some(vec![link("6")]));
    }

    #[test]
    fn a_link_without_a_target_is_refused() {
        assert!(check_links(&[link("a")]).is_ok());
        assert!(check_links(&[link("")]).is_err());
        assert!(check_links(&[Link::default()]).is_err());
        assert!(check_links(&[link(&"x".repeat(LINK_BYTES_MAX))]).is_err());
    }
}
