//! Builds in what `npm run build` has left in `ui/dist`, if it has: each file, and beside it what it
//! looks like compressed.

#![expect(clippy::disallowed_methods, reason = "cargo talks to build scripts by environment")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Most files that are built in.
const FILES_MAX: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../ui");
    let dist = root.join("dist");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        // Cargo takes what does not exist for changed, each time.
        println!("cargo::rerun-if-changed={}", dist.display());
        collect(&dist, "", &mut files)?;
    }
    files.sort();
    let mut code = String::from("&[\n");
    for name in &files {
        let beside = |suffix: &str| {
            let file = dist.join(format!("{name}{suffix}"));
            let file = file.is_file().then(|| file.display().to_string());
            file.map_or("None".to_owned(), |file| format!("Some(include_bytes!({file:?}))"))
        };
        let plain = dist.join(name).display().to_string();
        writeln!(
            code,
            "Built {{ name: {name:?}, plain: include_bytes!({plain:?}), brotli: {}, gzip: {} }},",
            beside(".br"),
            beside(".gz"),
        )?;
    }
    code.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("built.rs"), code)?;
    Ok(())
}

/// The files below a folder; hidden ones are the build's own.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file's name is no text")?;
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else if !name.ends_with(".br") && !name.ends_with(".gz") {
            files.push(format!("{prefix}{name}"));
        }
        if files.len() > FILES_MAX {
            return Err("there are too many files".into());
        }
    }
    Ok(())
}
