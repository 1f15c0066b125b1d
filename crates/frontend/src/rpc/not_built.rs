//! Methods that are not built.

use std::sync::Arc;

use audit::Names;
use authz::{Caller, Resource, Rpc};
use bytes::Bytes;
use prost::Message;
use tonic::{Code, Request, Status};

use super::{Answer, decode};
use crate::{
    auditing::{Asked, code_name},
    error::ApiError,
    frontend::Frontend,
};

/// What every request in a namespace begins with; a test compares it with the API.
#[derive(Clone, PartialEq, Message)]
struct OnlyNamespace {
    #[prost(string, tag = "1")]
    namespace: String,
}

/// Refuses a call of a method that is not built. Who may not call it learns that first.
pub(super) fn refuse(
    frontend: Arc<Frontend>,
    rpc: &'static Rpc,
    mut request: Request<Bytes>,
) -> Answer {
    Box::pin(async move {
        let message: OnlyNamespace = decode(std::mem::take(request.get_mut()))?;
        Err(answer(&frontend, rpc, &request, &message.namespace).await)
    })
}

async fn answer(
    frontend: &Frontend,
    rpc: &'static Rpc,
    request: &Request<Bytes>,
    namespace: &str,
) -> Status {
    let anonymous = Caller::anonymous();
    let caller = request.extensions().get::<Caller>().unwrap_or(&anonymous);
    let namespace = match rpc.scope {
        authz::Scope::Cluster => "",
        authz::Scope::Namespace => namespace,
    };
    let permitted = frontend.permit(rpc, caller, Resource::in_namespace(namespace)).await;
    let asked = Asked { rpc, extensions: request.extensions(), namespace };
    let mut record = frontend.audit(&asked, Names::default, permitted.as_ref());
    if let Some(record) = &mut record {
        record.fail(code_name(Code::Unimplemented));
    }
    let error = permitted.map_or_else(|denied| denied, |_| not_built(rpc));
    let metrics = frontend.metrics.request(rpc.name, "");
    metrics.begin().end(std::time::Duration::ZERO, Some(error.error_type()));
    error.into_status()
}

fn not_built(rpc: &Rpc) -> ApiError {
    ApiError::unimplemented(format!("method {} not supported", rpc.name))
}

#[cfg(test)]
mod tests {
    use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};

    use super::*;

    #[test]
    fn a_method_that_is_not_built_says_so() {
        let rpc = authz::rpcs().next().unwrap();
        let status = not_built(rpc).into_status();
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(status.message(), format!("method {} not supported", rpc.name));
    }

    #[test]
    fn every_request_in_a_namespace_that_is_not_built_begins_with_its_name() {
        let set = FileDescriptorSet::decode(api::DESCRIPTOR_SET).unwrap();
        let message = |full: &str| {
            let files = set.file.iter();
            let mut found = files.flat_map(|file| {
                let package = file.package().to_owned();
                file.message_type
                    .iter()
                    .map(move |message| (format!(".{package}.{}", message.name()), message))
            });
            found.find(|(name, _)| name == full).map(|(_, message)| message).unwrap()
        };
        let built = crate::built_rpcs();
        let methods = set.file.iter().flat_map(|file| &file.service).flat_map(|s| &s.method);
        let mut checked = 0;
        for method in methods {
            let Some(rpc) = authz::rpcs().find(|rpc| rpc.name == method.name()) else { continue };
            if built.contains(&rpc.name) || rpc.scope == authz::Scope::Cluster {
                continue;
            }
            let request = message(method.input_type());
            let first = request.field.iter().find(|field| field.number() == 1).unwrap();
            assert_eq!((first.name(), first.r#type()), ("namespace", Type::String), "{rpc}");
            checked += 1;
        }
        assert!(checked > 0 || built.len() >= authz::RPC_COUNT - 2);
    }
}
