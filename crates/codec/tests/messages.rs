//! Every payload of every message of the API is found.

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::LazyLock};

    use api::{
        common::v1::{Payload as ApiPayload, Payloads, SearchAttributes},
        update::v1::{Input, Request},
        workflowservice::v1::{SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest},
    };
    use longtide_codec::{Payload, VisitError, Visitor};
    use proptest::prelude::*;
    use prost::{Message, encoding::encode_varint};
    use prost_types::{Any, DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

    const PAYLOAD: &str = ".temporal.api.common.v1.Payload";
    const SEARCH_ATTRIBUTES: &str = ".temporal.api.common.v1.SearchAttributes";

    static VISITOR: LazyLock<Visitor> =
        LazyLock::new(|| Visitor::new(api::DESCRIPTOR_SET).unwrap());

    fn visitor() -> &'static Visitor {
        &VISITOR
    }

    fn descriptors() -> BTreeMap<String, DescriptorProto> {
        fn add(
            parent: &str,
            message: &DescriptorProto,
            into: &mut BTreeMap<String, DescriptorProto>,
        ) {
            let name = format!("{parent}.{}", message.name());
            for inner in &message.nested_type {
                add(&name, inner, into);
            }
            into.insert(name, message.clone());
        }
        let set = FileDescriptorSet::decode(api::DESCRIPTOR_SET).unwrap();
        let mut all = BTreeMap::new();
        for file in &set.file {
            for message in &file.message_type {
                add(&format!(".{}", file.package()), message, &mut all);
            }
        }
        all
    }

    /// A message with everything in it that it can have, to a depth; says how many payloads that
    /// are, apart from search attributes.
    fn full(
        all: &BTreeMap<String, DescriptorProto>,
        name: &str,
        depth: usize,
        counts: bool,
    ) -> (Vec<u8>, usize) {
        if name == PAYLOAD {
            let payload = Payload::new("json/plain", "\"canary\"");
            return (payload.encode_to_vec(), usize::from(counts));
        }
        let counts = counts && name != SEARCH_ATTRIBUTES;
        let (mut bytes, mut count) = (Vec::new(), 0);
        for field in &all[name].field {
            let number = u64::try_from(field.number()).unwrap();
            match field.r#type() {
                Type::Message if depth > 0 => {
                    let (inner, inside) = full(all, field.type_name(), depth - 1, counts);
                    count += inside;
                    encode_varint(number << 3 | 2, &mut bytes);
                    encode_varint(inner.len() as u64, &mut bytes);
                    bytes.extend_from_slice(&inner);
                }
                Type::String => {
                    encode_varint(number << 3 | 2, &mut bytes);
                    encode_varint(1, &mut bytes);
                    bytes.push(b'x');
                }
                Type::Double | Type::Fixed64 | Type::Sfixed64 => {
                    encode_varint(number << 3 | 1, &mut bytes);
                    bytes.extend_from_slice(&[7; 8]);
                }
                _ => {}
            }
        }
        (bytes, count)
    }

    #[test]
    fn every_payload_of_every_message_is_found_and_replaced() {
        let (visitor, all) = (visitor(), descriptors());
        let mut with_payloads = 0;
        for name in all.keys().filter(|name| *name != PAYLOAD) {
            let (bytes, count) = full(&all, name, 5, true);
            let found = visitor.find(name.trim_start_matches('.'), &bytes).unwrap();
            assert_eq!(found.payloads.len(), count, "{name}");
            with_payloads += usize::from(count > 0);
            let encrypted = vec![Payload::new("binary/encrypted", "x"); count];
            let replaced = found.replace(encrypted).unwrap();
            let again = visitor.find(name.trim_start_matches('.'), &replaced).unwrap();
            assert!(again.payloads.iter().all(|payload| payload.data == "x"), "{name}");
            let back = again.replace(found.payloads.clone()).unwrap();
            assert_eq!(back, bytes, "{name} is not what it was");
        }
        assert!(with_payloads > 160, "{with_payloads} messages hold payloads");
    }

    #[test]
    fn search_attributes_stay_as_they_are() {
        let attribute = ApiPayload { data: "\"x\"".into(), ..ApiPayload::default() };
        let request = StartWorkflowExecutionRequest {
            input: Some(Payloads { payloads: vec![ApiPayload::default()] }),
            search_attributes: Some(SearchAttributes {
                indexed_fields: [("A".to_owned(), attribute)].into(),
            }),
            ..Default::default()
        };
        let name = "temporal.api.workflowservice.v1.StartWorkflowExecutionRequest";
        let (visitor, bytes) = (visitor(), request.encode_to_vec());
        let found = visitor.find(name, &bytes).unwrap();
        assert_eq!(found.payloads.len(), 1);
        let replaced = found.replace(vec![Payload::new("a", "b")]).unwrap();
        let replaced = StartWorkflowExecutionRequest::decode(replaced.as_slice()).unwrap();
        assert_eq!(replaced.search_attributes, request.search_attributes);
        assert_eq!(replaced.input.unwrap().payloads[0].data, "b");
    }

    #[test]
    fn payloads_of_a_message_in_an_any_are_found() {
        let update = Request {
            input: Some(Input {
                args: Some(Payloads { payloads: vec![ApiPayload::default(); 2] }),
                ..Input::default()
            }),
            ..Request::default()
        };
        let any = Any {
            type_url: "type.googleapis.com/temporal.api.update.v1.Request".to_owned(),
            value: update.encode_to_vec(),
        };
        let (visitor, bytes) = (visitor(), any.encode_to_vec());
        let found = visitor.find("google.protobuf.Any", &bytes).unwrap();
        assert_eq!(found.payloads.len(), 2);
        let replaced = found.replace(vec![Payload::new("a", "b"); 2]).unwrap();
        let any = Any::decode(replaced.as_slice()).unwrap();
        let update = Request::decode(any.value.as_slice()).unwrap();
        assert_eq!(update.input.unwrap().args.unwrap().payloads[1].data, "b");
    }

    #[test]
    fn another_number_of_payloads_is_refused() {
        let request = SignalWorkflowExecutionRequest {
            input: Some(Payloads { payloads: vec![ApiPayload::default()] }),
            ..Default::default()
        };
        let (visitor, bytes) = (visitor(), request.encode_to_vec());
        let name = "temporal.api.workflowservice.v1.SignalWorkflowExecutionRequest";
        let found = visitor.find(name, &bytes).unwrap();
        let error = found.replace(Vec::new()).unwrap_err();
        assert_eq!(error, VisitError::WrongCount { given: 0, places: 1 });
    }

    #[test]
    fn a_message_that_is_nested_too_deep_is_refused() {
        let (visitor, mut failure) = (visitor(), Vec::new());
        for _ in 0..200 {
            // `cause` of a failure is field 4.
            let mut outer = vec![4 << 3 | 2];
            encode_varint(failure.len() as u64, &mut outer);
            outer.extend_from_slice(&failure);
            failure = outer;
        }
        let error = visitor.find("temporal.api.failure.v1.Failure", &failure).map(drop);
        assert_eq!(error, Err(VisitError::TooDeep));
    }

    proptest! {
        #[test]
        fn random_bytes_are_refused_or_kept(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let visitor = visitor();
            let name = "temporal.api.workflowservice.v1.StartWorkflowExecutionRequest";
            if let Ok(found) = visitor.find(name, &bytes) {
                let payloads = found.payloads.clone();
                let replaced = found.replace(payloads.clone()).unwrap();
                let again = visitor.find(name, &replaced).unwrap();
                prop_assert_eq!(again.payloads, payloads);
            }
        }
    }
}
