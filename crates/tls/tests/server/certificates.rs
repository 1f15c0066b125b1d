//! What is refused, and what happens when files change.

use std::{fs, path::Path, sync::Arc};

use environment::Environment;
use model::Time;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tls::{
    ClientAuth, ExpiryChecks, HostSettings, ServerSettings, ServerTls, Source, TlsError, VersionMin,
};

/// In the year 2030.
const NOW: i64 = 1_893_456_000_000_000_000;

struct Pair {
    certificate: String,
    key: String,
}

fn parameters(from: i32, until: i32) -> CertificateParams {
    let mut parameters = CertificateParams::new(vec!["server.test".to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(from, 1, 1);
    parameters.not_after = date_time_ymd(until, 1, 1);
    parameters
}

fn pair(until: i32) -> Pair {
    let authority = KeyPair::generate().unwrap();
    let mut of_authority = parameters(2020, 2050);
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(of_authority, authority);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters(2020, until).signed_by(&key, &issuer).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn text(text: &str) -> Source {
    Source::Text(text.as_bytes().to_vec())
}

fn settings(certificate: Source, key: Source) -> HostSettings {
    HostSettings {
        certificate,
        key,
        client_authorities: Vec::new(),
        client_revocations: Vec::new(),
        client_auth: ClientAuth::None,
        version_min: VersionMin::Tls12,
    }
}

fn open(default: HostSettings) -> Result<Arc<ServerTls>, TlsError> {
    let settings = ServerSettings {
        default,
        hosts: std::collections::BTreeMap::new(),
        namespaces: std::collections::BTreeMap::new(),
        refresh_interval: model::Span::ZERO,
        expiry_checks: ExpiryChecks::default(),
    };
    ServerTls::open(settings, Environment::simulated(Time::from_nanos(NOW), 1).clock)
}

fn refused(host: HostSettings) -> String {
    open(host).unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_fits_is_taken() {
    let pair = pair(2040);
    open(settings(text(&pair.certificate), text(&pair.key))).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_work_is_refused_with_its_reason() {
    let (good, other, old) = (pair(2040), pair(2040), pair(2025));
    let certificate = || text(&good.certificate);
    let cases = [
        (settings(certificate(), text(&other.key)), "is not that of the certificate"),
        (settings(text(&old.certificate), text(&old.key)), "expired at"),
        (settings(text("x"), text(&good.key)), "TLS public certificate could not be decoded"),
        (settings(certificate(), text("x")), "TLS private key could not be decoded"),
        (settings(Source::File("nowhere".into()), text(&good.key)), "cannot read `nowhere`"),
    ];
    for (host, reason) in cases {
        let text = refused(host);
        assert!(text.contains(reason), "{text}");
    }
    let required = |client_authorities| HostSettings {
        client_auth: ClientAuth::Require,
        client_authorities,
        ..settings(certificate(), text(&good.key))
    };
    assert!(refused(required(Vec::new())).contains("there is no authority to check them"));
    assert!(refused(required(vec![text("x")])).contains("failed to decode ca cert"));
    let mut revoking = required(vec![certificate()]);
    revoking.client_revocations = vec![text("x")];
    assert!(refused(revoking).contains("revoked"));
}

#[tokio::test(start_paused = true)]
async fn files_are_taken_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
    let (first, second) = (pair(2040), pair(2041));
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    write(&certificate, &first.certificate);
    write(&key, &first.key);
    let tls = open(settings(Source::File(certificate.clone()), Source::File(key.clone()))).unwrap();
    assert!(!tls.refresh().unwrap(), "nothing has changed");
    write(&certificate, &second.certificate);
    assert!(matches!(tls.refresh(), Err(TlsError::Mismatch { .. })));
    write(&key, &second.key);
    assert!(tls.refresh().unwrap());
    assert!(!tls.refresh().unwrap());
    fs::remove_file(&key).unwrap();
    assert!(matches!(tls.refresh(), Err(TlsError::Unreadable { .. })));
}

#[test]
fn keys_are_never_shown() {
    let pair = pair(2040);
    let shown = format!("{:?}", settings(text(&pair.certificate), text(&pair.key)));
    assert!(!shown.contains("KEY") && shown.contains("Text"), "{shown}");
}
