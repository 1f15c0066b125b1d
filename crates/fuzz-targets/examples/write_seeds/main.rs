//! Writes the seeds of the corpus: `cargo run -p fuzz-targets --example write_seeds`.
//!
//! Files named `seed-*` come from here; the others are what the fuzzer found worth keeping.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool for developers: what goes wrong here is seen at once"
)]

use std::{fs, io, path::Path};

mod runs;
mod seeds;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (target, seeds) in seeds::all() {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in seeds {
            fs::write(folder.join(format!("seed-{name}")), bytes)?;
        }
    }
    Ok(())
}
