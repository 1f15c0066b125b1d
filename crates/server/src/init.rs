//! `longtide server init`: a production configuration with all that belongs to it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use audit::SigningKey;
use authn::ApiKeyRequest;
use clap::Args;
use environment::{Entropy, Environment};
use model::{Span, Time};

use crate::{
    auth_commands,
    authorities::{Authorities, Role},
    configured, files, output,
    renewal::Renewal,
};

/// How long the first key of an administrator holds.
const FIRST_KEY_VALIDITY: Span = Span::from_secs(90 * 24 * 3600);

/// The file of the key for what is stored.
const AT_REST_KEY: &str = "at-rest.key";

/// Makes a production configuration: encryption with an authority of its own, a first administrator,
/// an audit log.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder, which may not be there yet, or has to be empty.
    directory: PathBuf,
    /// Where the gRPC API is to listen.
    #[arg(long, default_value = "127.0.0.1:7233")]
    listen: SocketAddr,
    /// A name or address by which clients know the server, besides those of this machine. May be
    /// repeated.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(options: &Init) -> anyhow::Result<()> {
    let directory = &options.directory;
    if fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("`{}` is not empty: nothing in it is touched", directory.display());
    }
    files::make_folder(directory)?;
    let directory = directory.canonicalize().context("the folder that was made is gone")?;
    let environment = Environment::system();
    let authorities = Authorities::at(&directory.join("authority"));
    authorities.make(&environment)?;
    files::make_folder(&directory.join("tls"))?;
    files::make_folder(&directory.join("audit"))?;
    files::make_folder(&directory.join("data"))?;
    let audit_key = SigningKey::make(environment.entropy.as_ref())?;
    files::write_new(&directory.join("audit.key"), &audit_key.to_pem()?)?;
    files::write_new(&directory.join(AT_REST_KEY), &new_key(environment.entropy.as_ref()))?;
    let file = directory.join("longtide.yaml");
    files::write_new(&file, &configuration(&directory, options)?)?;
    // What was written is read as the server will read it.
    let settings = configured::read(&file)?;
    if let Some(renewal) = Renewal::from_settings(&settings) {
        renewal.renew_if_due(&environment)?;
    }
    let expires = environment.clock.now() + FIRST_KEY_VALIDITY;
    let key = first_key(&file, &settings, environment, expires)?;
    let (file, ca) = (file.display(), authorities.certificate(Role::Server));
    let ca = ca.display();
    for line in [
        format!("The configuration is in {file}."),
        String::new(),
        "The first administrator's API key. It is shown this once, and ends in 90 days:".to_owned(),
        String::new(),
        format!("  {key}"),
        String::new(),
        "The audit log is signed by this key. Keep it where the log is not:".to_owned(),
        String::new(),
        format!("  {}", audit_key.public()),
        String::new(),
        format!(
            "What is stored is encrypted with {AT_REST_KEY}. Without it the data is lost: keep a copy."
        ),
        String::new(),
        "Start the server, and use it:".to_owned(),
        String::new(),
        format!("  longtide server start --config {file}"),
        format!("  export TEMPORAL_ADDRESS={} TEMPORAL_API_KEY=…", options.listen),
        format!("  export TEMPORAL_TLS_SERVER_CA_CERT_PATH={ca}"),
        "  temporal workflow list".to_owned(),
        format!("  longtide auth certificate create --config {file} --group workers --name w1 w1"),
    ] {
        output::line(&line);
    }
    Ok(())
}

fn first_key(
    file: &Path,
    settings: &config::Settings,
    environment: Environment,
    expires: Time,
) -> anyhow::Result<String> {
    let request = ApiKeyRequest {
        name: "admin".to_owned(),
        permissions: vec!["temporal-system:admin".to_owned()],
        expires,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let at_rest = configured::at_rest_options(settings, file);
    let made = runtime.block_on(auth_commands::create_in(
        &settings.data_directory,
        at_rest.as_ref(),
        environment,
        request,
    ))?;
    Ok(made.text)
}

/// A key for what is stored, as text.
fn new_key(entropy: &dyn Entropy) -> String {
    let mut key = [0; 32];
    entropy.fill(&mut key);
    key.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n"
}

/// The names that a certificate of this machine has anyway.
fn names(options: &Init) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let ip = options.listen.ip();
    if !ip.is_unspecified() {
        names.push(ip.to_string());
    }
    names.extend(options.hosts.iter().cloned());
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn configuration(directory: &Path, options: &Init) -> anyhow::Result<String> {
    let quoted = |text: &str| -> anyhow::Result<String> {
        // What JSON quotes, YAML reads; a dollar sign would begin a variable.
        Ok(serde_json::to_string(&text.replace('$', "$$"))?)
    };
    let path = |parts: &[&str]| -> anyhow::Result<String> {
        let path = parts.iter().fold(directory.to_owned(), |path, part| path.join(part));
        quoted(path.to_str().context("the folder's name is no UTF-8")?)
    };
    let names: Vec<String> =
        names(options).iter().map(|name| quoted(name)).collect::<anyhow::Result<_>>()?;
    Ok(format!(
        "# Made by `longtide server init`. Every setting: `longtide config explain`.\n\
         # Weaknesses: `longtide doctor --config {file}`.\n\
         data_directory: {data}\n\
         listen: {listen}\n\
         http:\n\
         \x20 listen: \"\"\n\
         namespaces:\n\
         \x20 - name: default\n\
         \x20   retention: 3d\n\
         # The server issues its own certificate again before it expires. Clients trust\n\
         # authority/server-ca.pem; keep the keys beside it as you keep passwords.\n\
         certificates:\n\
         \x20 authority_directory: {authority}\n\
         \x20 names: [{names}]\n\
         global:\n\
         \x20 tls:\n\
         \x20   refreshInterval: 10s\n\
         \x20   expirationChecks: {{ warningWindow: 120h, errorWindow: 24h, checkInterval: 12h }}\n\
         \x20   frontend:\n\
         \x20     server:\n\
         \x20       certFile: {certificate}\n\
         \x20       keyFile: {key}\n\
         \x20       minVersion: \"1.3\"\n\
         \x20       clientAuth: optional\n\
         \x20       clientCaFiles: [{client_ca}]\n\
         \x20 authorization:\n\
         \x20   authorizer: default\n\
         \x20   # Keys: `longtide auth key create`.\n\
         \x20   apiKeys: true\n\
         \x20   # Certificates: `longtide auth certificate create --group`.\n\
         \x20   clientCertificates:\n\
         \x20     - {{ organizationalUnit: administrators, permissions: [\"temporal-system:admin\"] }}\n\
         \x20     - {{ organizationalUnit: users, permissions: [\"temporal-system:write\"] }}\n\
         \x20     - {{ organizationalUnit: workers, permissions: [\"temporal-system:worker\"] }}\n\
         \x20     - {{ organizationalUnit: readers, permissions: [\"temporal-system:read\"] }}\n\
         # What is stored is encrypted with this key: without it the data is lost. Keep a copy of\n\
         # it where the data and its backups are not.\n\
         encryption_at_rest:\n\
         \x20 current: first\n\
         \x20 keys:\n\
         \x20   - {{ id: first, file: {at_rest_key} }}\n\
         audit:\n\
         \x20 directory: {audit}\n\
         \x20 key_file: {audit_key}\n\
         \x20 data_plane: writes\n\
         \x20 on_failure: block\n",
        file = path(&["longtide.yaml"])?,
        data = path(&["data"])?,
        listen = options.listen,
        authority = path(&["authority"])?,
        names = names.join(", "),
        certificate = path(&["tls", "server.pem"])?,
        key = path(&["tls", "server.key"])?,
        client_ca = path(&["authority", "client-ca.pem"])?,
        at_rest_key = path(&[AT_REST_KEY])?,
        audit = path(&["audit"])?,
        audit_key = path(&["audit.key"])?,
    ))
}
