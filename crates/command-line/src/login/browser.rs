//! An authorization code that comes back to loopback, with PKCE (RFC 7636).

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use openid_connect::{Tokens, address_with, challenge, random_text, read_form};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::Provider;
use crate::{
    context::Context,
    error::{Error, Result},
};

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a browser may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest first line of a request, in bytes.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// Where the browser comes back to.
const PATH: &str = "/callback";

/// Logs in with the user's browser.
pub(crate) async fn by_browser(
    context: &mut Context,
    provider: &Provider,
    scope: &str,
    audience: Option<&str>,
    port: u16,
) -> Result<Tokens> {
    let endpoint = provider.discovered.authorization_endpoint.as_deref();
    let endpoint = endpoint.ok_or_else(|| {
        Error::Login("the provider has no authorization endpoint: try --device".to_owned())
    })?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let redirect = format!("http://127.0.0.1:{}{PATH}", listener.local_addr()?.port());
    let entropy = context.environment.entropy.as_ref();
    let (state, verifier) = (random_text(entropy), random_text(entropy));
    let challenge = challenge(&verifier);
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", &provider.client.id),
        ("redirect_uri", &redirect),
        ("scope", scope),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    fields.extend(audience.map(|audience| ("audience", audience)));
    if scope.split(' ').any(|one| one == "offline_access") {
        // OpenID Connect gives tokens that renew others only to those who were asked.
        fields.push(("prompt", "consent"));
    }
    context.output.notice(&format!(
        "Open this page in a browser of this machine:\n\n  {}\n",
        address_with(endpoint, &fields)
    ))?;
    let code = tokio::time::timeout(PATIENCE, code(&listener, &state)).await;
    let code = code.map_err(|_| Error::Login("nobody came back from the browser".to_owned()))??;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", &redirect),
        ("code_verifier", &verifier),
    ];
    provider.exchange(&fields).await.map_err(|error| Error::Login(error.to_string()))
}

/// Waits for the browser; requests for other things, and of other logins, are refused.
async fn code(listener: &TcpListener, state: &str) -> Result<String> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let Ok(Ok(target)) =
            tokio::time::timeout(REQUEST_TIMEOUT, request_target(&mut stream)).await
        else {
            continue;
        };
        let Some(answer) =
            of_callback(&target).filter(|fields| fields.get("state").is_some_and(|it| it == state))
        else {
            respond(&mut stream, "404 Not Found", "There is nothing here.").await;
            continue;
        };
        if let Some(code) = answer.get("code") {
            respond(&mut stream, "200 OK", "You are logged in. This page can be closed.").await;
            return Ok(code.clone());
        }
        respond(&mut stream, "200 OK", "The login failed. The terminal says why.").await;
        let error = answer.get("error").map_or("no code came back", String::as_str);
        let text = answer.get("error_description").map(|text| format!(": {text}"));
        return Err(Error::Login(format!("{error}{}", text.unwrap_or_default())));
    }
}

/// What the first line of a request asks for.
async fn request_target(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    let mut words = line.split(' ');
    match (words.next(), words.next()) {
        (Some("GET"), Some(target)) => Ok(target.to_owned()),
        _ => Err(std::io::Error::other("no request for a page")),
    }
}

/// The fields of the answer; none for other pages.
fn of_callback(target: &str) -> Option<BTreeMap<String, String>> {
    Some(read_form(target.strip_prefix(PATH)?.strip_prefix('?')?))
}

/// Answers; a browser that is gone misses nothing.
async fn respond(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!("<!doctype html><meta charset=\"utf-8\"><title>Longtide</title><p>{text}");
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\ncontent-security-policy: default-src 'none'\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        let _closed = stream.shutdown().await.is_ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_from_its_address() {
        let fields = of_callback("/callback?code=a%2Fb&state=x+y").unwrap();
        assert_eq!((fields["code"].as_str(), fields["state"].as_str()), ("a/b", "x y"));
        assert!(of_callback("/favicon.ico").is_none());
        assert!(of_callback("/callbacks?code=a").is_none());
    }
}
