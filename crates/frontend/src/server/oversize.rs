//! Messages above the limit.
//!
//! Clients stop trying when an oversize message is refused with the code and the text of the
//! reference's gRPC library. Ours answers with a code that they take for "try again", so its answer
//! is rewritten (fact sheet section 20).

use http::HeaderName;
use tonic::{Code, Status, body::Body};

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

const TOO_LARGE: &str = "Error, decoded message length too large: found ";
const TOO_LARGE_INSIDE: &str = "Error decompressing: size limit";

/// The response, or another one in its place when it refuses an oversize message.
pub(crate) fn translated(
    response: http::Response<Body>,
    message_bytes_max: usize,
) -> http::Response<Body> {
    // Only an answer without a message has its status among the headers.
    let Some(status) = response.headers().get(&GRPC_STATUS) else { return response };
    if !matches!(status.as_bytes(), b"8" | b"11") {
        return response;
    }
    let text = Status::from_header_map(response.headers())
        .and_then(|status| translated_text(status.code(), status.message(), message_bytes_max));
    match text {
        Some(text) => Status::resource_exhausted(text).into_http(),
        None => response,
    }
}

fn translated_text(code: Code, message: &str, max: usize) -> Option<String> {
    match code {
        Code::OutOfRange => {
            let numbers = message.strip_prefix(TOO_LARGE)?;
            let (found, limit) = numbers.split_once(" bytes, the limit is: ")?;
            let limit = limit.strip_suffix(" bytes")?;
            Some(format!("grpc: received message larger than max ({found} vs. {limit})"))
        }
        Code::ResourceExhausted if message.starts_with(TOO_LARGE_INSIDE) => {
            Some(format!("grpc: received message after decompression larger than max {max}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: Status) -> Status {
        Status::from_header_map(translated(status.into_http(), 4_194_304).headers()).unwrap()
    }

    #[test]
    fn an_oversize_message_is_refused_in_the_words_of_the_reference() {
        let status = answer(Status::out_of_range(
            "Error, decoded message length too large: found 5242960 bytes, \
             the limit is: 4194304 bytes",
        ));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(
            status.message(),
            "grpc: received message larger than max (5242960 vs. 4194304)"
        );
        let status = answer(Status::resource_exhausted(
            "Error decompressing: size limit, of 4194304 bytes, exceeded while decompressing \
             message",
        ));
        assert_eq!(
            status.message(),
            "grpc: received message after decompression larger than max 4194304"
        );
    }

    #[test]
    fn other_answers_stay_as_they_are() {
        assert_eq!(answer(Status::out_of_range("x")).code(), Code::OutOfRange);
        assert_eq!(answer(Status::resource_exhausted("x")).message(), "x");
        assert_eq!(answer(Status::not_found("x")).code(), Code::NotFound);
    }
}
