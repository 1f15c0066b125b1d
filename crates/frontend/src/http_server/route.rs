//! From a path of Nexus to what answers it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use http::header::ORIGIN;
use nexus_protocol::{HandlerError, HandlerErrorKind};
use percent_encoding::percent_decode_str;

use super::{Answer, Request, complete, dispatch};
use crate::frontend::Frontend;

/// What a path means. Names are decoded; `rest` is as it came, from its slash on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// A request to the workers of an endpoint.
    Endpoint { endpoint: String, rest: String },
    /// A request to the workers of a task queue.
    TaskQueue { namespace: String, task_queue: String, rest: String },
    /// The completion of an operation, whose caller is in this namespace if the path says so.
    Complete { namespace: Option<String> },
}

/// A path that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a path means; none when it means nothing.
pub(super) fn route(path: &str) -> Result<Option<Route>, Malformed> {
    let decoded = |segment: &str| {
        let text = percent_decode_str(segment).decode_utf8().map_err(|_| Malformed)?;
        Ok(text.into_owned())
    };
    let Some(path) = path.strip_prefix('/') else { return Ok(None) };
    let segments: Vec<&str> = path.splitn(6, '/').collect();
    let rest = |skipped: usize| {
        let mut rest = path;
        for _ in 0..skipped {
            rest = rest.split_once('/').map_or("", |(_, rest)| rest);
        }
        format!("/{rest}")
    };
    Ok(Some(match segments.as_slice() {
        ["nexus", "callback"] => Route::Complete { namespace: None },
        ["namespaces", namespace, "nexus", "callback"] => {
            Route::Complete { namespace: Some(decoded(namespace)?) }
        }
        ["nexus", "endpoints", endpoint, "services", ..] if segments.len() > 4 => {
            Route::Endpoint { endpoint: decoded(endpoint)?, rest: rest(4) }
        }
        ["namespaces", namespace, "task-queues", task_queue, "nexus-services", _] => {
            Route::TaskQueue {
                namespace: decoded(namespace)?,
                task_queue: decoded(task_queue)?,
                rest: rest(5),
            }
        }
        _ => return Ok(None),
    }))
}

/// Answers a request. A panic on the way ends this request and nothing else.
pub(super) async fn answer(frontend: &Arc<Frontend>, route: Route, request: Request) -> Answer {
    let answering = AssertUnwindSafe(Box::pin(answer_unguarded(frontend, route, request)));
    answering.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("the handler of a request over HTTP panicked");
        HandlerError::new(HandlerErrorKind::Internal, "internal error").to_response(false)
    })
}

async fn answer_unguarded(frontend: &Arc<Frontend>, route: Route, request: Request) -> Answer {
    // A page in a browser could otherwise ask a server on loopback in the name of whoever reads it.
    if request.headers().contains_key(ORIGIN) {
        let text = "this is not for web pages";
        return HandlerError::new(HandlerErrorKind::Unauthorized, text).to_response(false);
    }
    match route {
        Route::Endpoint { endpoint, rest } => {
            dispatch::to_endpoint(frontend, &endpoint, &rest, request).await
        }
        Route::TaskQueue { namespace, task_queue, rest } => {
            dispatch::to_task_queue(frontend, &namespace, task_queue, &rest, request).await
        }
        Route::Complete { namespace } => {
            complete::complete(frontend, namespace.as_deref(), request).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_who_is_asked_and_keeps_the_rest_as_it_came() {
        let read = |path| route(path).unwrap();
        let owned = str::to_owned;
        assert_eq!(
            read("/nexus/endpoints/a%2Fb/services/s%20s/o%2Fo/cancel"),
            Some(Route::Endpoint { endpoint: owned("a/b"), rest: owned("/s%20s/o%2Fo/cancel") })
        );
        assert_eq!(
            read("/namespaces/n%20n/task-queues/t%2Ft/nexus-services/s/o"),
            Some(Route::TaskQueue {
                namespace: owned("n n"),
                task_queue: owned("t/t"),
                rest: owned("/s/o"),
            })
        );
        assert_eq!(read("/nexus/callback"), Some(Route::Complete { namespace: None }));
        let namespace = Some(owned("n/n"));
        assert_eq!(read("/namespaces/n%2Fn/nexus/callback"), Some(Route::Complete { namespace }));
    }

    #[test]
    fn other_paths_mean_nothing() {
        for path in [
            "",
            "/",
            "/api/v1/namespaces",
            "/nexus/callback/",
            "/nexus/endpoints/a/services",
            "/namespaces/n/task-queues/t/nexus-services",
            "/namespaces/n/nexus/callback/x",
        ] {
            assert_eq!(route(path), Ok(None), "{path}");
        }
        assert_eq!(route("/namespaces/%ff/nexus/callback"), Err(Malformed));
    }
}
