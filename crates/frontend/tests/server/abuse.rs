//! Clients that do not behave, before anybody knows who they are.

use std::time::Duration;

use api::workflowservice::v1::{GetSystemInfoRequest, ListNamespacesRequest};
use authz::Policy;
use frontend::{MessageLimits, RateLimit, RequestLimits, ServerSettings};
use listener::AddressLimits;
use model::Span;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use crate::harness::{Running, start_for};

/// What a client of HTTP/2 says first, with no settings of its own.
const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A call of GetSystemInfo on a stream, whose message does not come: `:method POST`, `:scheme http`,
/// the path and the content type as literals.
fn unfinished_call(stream: u32) -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    let path = b"/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo";
    for (name, value) in [(&b":path"[..], &path[..]), (b"content-type", b"application/grpc")] {
        block.push(0);
        block.push(u8::try_from(name.len()).unwrap());
        block.extend(name);
        block.push(u8::try_from(value.len()).unwrap());
        block.extend(value);
    }
    let mut frame = vec![0, 0, u8::try_from(block.len()).unwrap(), 1, 4];
    frame.extend(stream.to_be_bytes());
    frame.extend(block);
    frame
}

async fn start(addresses: AddressLimits) -> Running {
    let settings = ServerSettings {
        opening_timeout: Span::from_millis(100),
        drain_timeout: Span::from_millis(100),
        ..ServerSettings::default()
    };
    let messages = MessageLimits { timeout: Span::from_millis(200), ..MessageLimits::DEFAULT };
    let limits = RequestLimits { messages, ..RequestLimits::DEVELOPMENT };
    start_for(Policy::default(), limits, settings, addresses).await
}

/// Everything that the server says until it ends the connection.
async fn heard(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let ended = stream.read_to_end(&mut said);
    // A connection that is cut may read as an error or as an end.
    let _end = tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
    said
}

#[tokio::test]
async fn who_does_not_begin_to_speak_is_sent_away() {
    let server = start(AddressLimits::default()).await;
    for said in [&b""[..], &OPENING[..20]] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(said).await.unwrap();
        heard(&mut stream).await;
    }
}

#[tokio::test]
async fn a_message_that_does_not_come_is_not_waited_for() {
    let server = start(AddressLimits::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&[OPENING, &unfinished_call(1)].concat()).await.unwrap();
    let answered = tokio::time::timeout(Duration::from_secs(20), answer(&mut stream)).await;
    assert!(answered.unwrap() > 0);
}

/// Reads frames up to the headers of the answer on the first stream; gives their length.
async fn answer(stream: &mut TcpStream) -> usize {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let [a, b, c, kind, _, s, t, u, v] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap()];
        stream.read_exact(&mut payload).await.unwrap();
        if kind == 1 && u32::from_be_bytes([s, t, u, v]) == 1 {
            return payload.len();
        }
    }
}

#[tokio::test]
async fn who_is_refused_again_and_again_is_cut_off_and_the_others_are_not() {
    let refusals = Some(RateLimit { per_second: 1, burst: 3 });
    let server = start(AddressLimits { refusals, ..AddressLimits::default() }).await;
    let mut client = server.client().await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        let refused = client.list_namespaces(ListNamespacesRequest::default()).await.unwrap_err();
        codes.push(refused.code());
    }
    assert_eq!(&codes[..3], [Code::PermissionDenied; 3]);
    // The answer after the last that is allowed may still arrive; then the connection is gone, and
    // another is not taken.
    assert_ne!(codes[4], Code::PermissionDenied, "{codes:?}");
    assert!(server.visitors.turned_away() > 0);
}

#[tokio::test]
async fn an_address_has_so_many_requests_whoever_makes_them() {
    let requests = Some(RateLimit { per_second: 1, burst: 2 });
    let server = start(AddressLimits { requests, ..AddressLimits::default() }).await;
    let mut client = server.client().await;
    let mut ask = async || client.get_system_info(GetSystemInfoRequest {}).await;
    assert!(ask().await.is_ok() && ask().await.is_ok());
    let refused = ask().await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.message(), "address rate limit exceeded");
}

#[tokio::test]
async fn calls_that_are_given_up_at_once_end_the_connection_and_nothing_else() {
    let server = start(AddressLimits::default()).await;
    let mut client = server.client().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut said = OPENING.to_vec();
    for call in 0..2000 {
        let id = 2 * call + 1_u32;
        said.extend(unfinished_call(id));
        // RST_STREAM, CANCEL.
        said.extend([0, 0, 4, 3, 0]);
        said.extend(id.to_be_bytes());
        said.extend([0, 0, 0, 8]);
    }
    // The server may cut the connection while it is still told.
    let _cut = stream.write_all(&said).await;
    let heard = heard(&mut stream).await;
    // GOAWAY, ENHANCE_YOUR_CALM: kind 7, no flags, no stream, the last stream, the code.
    let goes_away = |frame: &[u8]| frame[3] == 7 && frame[13..17] == [0, 0, 0, 11];
    assert!(heard.is_empty() || heard.windows(17).any(goes_away), "{heard:?}");
    client.get_system_info(GetSystemInfoRequest {}).await.unwrap();
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let server = start(AddressLimits { connections_max: Some(2), ..Default::default() }).await;
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(server.client().await);
    }
    for client in &mut open {
        client.get_system_info(GetSystemInfoRequest {}).await.unwrap();
    }
    let mut third = TcpStream::connect(server.address).await.unwrap();
    assert!(heard(&mut third).await.is_empty());
    assert_eq!(server.visitors.turned_away(), 1);
    drop(open);
}
