//! Generates messages, services and the descriptor set from the .proto files that the crate
//! `temporalio-protos` ships. Nothing is vendored and no `protoc` is needed (docs/design/0001).

#![expect(clippy::disallowed_methods, reason = "cargo talks to build scripts by environment")]

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

/// `History` is carried as encoded bytes (see `src/raw_history.rs`), so its struct is ours.
const RAW_HISTORY: (&str, &str) =
    (".temporal.api.history.v1.History", "crate::raw_history::RawHistory");

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let path = env::var("DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH")?;
    let encoded = fs::read(path)?;
    let mut descriptors = prost_types::FileDescriptorSet::decode(encoded.as_slice())?;
    descriptors.file.retain(|file| wanted(file.package()));

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;

    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".")
        .extern_path(RAW_HISTORY.0, RAW_HISTORY.1)
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .emit_rerun_if_changed(false)
        .include_file("mod.rs")
        .compile_fds(descriptors)?;
    Ok(())
}

/// The public API and the options its files import; not the Cloud API nor the SDKs' own protocol.
fn wanted(package: &str) -> bool {
    package.starts_with("google.")
        || (package.starts_with("temporal.api.") && !package.contains(".cloud."))
}
