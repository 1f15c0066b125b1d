//! Where people go once they have signed in.

/// Longest path, in bytes: it has to fit into a cookie.
const BYTES_MAX: usize = 2048;

/// Where people go who want to go nowhere.
pub(crate) const HOME: &str = "/";

/// The path, if it is one of this server and no browser could take it for anything else; what would
/// begin to sign in again leads home.
pub(crate) fn local(url: &str) -> Option<&str> {
    if url.is_empty() {
        return Some(HOME);
    }
    let mut letters = url.chars();
    let begins_well = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    // Browsers leave out tabs and line breaks, and take a backslash for a slash.
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if !begins_well || !is_plain || url.len() > BYTES_MAX {
        return None;
    }
    let loops = ["/auth", "/sign-in"].iter().any(|own| {
        url.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    });
    Some(if loops { HOME } else { url })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for good in ["/", "/namespaces/a/workflows?q=b%20c#d", "/a//b", "/authors"] {
            assert_eq!(local(good), Some(good));
        }
        for home in ["", "/auth/sso?returnUrl=/", "/sign-in", "/sign-in?error=state"] {
            assert_eq!(local(home), Some("/"), "{home}");
        }
        for bad in [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/a\r\nset-cookie: x=y",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
            "evil.example",
            " /a",
            "/ä",
            "/a\\b",
            &format!("/{}", "a".repeat(BYTES_MAX)),
        ] {
            assert_eq!(local(bad), None, "{bad}");
        }
    }
}
