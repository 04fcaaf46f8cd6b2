//! `waymark sweep`: removes what earlier processes left and nobody holds any more.

use std::path::PathBuf;

use clap::Args;

use super::operations::Swept;
use super::options::TargetOptions;

#[derive(Args, Debug)]
pub(super) struct SweepArgs {
    /// Only say what would be removed
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Directory below which runs are [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR")]
    pub(super) run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetOptions,
}

/// What was done.
pub(super) fn text(swept: &Swept, dry_run: bool) -> String {
    if swept.found.is_empty() {
        return "nothing is left behind\n".to_owned();
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    let failed = swept.failed.iter().map(|line| format!("failed to {line}\n"));
    let lines = swept.found.iter().map(|line| format!("{verb}  {line}\n"));
    // With a failure among them, what was found is not what is gone.
    if swept.failed.is_empty() { lines.collect() } else { failed.collect() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::text;
    use crate::cli::operations::Swept;

    #[rstest]
    #[case(&[], &[], false, "nothing is left behind\n")]
    #[case(&["a", "b"], &[], true, "would remove  a\nwould remove  b\n")]
    #[case(&["a"], &[], false, "removed  a\n")]
    #[case(&["a"], &["remove a: busy"], false, "failed to remove a: busy\n")]
    fn what_was_done_is_said(
        #[case] found: &[&str],
        #[case] failed: &[&str],
        #[case] dry_run: bool,
        #[case] want: &str,
    ) {
        let own = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        assert_eq!(text(&Swept { found: own(found), failed: own(failed) }, dry_run), want);
    }
}
