//! Temporal's failures as protobuf's JSON.

use std::sync::LazyLock;

use api::{common::v1::Payload, failure::v1::Failure};
use prost::Message;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor};
use prost_types::FileDescriptorSet;
use serde_json::value::RawValue;

/// What the messages below are made of; the rest of the API would take megabytes.
const FILES: &[&str] =
    &["google/", "temporal/api/common/", "temporal/api/enums/", "temporal/api/failure/"];

/// None only if the API's description were broken, which the tests rule out.
static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| {
    let mut files = FileDescriptorSet::decode(api::DESCRIPTOR_SET).ok()?;
    files.file.retain(|file| FILES.iter().any(|prefix| file.name().starts_with(prefix)));
    DescriptorPool::from_file_descriptor_set(files).ok()
});

fn descriptor(name: &str) -> Option<MessageDescriptor> {
    POOL.as_ref()?.get_message_by_name(name)
}

fn to_json(name: &str, message: &impl Message) -> Option<Box<RawValue>> {
    let encoded = message.encode_to_vec();
    let dynamic = DynamicMessage::decode(descriptor(name)?, encoded.as_slice()).ok()?;
    serde_json::value::to_raw_value(&dynamic).ok()
}

fn from_json<M: Message + Default>(name: &str, json: &str) -> Option<M> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let options = DeserializeOptions::new().deny_unknown_fields(false);
    let dynamic =
        DynamicMessage::deserialize_with_options(descriptor(name)?, &mut deserializer, &options);
    M::decode(dynamic.ok()?.encode_to_vec().as_slice()).ok()
}

const FAILURE: &str = "temporal.api.failure.v1.Failure";
const PAYLOAD: &str = "temporal.api.common.v1.Payload";

pub(crate) fn write(failure: &Failure) -> Option<Box<RawValue>> {
    to_json(FAILURE, failure)
}

pub(crate) fn read(json: &str) -> Option<Failure> {
    from_json(FAILURE, json)
}

pub(crate) fn write_payload(payload: &Payload) -> Option<Box<RawValue>> {
    to_json(PAYLOAD, payload)
}

pub(crate) fn read_payload(json: &str) -> Option<Payload> {
    from_json(PAYLOAD, json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_holds_all_that_is_needed() {
        assert!(descriptor(FAILURE).is_some() && descriptor(PAYLOAD).is_some());
    }

    #[test]
    fn fields_that_are_not_known_are_passed_over() {
        let failure = read(r#"{"message":"no","fromTheFuture":{"a":[1]}}"#).unwrap();
        assert_eq!(failure.message, "no");
        assert!(read("[]").is_none() && read("").is_none());
    }
}
