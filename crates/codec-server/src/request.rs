//! What a request asks for.

use http::request::Parts;
use longtide_codec::Context;
use percent_encoding::percent_decode_str;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Encode,
    Decode,
}

/// What is asked, and where the payloads belong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) action: Action,
    pub(crate) context: Context,
}

/// A request that contradicts itself or cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Header(&'static str),
    /// Rights are decided on one namespace, so there must be one.
    TwoNamespaces,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "the header {name} is not text"),
            Self::TwoNamespaces => {
                formatter.write_str("the path and the header X-Namespace name two namespaces")
            }
        }
    }
}

impl Question {
    /// Reads path and headers; `None` when the path is of nothing here. The path is `/decode`, or
    /// `/NAMESPACE/decode`; with a longer one the namespace is the last step before the action.
    pub(crate) fn read(parts: &Parts) -> Result<Option<Self>, Unreadable> {
        let path = parts.uri.path();
        let Some((before, action)) = path.rsplit_once('/') else { return Ok(None) };
        let action = match action {
            "encode" => Action::Encode,
            "decode" => Action::Decode,
            _ => return Ok(None),
        };
        let of_path = before.rsplit('/').next().unwrap_or_default();
        let of_path = percent_decode_str(of_path).decode_utf8();
        let of_path = of_path.map_err(|_| Unreadable::Header("path"))?;
        let namespace = match header(parts, "x-namespace")? {
            "" => of_path.into_owned(),
            named if of_path.is_empty() || of_path == named => named.to_owned(),
            _ => return Err(Unreadable::TwoNamespaces),
        };
        let workflow_id = header(parts, "x-workflow-id")?.to_owned();
        Ok(Some(Self { action, context: Context { namespace, workflow_id } }))
    }
}

fn header<'a>(parts: &'a Parts, name: &'static str) -> Result<&'a str, Unreadable> {
    let value = parts.headers.get(name).map(http::HeaderValue::as_bytes).unwrap_or_default();
    std::str::from_utf8(value).map_err(|_| Unreadable::Header(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, namespace: &str) -> Result<Option<Question>, Unreadable> {
        let request = http::Request::post(path).header("X-Namespace", namespace);
        Question::read(&request.body(()).unwrap().into_parts().0)
    }

    fn asked(action: Action, namespace: &str) -> Result<Option<Question>, Unreadable> {
        Ok(Some(Question { action, context: Context::of_namespace(namespace) }))
    }

    #[test]
    fn the_namespace_is_in_the_path_or_in_the_header() {
        assert_eq!(read("/decode", "orders"), asked(Action::Decode, "orders"));
        assert_eq!(read("/orders/encode", ""), asked(Action::Encode, "orders"));
        assert_eq!(read("/or%20ders/encode?x=1", ""), asked(Action::Encode, "or ders"));
        assert_eq!(read("/codec/orders/decode", "orders"), asked(Action::Decode, "orders"));
        assert_eq!(read("/decode", ""), asked(Action::Decode, ""));
    }

    #[test]
    fn two_namespaces_are_refused() {
        assert_eq!(read("/invoices/decode", "orders"), Err(Unreadable::TwoNamespaces));
    }

    #[test]
    fn other_paths_are_of_nothing_here() {
        for path in ["/", "/decode/", "/decoded", "/download", "/orders"] {
            assert_eq!(read(path, "orders"), Ok(None), "{path}");
        }
    }
}
