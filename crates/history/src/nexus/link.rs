//! Links as Nexus carries them: URLs with a type.

use std::fmt::Write as _;

use api::{
    common::v1::{
        Link,
        link::{
            Activity, NexusOperation, Variant, Workflow, WorkflowEvent,
            workflow_event::{EventReference, Reference, RequestIdReference},
        },
    },
    enums::v1::EventType,
    nexus::v1::Link as NexusLink,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const WORKFLOW_EVENT: &str = "temporal.api.common.v1.Link.WorkflowEvent";
const WORKFLOW: &str = "temporal.api.common.v1.Link.Workflow";
const ACTIVITY: &str = "temporal.api.common.v1.Link.Activity";
const NEXUS_OPERATION: &str = "temporal.api.common.v1.Link.NexusOperation";
const SCHEME: &str = "temporal:///namespaces/";

/// What stays as it is in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A link to the event that scheduled an operation.
pub(crate) fn scheduled_event_link(
    namespace: &str,
    workflow_id: &str,
    run_id: &str,
    event_id: i64,
) -> Link {
    let reference =
        EventReference { event_id, event_type: EventType::NexusOperationScheduled as i32 };
    let event = WorkflowEvent {
        namespace: namespace.to_owned(),
        workflow_id: workflow_id.to_owned(),
        run_id: run_id.to_owned(),
        reference: Some(Reference::EventRef(reference)),
    };
    Link { variant: Some(Variant::WorkflowEvent(event)) }
}

/// A link to the event of a signal, by the request that made it.
pub(super) fn signal_link(
    namespace: &str,
    workflow_id: &str,
    run_id: &str,
    request_id: &str,
) -> Link {
    let reference = RequestIdReference {
        request_id: request_id.to_owned(),
        event_type: EventType::WorkflowExecutionSignaled as i32,
    };
    let event = WorkflowEvent {
        namespace: namespace.to_owned(),
        workflow_id: workflow_id.to_owned(),
        run_id: run_id.to_owned(),
        reference: Some(Reference::RequestIdRef(reference)),
    };
    Link { variant: Some(Variant::WorkflowEvent(event)) }
}

/// A link to an operation that no workflow waits for.
pub(crate) fn nexus_operation_link(namespace: &str, operation_id: &str, run_id: &str) -> Link {
    let operation = NexusOperation {
        namespace: namespace.to_owned(),
        operation_id: operation_id.to_owned(),
        run_id: run_id.to_owned(),
    };
    Link { variant: Some(Variant::NexusOperation(operation)) }
}

/// A link in Nexus's form; none for one that it has no form for.
pub(crate) fn to_nexus_link(link: &Link) -> Option<NexusLink> {
    match &link.variant {
        Some(Variant::WorkflowEvent(event)) => Some(from_workflow_event(event)),
        Some(Variant::Workflow(workflow)) => Some(from_workflow(workflow)),
        Some(Variant::Activity(activity)) => Some(from_activity(activity)),
        Some(Variant::NexusOperation(operation)) => Some(from_nexus_operation(operation)),
        _ => None,
    }
}

fn from_workflow(workflow: &Workflow) -> NexusLink {
    let mut url = format!(
        "{SCHEME}{}/workflows/{}/{}",
        utf8_percent_encode(&workflow.namespace, SEGMENT),
        utf8_percent_encode(&workflow.workflow_id, SEGMENT),
        utf8_percent_encode(&workflow.run_id, SEGMENT),
    );
    if !workflow.reason.is_empty() {
        url.push_str("?reason=");
        url.extend(utf8_percent_encode(&workflow.reason, SEGMENT));
    }
    NexusLink { url, r#type: WORKFLOW.to_owned() }
}

fn from_activity(activity: &Activity) -> NexusLink {
    let url = format!(
        "{SCHEME}{}/activities/{}/{}/details",
        utf8_percent_encode(&activity.namespace, SEGMENT),
        utf8_percent_encode(&activity.activity_id, SEGMENT),
        utf8_percent_encode(&activity.run_id, SEGMENT),
    );
    NexusLink { url, r#type: ACTIVITY.to_owned() }
}

fn from_nexus_operation(operation: &NexusOperation) -> NexusLink {
    let url = format!(
        "{SCHEME}{}/nexus-operations/{}/{}/details",
        utf8_percent_encode(&operation.namespace, SEGMENT),
        utf8_percent_encode(&operation.operation_id, SEGMENT),
        utf8_percent_encode(&operation.run_id, SEGMENT),
    );
    NexusLink { url, r#type: NEXUS_OPERATION.to_owned() }
}

fn from_workflow_event(event: &WorkflowEvent) -> NexusLink {
    let mut url = format!(
        "{SCHEME}{}/workflows/{}/{}/history",
        utf8_percent_encode(&event.namespace, SEGMENT),
        utf8_percent_encode(&event.workflow_id, SEGMENT),
        utf8_percent_encode(&event.run_id, SEGMENT),
    );
    // Writing to a string does not fail.
    let _written = match &event.reference {
        Some(Reference::EventRef(reference)) => write!(
            url,
            "?eventID={}&eventType={}&referenceType=EventReference",
            reference.event_id,
            camel_case(reference.event_type())
        ),
        Some(Reference::RequestIdRef(reference)) => write!(
            url,
            "?eventType={}&referenceType=RequestIdReference&requestID={}",
            camel_case(reference.event_type()),
            utf8_percent_encode(&reference.request_id, SEGMENT)
        ),
        None => Ok(()),
    };
    NexusLink { url, r#type: WORKFLOW_EVENT.to_owned() }
}

/// The links that Temporal knows; others are dropped, as the reference does.
pub(crate) fn to_common_links(links: Vec<NexusLink>) -> Vec<Link> {
    links.iter().filter_map(to_common_link).collect()
}

fn to_common_link(link: &NexusLink) -> Option<Link> {
    let rest = link.url.strip_prefix(SCHEME)?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    match link.r#type.as_str() {
        WORKFLOW_EVENT => to_workflow_event(path, query),
        WORKFLOW => to_workflow(path, query),
        ACTIVITY => to_activity(path),
        NEXUS_OPERATION => to_nexus_operation(path),
        _ => None,
    }
}

/// The segments of a path, one after the other.
fn segments(path: &str) -> impl FnMut() -> Option<String> {
    let mut segments = path.split('/');
    move || Some(percent_decode_str(segments.next()?).decode_utf8().ok()?.into_owned())
}

fn to_nexus_operation(path: &str) -> Option<Link> {
    let mut next = segments(path);
    let namespace = next()?;
    (next()? == "nexus-operations").then_some(())?;
    let (operation_id, run_id) = (next()?, next()?);
    (next()? == "details").then_some(())?;
    Some(nexus_operation_link(&namespace, &operation_id, &run_id))
}

fn to_workflow(path: &str, query: &str) -> Option<Link> {
    let mut next = segments(path);
    let namespace = next()?;
    (next()? == "workflows").then_some(())?;
    let (workflow_id, run_id) = (next()?, next()?);
    let reason = parameter(query, "reason").unwrap_or_default();
    let workflow = Workflow { namespace, workflow_id, run_id, reason };
    Some(Link { variant: Some(Variant::Workflow(workflow)) })
}

fn to_activity(path: &str) -> Option<Link> {
    let mut next = segments(path);
    let namespace = next()?;
    (next()? == "activities").then_some(())?;
    let (activity_id, run_id) = (next()?, next()?);
    (next()? == "details").then_some(())?;
    let activity = Activity { namespace, activity_id, run_id };
    Some(Link { variant: Some(Variant::Activity(activity)) })
}

/// What a query says under a name. Forms write a blank as `+`.
fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().ok()?;
        (key == name).then(|| value.into_owned())
    })
}

fn to_workflow_event(path: &str, query: &str) -> Option<Link> {
    let mut next = segments(path);
    let namespace = next()?;
    (next()? == "workflows").then_some(())?;
    let (workflow_id, run_id) = (next()?, next()?);
    (next()? == "history").then_some(())?;
    let parameter = |name: &str| parameter(query, name);
    let event_type = parameter("eventType").and_then(|name| event_type(&name)).unwrap_or(0);
    let reference = match parameter("referenceType")?.as_str() {
        "EventReference" => {
            let event_id = parameter("eventID").map_or(Some(0), |id| id.parse().ok())?;
            Reference::EventRef(EventReference { event_id, event_type })
        }
        "RequestIdReference" => {
            use api::common::v1::link::workflow_event::RequestIdReference;
            let request_id = parameter("requestID")?;
            Reference::RequestIdRef(RequestIdReference { request_id, event_type })
        }
        _ => return None,
    };
    let reference = Some(reference);
    let event = WorkflowEvent { namespace, workflow_id, run_id, reference };
    Some(Link { variant: Some(Variant::WorkflowEvent(event)) })
}

/// `EVENT_TYPE_NEXUS_OPERATION_SCHEDULED` as `NexusOperationScheduled`.
fn camel_case(event_type: EventType) -> String {
    let name = event_type.as_str_name().trim_start_matches("EVENT_TYPE_");
    let words = name.split('_').flat_map(|word| {
        let lower = word.chars().skip(1).map(|letter| letter.to_ascii_lowercase());
        word.chars().take(1).chain(lower)
    });
    words.collect()
}

fn event_type(name: &str) -> Option<i32> {
    if let Some(known) = EventType::from_str_name(name) {
        return Some(known as i32);
    }
    let mut screaming = "EVENT_TYPE".to_owned();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            screaming.push('_');
        }
        screaming.push(letter.to_ascii_uppercase());
    }
    EventType::from_str_name(&screaming).map(|known| known as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_survives_the_way_through_a_url() {
        let link = scheduled_event_link("a b", "order/7?x", "run", 5);
        let on_the_way = to_nexus_link(&link).unwrap();
        assert_eq!(
            on_the_way.url,
            "temporal:///namespaces/a%20b/workflows/order%2F7%3Fx/run/history\
             ?eventID=5&eventType=NexusOperationScheduled&referenceType=EventReference"
        );
        assert_eq!(to_common_links(vec![on_the_way]), [link]);
    }

    #[test]
    fn a_link_to_an_operation_survives_it_too() {
        let link = nexus_operation_link("a b", "order/7", "run");
        let on_the_way = to_nexus_link(&link).unwrap();
        assert_eq!(
            on_the_way.url,
            "temporal:///namespaces/a%20b/nexus-operations/order%2F7/run/details"
        );
        assert_eq!(to_common_links(vec![on_the_way]), [link]);
    }

    #[test]
    fn links_to_an_activity_and_to_a_workflow_survive_it_too() {
        let activity = Activity {
            namespace: "a".to_owned(),
            activity_id: "order/7".to_owned(),
            run_id: "run".to_owned(),
        };
        let workflow = Workflow {
            namespace: "a".to_owned(),
            workflow_id: "b".to_owned(),
            run_id: "run".to_owned(),
            reason: "it was so".to_owned(),
        };
        for (variant, url) in [
            (Variant::Activity(activity), "a/activities/order%2F7/run/details"),
            (Variant::Workflow(workflow), "a/workflows/b/run?reason=it%20was%20so"),
        ] {
            let link = Link { variant: Some(variant) };
            let on_the_way = to_nexus_link(&link).unwrap();
            assert_eq!(on_the_way.url, format!("{SCHEME}{url}"));
            assert_eq!(to_common_links(vec![on_the_way]), [link]);
        }
    }

    #[test]
    fn a_blank_may_be_a_plus() {
        assert_eq!(parameter("a=b&reason=it+was", "reason").as_deref(), Some("it was"));
    }

    #[test]
    fn an_unknown_link_is_dropped() {
        let link = NexusLink { url: "https://host".to_owned(), r#type: "page".to_owned() };
        assert!(to_common_links(vec![link]).is_empty());
    }
}
