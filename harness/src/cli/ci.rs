//! The CI that a run runs in, by its environment. No other place reads these variables.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a CI wants of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ci {
    /// `GITHUB_ACTIONS`: annotations are understood.
    pub(crate) annotations: bool,
    /// `GITHUB_STEP_SUMMARY`: the file that the summary is appended to.
    pub(crate) summary: Option<PathBuf>,
    /// `GITHUB_OUTPUT`: the file that the outputs are appended to.
    pub(crate) outputs: Option<PathBuf>,
    /// `ARTIFACTS`: the folder of Prow, which looks for `junit*.xml` in it.
    pub(crate) artifacts: Option<PathBuf>,
}

impl Ci {
    /// The CI around this process.
    pub(crate) fn here() -> Self {
        if cfg!(test) {
            return Self::default(); // the runs of unit tests are nothing that a CI should show
        }
        Self::of(|name| env::var(name).ok())
    }

    /// Whether a CI runs this process, so that nobody watches it (`CI`).
    pub(crate) fn is_here() -> bool {
        !cfg!(test) && env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
    }

    fn of(var: impl Fn(&str) -> Option<String>) -> Self {
        let path = |name| var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let annotations = var("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let outputs = path("GITHUB_OUTPUT").filter(|_| annotations);
        Self { annotations, summary: path("GITHUB_STEP_SUMMARY"), outputs, artifacts: path("ARTIFACTS") }
    }
}

/// Appends to a file that other steps append to as well.
pub(super) fn append(path: &Path, text: &str) -> Result<(), String> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|error| format!("append to `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rstest::rstest;

    use super::Ci;

    #[rstest]
    #[case::none(&[], Ci::default())]
    #[case::github(
        &[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "/s"), ("GITHUB_OUTPUT", "/o")],
        Ci { annotations: true, summary: Some("/s".into()), outputs: Some("/o".into()), artifacts: None }
    )]
    #[case::only_a_summary(
        &[("GITHUB_STEP_SUMMARY", "/s"), ("GITHUB_OUTPUT", "/o")],
        Ci { summary: Some("/s".into()), ..Ci::default() }
    )]
    #[case::prow(&[("ARTIFACTS", "/logs/artifacts"), ("GITHUB_ACTIONS", "")], Ci {
        artifacts: Some(PathBuf::from("/logs/artifacts")),
        ..Ci::default()
    })]
    fn a_ci_is_known_by_its_environment(#[case] vars: &[(&str, &str)], #[case] want: Ci) {
        let var =
            |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Ci::of(var), want);
    }
}
