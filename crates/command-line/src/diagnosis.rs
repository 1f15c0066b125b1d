//! Why there is no way to the server: the step that failed, and what would help.

use std::{error::Error, fmt, io, time::Duration};

use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tonic::{Code, Status};

use crate::settings::{Settings, Tls};

/// A step on the way to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Address,
    Dns,
    Tcp,
    Tls,
    Certificate,
    Http2,
    Authentication,
    Authorization,
    Namespace,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Address => "address",
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Certificate => "certificate",
            Self::Http2 => "HTTP/2",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Namespace => "namespace",
        })
    }
}

const MAYBE_ENCRYPTED: &str =
    "the server may insist on encryption: try --tls, or --tls-ca-path with its authority";

const CLIENT_CERTIFICATE: &str =
    "the server wants a client certificate it trusts: --tls-cert-path and --tls-key-path";

/// Which step failed, why, and what would help.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    pub(crate) step: Step,
    address: String,
    namespace: String,
    encrypted: bool,
    cause: String,
    advice: Option<String>,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, address, namespace, cause, .. } = self;
        let tls = if self.encrypted { "on" } else { "off" };
        writeln!(formatter, "no way to the server")?;
        writeln!(formatter, "  address      {address}")?;
        writeln!(formatter, "  namespace    {namespace}")?;
        writeln!(formatter, "  TLS          {tls}")?;
        writeln!(formatter, "  failed step  {step}")?;
        write!(formatter, "  cause        {cause}")?;
        if let Some(advice) = &self.advice {
            write!(formatter, "\n  advice       {advice}")?;
        }
        Ok(())
    }
}

impl Diagnosis {
    fn new(
        settings: &Settings,
        step: Step,
        cause: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = advice.into();
        Self {
            step,
            address: settings.address.clone(),
            namespace: settings.namespace.clone(),
            encrypted: settings.tls.is_some(),
            cause: cause.into(),
            advice: Some(advice).filter(|advice| !advice.is_empty()),
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self.step {
            Step::Authentication => 6,
            Step::Authorization => 7,
            Step::Namespace => 3,
            Step::Address => 2,
            _ => 8,
        }
    }
}

/// Finds out why a connection could not be made, by making it once more step by step.
pub(crate) async fn connect(
    settings: &Settings,
    error: &(dyn Error + 'static),
    timeout: Duration,
) -> Diagnosis {
    if let Err(diagnosis) = reach(settings, timeout).await {
        return diagnosis;
    }
    let cause = chain(error);
    let lower = cause.to_lowercase();
    let of_tls = |step, advice: &str| Diagnosis::new(settings, step, &*cause, advice);
    if settings.tls.is_none() {
        return of_tls(Step::Http2, MAYBE_ENCRYPTED);
    }
    if lower.contains("certificate") || lower.contains("unknownissuer") {
        let advice = if lower.contains("unknownissuer") || lower.contains("unknown issuer") {
            "name the authority of the server's certificate with --tls-ca-path"
        } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
            "name the server as its certificate does, with --tls-server-name"
        } else if lower.contains("expired") {
            "the server's certificate is no longer valid; or this machine's clock is wrong"
        } else if lower.contains("required") || lower.contains("received fatal alert") {
            CLIENT_CERTIFICATE
        } else {
            ""
        };
        return of_tls(Step::Certificate, advice);
    }
    let advice = if lower.contains("corrupt") || lower.contains("invalidcontenttype") {
        "the server does not seem to speak TLS on this port: try --tls=false"
    } else {
        ""
    };
    of_tls(Step::Tls, advice)
}

/// Finds out why connecting took too long.
pub(crate) async fn slow(settings: &Settings, timeout: Duration) -> Diagnosis {
    match reach(settings, timeout).await {
        Err(diagnosis) => diagnosis,
        Ok(()) => Diagnosis::new(
            settings,
            if settings.tls.is_some() { Step::Tls } else { Step::Http2 },
            format!("no answer within {timeout:?}"),
            "something else may listen on this port; --client-connect-timeout waits longer",
        ),
    }
}

/// Goes as far as TCP.
async fn reach(settings: &Settings, timeout: Duration) -> Result<(), Diagnosis> {
    let address = settings.address.as_str();
    if address.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
        let advice = "write it as HOST:PORT; the port is 7233 unless somebody changed it";
        return Err(Diagnosis::new(settings, Step::Address, "there is no port", advice));
    }
    let found = match tokio::time::timeout(timeout, tokio::net::lookup_host(address)).await {
        Ok(Ok(found)) => found.collect::<Vec<_>>(),
        Ok(Err(error)) => {
            let advice = "check --address, and that this machine can resolve the name";
            return Err(Diagnosis::new(settings, Step::Dns, error.to_string(), advice));
        }
        Err(_) => {
            return Err(Diagnosis::new(settings, Step::Dns, "no answer in time", ""));
        }
    };
    let mut cause = "the name has no address".to_owned();
    for one in found {
        match tokio::time::timeout(timeout, TcpStream::connect(one)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => cause = format!("{one}: {error}"),
            Err(_) => cause = format!("{one}: no answer within {timeout:?}"),
        }
    }
    let advice = "is the server running, does it listen there, and does no firewall stand between?";
    Err(Diagnosis::new(settings, Step::Tcp, cause, advice))
}

/// True for the end of a connection: it is no answer of the server's.
pub(crate) fn is_broken(status: &Status) -> bool {
    let of_connection = matches!(
        status.code(),
        Code::Cancelled | Code::Internal | Code::Unavailable | Code::Unknown
    );
    of_connection && status.source().is_some()
}

/// Finds out why a connection ended before it gave an answer. A server that wants another
/// certificate, or encryption, says so only when it is spoken to.
pub(crate) async fn broken(settings: &Settings, status: &Status, timeout: Duration) -> Diagnosis {
    if let Err(diagnosis) = reach(settings, timeout).await {
        return diagnosis;
    }
    let http2 = |advice| Diagnosis::new(settings, Step::Http2, chain(status), advice);
    let Some(tls) = &settings.tls else { return http2(MAYBE_ENCRYPTED) };
    match tokio::time::timeout(timeout, last_words(settings, tls)).await {
        Ok(Err(error)) if error.to_string().contains("alert") => {
            let cause = error.to_string();
            Diagnosis::new(settings, Step::Certificate, cause, CLIENT_CERTIFICATE)
        }
        _ => http2(""),
    }
}

/// What a server says of a connection that is only encrypted.
async fn last_words(settings: &Settings, tls: &Tls) -> io::Result<()> {
    let identity = tls.certificate.as_deref().zip(tls.key.as_deref());
    let client = tls::UnverifiedClient::new(identity).map_err(io::Error::other)?;
    let host = settings.address.rsplit_once(':').map_or("", |(host, _)| host);
    let name = tls.server_name.clone().unwrap_or_else(|| host.trim_matches(['[', ']']).to_owned());
    let stream = TcpStream::connect(settings.address.as_str()).await?;
    let mut stream = client.connect(name, stream).await?;
    stream.read_exact(&mut [0]).await?;
    Ok(())
}

/// What a refusal says about the way to the server; none when it is about the request itself.
pub(crate) fn refusal(settings: &Settings, status: &Status) -> Option<Diagnosis> {
    let of = |step, advice: &str| {
        Some(Diagnosis::new(settings, step, status.message().to_owned(), advice))
    };
    match status.code() {
        Code::Unauthenticated => of(
            Step::Authentication,
            "show who you are: --api-key, or --tls-cert-path and --tls-key-path",
        ),
        Code::PermissionDenied if !settings.says_who_asks() => of(
            Step::Authentication,
            "nothing says who asks: --api-key, `login`, or --tls-cert-path and --tls-key-path",
        ),
        Code::PermissionDenied => of(
            Step::Authorization,
            "who asks may not do this; or what was shown for it does not count here",
        ),
        Code::NotFound if is_missing_namespace(status) => of(
            Step::Namespace,
            "check --namespace; `operator namespace list` shows those there are",
        ),
        _ => None,
    }
}

/// True for the details type `NamespaceNotFoundFailure`.
fn is_missing_namespace(status: &Status) -> bool {
    const TYPE: &[u8] = b"errordetails.v1.NamespaceNotFoundFailure";
    status.details().windows(TYPE.len()).any(|window| window == TYPE)
}

/// An error and what is behind it: the outermost says nothing that helps.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}
