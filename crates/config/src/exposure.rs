//! What would let in who should not be.

use std::net::SocketAddr;

use crate::{Authorization, Global};

/// Notes what of a port and of who may use it is too open.
pub(crate) fn check(
    listen: SocketAddr,
    dangerous_plaintext: bool,
    global: &Global,
    problems: &mut Vec<String>,
) {
    let is_encrypted = global.tls.frontend.server.is_enabled();
    if !listen.ip().is_loopback() && !dangerous_plaintext && !is_encrypted {
        problems.push(format!(
            "listen: {listen} is not a loopback address, and there is no encryption: set \
             global.tls.frontend.server, or dangerous_plaintext to true if whoever is on the way \
             may read and change everything"
        ));
    }
    global.tls.check(problems);
    match &global.authorization {
        Some(authorization) => authorization.check(problems),
        None if is_encrypted => Authorization::default().check(problems),
        None => {}
    }
}
