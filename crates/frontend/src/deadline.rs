//! How long a long poll may take.

use http::{HeaderMap, HeaderName};
use model::{Span, Time};

use crate::error::{ApiError, ApiResult};

static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Longest wait of a poll for a task.
pub(crate) const POLL_MAX: Span = Span::from_secs(60);

/// Longest wait of a poll for history events.
pub(crate) const HISTORY_POLL_MAX: Span = Span::from_secs(20);

/// A client whose deadline is nearer than this gets no poll at all.
const CLIENT_TIMEOUT_MIN: Span = Span::from_secs(2);

/// A poll answers so long before the client gives up.
const MARGIN: Span = Span::from_secs(1);

/// What the client allows, from the `grpc-timeout` header: up to eight digits and a unit. A header
/// that is not understood counts as none.
pub(crate) fn client_timeout(headers: &HeaderMap) -> Option<Span> {
    let text = headers.get(&GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let count: i64 = digits.parse().ok().filter(|count| *count >= 0)?;
    let nanos: i64 = match unit {
        "H" => 3_600_000_000_000,
        "M" => 60_000_000_000,
        "S" => 1_000_000_000,
        "m" => 1_000_000,
        "u" => 1_000,
        "n" => 1,
        _ => return None,
    };
    Some(Span::from_nanos(count.saturating_mul(nanos)))
}

/// When a poll for a task answers empty.
///
/// # Errors
/// When the client does not allow enough time.
pub(crate) fn poll_deadline(received: Time, client: Option<Span>) -> ApiResult<Time> {
    match client {
        Some(timeout) if timeout < CLIENT_TIMEOUT_MIN => {
            Err(ApiError::precondition("Context timeout is too short."))
        }
        Some(timeout) => Ok(received + (timeout - MARGIN).min(POLL_MAX)),
        None => Ok(received + POLL_MAX),
    }
}

/// When a poll for history events answers empty: a client in a hurry gets an answer at once.
pub(crate) fn history_deadline(received: Time, client: Option<Span>) -> Time {
    received + client.map_or(HISTORY_POLL_MAX, |timeout| (timeout - MARGIN).min(HISTORY_POLL_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Span> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", text.parse().unwrap());
        client_timeout(&headers)
    }

    #[test]
    fn timeouts_are_read_in_every_unit() {
        assert_eq!(parsed("70S"), Some(Span::from_secs(70)));
        assert_eq!(parsed("1999m"), Some(Span::from_millis(1999)));
        assert_eq!(parsed("99999999n"), Some(Span::from_nanos(99_999_999)));
        assert_eq!(parsed("99999999H"), Some(Span::from_nanos(i64::MAX)));
        for text in ["", "S", "5", "-5S", "123456789S", "5x", "é"] {
            assert_eq!(
                http::HeaderValue::from_str(text).ok().and_then(|_| parsed(text)),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn a_poll_answers_a_second_before_the_client_gives_up() {
        let now = Time::from_nanos(5);
        let after = |seconds| poll_deadline(now, Some(Span::from_secs(seconds))).unwrap();
        assert_eq!(after(2), now + Span::from_secs(1));
        assert_eq!(after(70), now + POLL_MAX);
        assert_eq!(poll_deadline(now, None).unwrap(), now + POLL_MAX);
        assert!(poll_deadline(now, Some(Span::from_millis(1999))).is_err());
        assert_eq!(history_deadline(now, Some(Span::from_millis(500))), now);
    }
}
