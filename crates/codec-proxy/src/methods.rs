//! Which methods the API has, and what goes in and out of each.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet, field_descriptor_proto::Type};

/// Where a request names its namespace.
const NAMESPACE: &str = "namespace";

/// The methods that can be proxied, by their paths.
#[derive(Debug)]
pub(crate) struct Methods {
    methods: BTreeMap<String, Method>,
    services: BTreeSet<String>,
    /// Services whose messages go on as they are.
    passed: BTreeSet<String>,
}

/// One method: the names of its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) request: String,
    pub(crate) response: String,
    /// The field of the request that names the namespace, if one does.
    pub(crate) namespace: Option<u32>,
}

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// Its payloads are encoded and decoded.
    Coded(&'a Method),
    /// It goes on as it is.
    Passed,
    /// The method of a known service, of which nobody knows where its payloads are.
    UnknownMethod,
    /// A service that the API does not describe.
    UnknownService,
}

/// The methods cannot be told from the API's description, or not be proxied.
#[derive(Debug, thiserror::Error)]
pub enum MethodsError {
    /// It is no description.
    #[error("the descriptor set cannot be read: {0}")]
    Unreadable(#[from] prost::DecodeError),
    /// Messages of streams are not looked into.
    #[error("the method {0} streams, which the proxy does not know how to encode")]
    Streams(String),
    /// Letting a service pass would let its payloads pass.
    #[error("the service {0} has payloads, and cannot be passed as it is")]
    HasPayloads(String),
}

impl Methods {
    pub(crate) fn read(
        descriptor_set: &[u8],
        passed: impl IntoIterator<Item = String>,
    ) -> Result<Self, MethodsError> {
        let set = FileDescriptorSet::decode(descriptor_set)?;
        let messages = set.file.iter().flat_map(|file| {
            let named = |message| (format!("{}.{}", file.package(), name_of(message)), message);
            file.message_type.iter().map(named)
        });
        let messages: BTreeMap<String, &DescriptorProto> = messages.collect();
        let mut all =
            Self { methods: BTreeMap::new(), services: BTreeSet::new(), passed: BTreeSet::new() };
        for file in &set.file {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                for method in &service.method {
                    let path = format!("/{name}/{}", method.name());
                    if method.client_streaming() || method.server_streaming() {
                        return Err(MethodsError::Streams(path));
                    }
                    let message = |name: &str| name.trim_start_matches('.').to_owned();
                    let request = message(method.input_type());
                    let namespace = messages.get(&request).and_then(|it| namespace_of(it));
                    let response = message(method.output_type());
                    all.methods.insert(path, Method { request, response, namespace });
                }
                all.services.insert(name);
            }
        }
        for service in passed {
            if all.services.contains(&service) {
                return Err(MethodsError::HasPayloads(service));
            }
            all.passed.insert(service);
        }
        Ok(all)
    }

    /// What becomes of a call to this path.
    pub(crate) fn route(&self, path: &str) -> Route<'_> {
        if let Some(method) = self.methods.get(path) {
            return Route::Coded(method);
        }
        let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if self.passed.contains(service) {
            Route::Passed
        } else if self.services.contains(service) {
            Route::UnknownMethod
        } else {
            Route::UnknownService
        }
    }
}

fn name_of(message: &DescriptorProto) -> &str {
    message.name()
}

fn namespace_of(message: &DescriptorProto) -> Option<u32> {
    let is_namespace = |field: &&prost_types::FieldDescriptorProto| {
        field.name() == NAMESPACE && field.r#type() == Type::String
    };
    let field = message.field.iter().find(is_namespace)?;
    u32::try_from(field.number()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKFLOW_SERVICE: &str = "temporal.api.workflowservice.v1.WorkflowService";

    fn methods() -> Methods {
        let passed = ["grpc.health.v1.Health".to_owned()];
        Methods::read(api::DESCRIPTOR_SET, passed).unwrap()
    }

    #[test]
    fn every_method_of_the_api_is_encoded_and_the_others_are_not() {
        let methods = methods();
        let start = format!("/{WORKFLOW_SERVICE}/StartWorkflowExecution");
        let Route::Coded(start) = methods.route(&start) else { panic!("not found") };
        assert!(start.request.ends_with(".StartWorkflowExecutionRequest"));
        assert_eq!(start.namespace, Some(1));
        assert!(methods.methods.len() > 100, "{} methods", methods.methods.len());
        let unknown = format!("/{WORKFLOW_SERVICE}/StartSomethingNew");
        assert_eq!(methods.route(&unknown), Route::UnknownMethod);
        assert_eq!(methods.route("/grpc.health.v1.Health/Watch"), Route::Passed);
        for path in ["/longtide.admin.v1.AdminService/ListApiKeys", "/", "", "//"] {
            assert_eq!(methods.route(path), Route::UnknownService, "{path}");
        }
    }

    #[test]
    fn a_service_with_payloads_does_not_pass() {
        let error = Methods::read(api::DESCRIPTOR_SET, [WORKFLOW_SERVICE.to_owned()]).unwrap_err();
        assert!(matches!(error, MethodsError::HasPayloads(_)), "{error}");
    }
}
