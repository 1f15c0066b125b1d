//! The oracle diff: the same scenarios on Longtide and on the reference.

use std::path::Path;

use crate::shell::Workspace;

/// Runs `tests/e2e/oracle` in the Python environment of the end-to-end suites.
///
/// # Errors
/// When a difference is not in `docs/reference/differences.md`.
pub(super) fn run(
    workspace: &Workspace,
    longtide: &Path,
    reference: &Path,
    filters: &[String],
) -> anyhow::Result<()> {
    workspace
        .command("tests/e2e/run")
        .args(["oracle"])
        .env("LONGTIDE_E2E_SERVER", longtide)
        .env("LONGTIDE_E2E_REFERENCE", reference)
        .env("LONGTIDE_E2E_SCENARIOS", filters.join(" "))
        .run()
}
