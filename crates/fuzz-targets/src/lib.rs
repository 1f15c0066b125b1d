//! What must hold for any bytes from outside.
//!
//! Each target is a function of bytes that panics when something is wrong. `fuzz/` gives them to
//! libFuzzer, which looks for new inputs; `tests/replay/` gives them the corpus of
//! `fuzz/corpus/` and random changes of it, on the stable toolchain. A new target is a function
//! here, a line in [`TARGETS`], a file in `fuzz/fuzz_targets/` and seeds in
//! `examples/write_seeds.rs`.

mod engine_inputs;
mod storage_envelope;
mod task_token;
mod transition_record;
mod visibility_query;

pub use engine_inputs::{Kind, STEPS_MAX, engine_inputs};
pub use storage_envelope::storage_envelope;
pub use task_token::task_token;
pub use transition_record::transition_record;
pub use visibility_query::{CUSTOM_ATTRIBUTES, visibility_query};

/// Looks at bytes and panics when something that must hold does not.
pub type Target = fn(&[u8]);

/// Every target by the name of its folder in the corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("engine_inputs", engine_inputs),
    ("storage_envelope", storage_envelope),
    ("task_token", task_token),
    ("transition_record", transition_record),
    ("visibility_query", visibility_query),
];
