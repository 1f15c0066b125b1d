//! Links as headers carry them: `<url>; type="name"`.

use api::nexus::v1::Link;
use http::{HeaderMap, HeaderValue};

use crate::headers::LINK;

/// Most links of one request or answer.
const LINKS_MAX: usize = 100;

/// Adds links to headers. One that cannot be a header is left out: links are for people.
pub fn write_links(headers: &mut HeaderMap, links: &[Link]) {
    for link in links.iter().take(LINKS_MAX) {
        let is_whole = !link.url.is_empty() && is_type(&link.r#type) && !link.url.contains('>');
        let text = format!("<{}>; type=\"{}\"", link.url, link.r#type);
        if let (true, Ok(value)) = (is_whole, HeaderValue::try_from(text)) {
            headers.append(LINK, value);
        }
    }
}

/// Reads the links of headers; none when one of them is malformed.
pub fn read_links(headers: &HeaderMap) -> Option<Vec<Link>> {
    let mut links = Vec::new();
    for value in headers.get_all(LINK) {
        for text in value.to_str().ok()?.split(',') {
            links.push(read_link(text.trim())?);
            if links.len() > LINKS_MAX {
                return None;
            }
        }
    }
    Some(links)
}

fn read_link(text: &str) -> Option<Link> {
    let (url, rest) = text.strip_prefix('<')?.split_once('>')?;
    let url = url.trim();
    if url.is_empty() {
        return None;
    }
    let mut parameters = rest.split(';');
    if !parameters.next()?.trim().is_empty() {
        return None;
    }
    let mut kind = None;
    for parameter in parameters {
        let (key, value) = parameter.trim().split_once('=')?;
        let value = value.trim();
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let is_quoted_at_one_end = unquoted.is_none() && value.contains('"');
        if is_quoted_at_one_end {
            return None;
        }
        if key.trim() == "type" {
            let found = unquoted.unwrap_or(value);
            kind = Some(is_type(found).then(|| found.to_owned())?);
        }
    }
    Some(Link { url: url.to_owned(), r#type: kind? })
}

fn is_type(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '/');
    !text.is_empty() && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<Link>> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::try_from(text).unwrap());
        read_links(&headers)
    }

    #[test]
    fn what_is_written_is_read() {
        let link = |url: &str| Link { url: url.to_owned(), r#type: "a.b/C_1".to_owned() };
        let links = vec![link("temporal:///namespaces/a?b=c"), link("https://host/x")];
        let mut headers = HeaderMap::new();
        write_links(&mut headers, &links);
        assert_eq!(read_links(&headers), Some(links));
    }

    #[test]
    fn several_links_may_share_a_header() {
        let links = read(r#"<a:b>; type="x", <c:d> ; rel=up; type=y"#).unwrap();
        let read: Vec<_> = links.iter().map(|link| (&*link.url, &*link.r#type)).collect();
        assert_eq!(read, [("a:b", "x"), ("c:d", "y")]);
    }

    #[test]
    fn a_malformed_link_is_refused() {
        for text in [
            "a",
            "<a",
            "<>; type=x",
            "<a>",
            "<a> b; type=x",
            "<a>; type=\"x",
            "<a>; type=",
            "<a>; x=y",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
