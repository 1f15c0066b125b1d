//! Says whether there is a connection over mutual TLS.
//!
//!     mutual_tls ADDRESS ROOTS CERTIFICATE KEY

use std::{env, fs::read, path::Path};

use anyhow::{Context as _, Result};
use temporalio_client::{
    ClientTlsOptions, Connection, ConnectionOptions, TlsOptions, Url,
};

#[rustfmt::skip]
async fn over_mutual_tls(address: &str, roots: &Path, certificate: &Path, key: &Path) -> Result<Connection> {
    let pair = ClientTlsOptions::builder();
    let pair = pair.client_cert(read(certificate)?).client_private_key(read(key)?).build();
    let tls = TlsOptions::builder().server_root_ca_cert(read(roots)?).client_tls_options(pair);
    let options = ConnectionOptions::new(Url::parse(&format!("https://{address}"))?);
    Ok(Connection::connect(options.tls_options(tls.build()).build()).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let mut argument = || arguments.next().context("ADDRESS ROOTS CERTIFICATE KEY");
    let (address, roots, certificate, key) = (argument()?, argument()?, argument()?, argument()?);
    over_mutual_tls(&address, roots.as_ref(), certificate.as_ref(), key.as_ref()).await?;
    println!("connected");
    Ok(())
}
