//! What operators do with the sessions of people who are signed in to the web UI.

use std::sync::Arc;

use audit::Names;
use single_sign_on::{
    EndSessionRequest, EndSessionResponse, ListSessionsRequest, ListSessionsResponse, OpenSession,
    SingleSignOn,
};
use tonic::Status;

use crate::admin_service::About;

/// Who signs people in; nobody when they do not sign in.
type SignOn = Option<Arc<SingleSignOn>>;

impl About for ListSessionsResponse {
    fn about(&self) -> Names {
        Names::default()
    }
}

impl About for EndSessionResponse {
    fn about(&self) -> Names {
        let mut names = Names::default();
        let of = |part: fn(&OpenSession) -> &str| {
            self.ended.iter().map(part).collect::<Vec<_>>().join(" ")
        };
        names.add("session_id", &of(|session| &session.id));
        names.add("subject", &of(|session| &session.subject));
        names
    }
}

/// Answers ListSessions.
pub(crate) async fn list(
    sign_on: SignOn,
    _: ListSessionsRequest,
) -> Result<ListSessionsResponse, Status> {
    Ok(known(sign_on)?.sessions())
}

/// Answers EndSession.
pub(crate) async fn end(
    sign_on: SignOn,
    request: EndSessionRequest,
) -> Result<EndSessionResponse, Status> {
    let sign_on = known(sign_on)?;
    if request.id.is_empty() == request.person.is_empty() {
        return Err(Status::invalid_argument("either id or person has to be set"));
    }
    let ended = sign_on.end_those(&request).await;
    let ended = ended.map_err(|error| Status::unavailable(error.to_string()))?;
    tracing::info!(sessions = ended.len(), "sessions were ended");
    Ok(EndSessionResponse { ended })
}

fn known(sign_on: SignOn) -> Result<Arc<SingleSignOn>, Status> {
    sign_on.ok_or_else(|| Status::unimplemented("nobody signs in to this server's web UI"))
}
