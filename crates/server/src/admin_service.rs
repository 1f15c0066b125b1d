//! `longtide.admin.v1.AdminService`: what operators do to the server itself. The frontend has
//! identified and permitted the caller before anything here is called.

use std::sync::Arc;

use audit::Names;
use authn::{ApiKeyError, ApiKeyRequest, ApiKeys};
use authz::Permit;
use frontend::{HttpRequest, SideService};
use model::Time;
use single_sign_on::SingleSignOn;
use tonic::{Code, Request, Response, Status, server::Grpc};
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::{
    admin_messages::{
        ApiKey, CreateApiKeyRequest, ExpireApiKeyRequest, ListApiKeysRequest, ListApiKeysResponse,
        NewApiKey, RevokeApiKeyRequest, RotateApiKeyRequest,
    },
    keys_messages::KeyStatus,
    keys_service::{self, ServerKeys},
    sessions_service as sessions,
};

/// The service's full name.
pub(crate) const NAME: &str = authz::Service::Admin.name();

/// Largest request, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Reads a request, does what it asks, writes the answer.
macro_rules! unary {
    ($request:ident, $keys:ident, $handler:expr) => {{
        let method = service_fn(|request: Request<_>| {
            let keys = $keys.clone();
            async move { $handler(keys, request.into_inner()).await.map(told) }
        });
        Grpc::new(ProstCodec::default())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .unary(method, $request)
            .await
    }};
}

/// What is administered.
#[derive(Debug, Clone)]
pub(crate) struct Administered {
    /// The API keys, if they are taken.
    pub(crate) api_keys: Option<Arc<ApiKeys>>,
    /// The keys of the server itself.
    pub(crate) keys: ServerKeys,
    /// Who is signed in to the web UI, if people sign in.
    pub(crate) single_sign_on: Option<Arc<SingleSignOn>>,
}

/// The service.
pub(crate) fn service(administered: Administered) -> SideService {
    Arc::new(move |request: HttpRequest| {
        let Administered { api_keys, keys: server_keys, single_sign_on } = administered.clone();
        Box::pin(async move {
            let Some(permit) = request.extensions().get::<Permit>().cloned() else {
                return Status::permission_denied("Request unauthorized.").into_http();
            };
            if let Some((_, name)) = permit.principal().stamp() {
                tracing::info!(rpc = permit.rpc().name, principal = name, "administration");
            }
            match permit.rpc().name {
                "GetKeyStatus" => return unary!(request, server_keys, keys_service::status),
                "RotateKeys" => return unary!(request, server_keys, keys_service::rotate),
                "ListSessions" => return unary!(request, single_sign_on, sessions::list),
                "EndSession" => return unary!(request, single_sign_on, sessions::end),
                _ => {}
            }
            let Some(keys) = api_keys else {
                return Status::unimplemented("API keys are switched off").into_http();
            };
            match permit.rpc().name {
                "CreateApiKey" => unary!(request, keys, create),
                "ExpireApiKey" => unary!(request, keys, expire),
                "ListApiKeys" => unary!(request, keys, list),
                "RevokeApiKey" => unary!(request, keys, revoke),
                "RotateApiKey" => unary!(request, keys, rotate),
                other => Status::unimplemented(format!("unknown method {other}")).into_http(),
            }
        })
    })
}

/// An answer, and what it is about, for the audit log.
fn told<T: About>(answer: T) -> Response<T> {
    let names = answer.about();
    let mut response = Response::new(answer);
    response.extensions_mut().insert(names);
    response
}

/// An answer that says what it is about.
pub(crate) trait About {
    /// The key in it, if it is one, or whatever it is.
    fn about(&self) -> Names;
}

impl About for ApiKey {
    fn about(&self) -> Names {
        let mut names = Names::default();
        names.add("api_key_id", &self.id);
        names.add("api_key_name", &self.name);
        names.add("permissions", &self.permissions.join(" "));
        names
    }
}

impl About for NewApiKey {
    fn about(&self) -> Names {
        self.key.as_ref().map_or_else(Names::default, About::about)
    }
}

impl About for KeyStatus {
    fn about(&self) -> Names {
        let mut names = Names::default();
        names.add("key_encryption_key", &self.key_encryption_key);
        names
    }
}

impl About for ListApiKeysResponse {
    fn about(&self) -> Names {
        Names::default()
    }
}

async fn create(keys: Arc<ApiKeys>, request: CreateApiKeyRequest) -> Result<NewApiKey, Status> {
    let CreateApiKeyRequest { name, permissions, expires } = request;
    let request = ApiKeyRequest { name, permissions, expires: Time::from_proto(expires.as_ref()) };
    Ok(made(keys.create(request).await.map_err(status)?))
}

async fn rotate(keys: Arc<ApiKeys>, request: RotateApiKeyRequest) -> Result<NewApiKey, Status> {
    let expires = Time::from_proto(request.expires.as_ref());
    let old_until = required(request.old_until.as_ref(), "old_until")?;
    Ok(made(keys.rotate(&request.id, expires, old_until).await.map_err(status)?))
}

async fn expire(keys: Arc<ApiKeys>, request: ExpireApiKeyRequest) -> Result<ApiKey, Status> {
    let expires = required(request.expires.as_ref(), "expires")?;
    Ok(shown(&*keys.expire(&request.id, expires).await.map_err(status)?))
}

async fn revoke(keys: Arc<ApiKeys>, request: RevokeApiKeyRequest) -> Result<ApiKey, Status> {
    Ok(shown(&*keys.revoke(&request.id).await.map_err(status)?))
}

async fn list(keys: Arc<ApiKeys>, _: ListApiKeysRequest) -> Result<ListApiKeysResponse, Status> {
    Ok(ListApiKeysResponse { keys: keys.all().iter().map(|key| shown(key)).collect() })
}

fn required(time: Option<&prost_types::Timestamp>, name: &str) -> Result<Time, Status> {
    let time = Time::from_proto(time);
    if time.is_set() {
        Ok(time)
    } else {
        Err(Status::invalid_argument(format!("{name} is not set")))
    }
}

/// What is shown of a key that was just made.
pub(crate) fn made(made: authn::NewApiKey) -> NewApiKey {
    NewApiKey { key: Some(shown(&made.key)), text: made.text }
}

fn shown(key: &authn::ApiKey) -> ApiKey {
    ApiKey {
        id: key.id.clone(),
        name: key.request.name.clone(),
        permissions: key.request.permissions.clone(),
        expires: key.request.expires.to_proto(),
        created: key.created.to_proto(),
    }
}

fn status(error: ApiKeyError) -> Status {
    let text = error.to_string();
    let code = match error {
        ApiKeyError::NotFound(_) => Code::NotFound,
        ApiKeyError::Invalid(_) => Code::InvalidArgument,
        ApiKeyError::TooMany(_) => Code::ResourceExhausted,
        ApiKeyError::Unavailable(_) => Code::Unavailable,
        _ => Code::Internal,
    };
    Status::new(code, text)
}
