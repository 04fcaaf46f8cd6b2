//! nextest starts a process for each case: what they do together is one run.

use std::collections::HashSet;

use waymark_reports::result::{CaseResult, fold};

use crate::run_dir::RunDir;

/// The run of which this process does one case; none when no nextest started it to run.
pub(super) fn run(var: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_name = |id: &String| {
        !id.is_empty() && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    var("NEXTEST").filter(|runs| runs == "1")?;
    var("NEXTEST_RUN_ID").filter(is_name)
}

/// The cases that were red before in the run of this directory. What cannot be read holds nothing against a case.
pub(super) fn red(dir: Option<&RunDir>) -> HashSet<String> {
    let entries = dir.and_then(|dir| dir.events().ok()).unwrap_or_default();
    let cases = fold(&entries).cases.into_iter();
    let is_red = |case: &CaseResult| {
        case.verdict.is_red() && !case.deviation.as_ref().is_some_and(|listed| listed.quarantine)
    };
    cases.filter(is_red).map(|case| case.name).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::run;

    #[rstest]
    #[case::runs(&[("NEXTEST", "1"), ("NEXTEST_RUN_ID", "b1946ac9-2c1f")], Some("b1946ac9-2c1f"))]
    #[case::lists(&[("NEXTEST_RUN_ID", "b1946ac9-2c1f")], None)]
    #[case::no_folder(&[("NEXTEST", "1"), ("NEXTEST_RUN_ID", "../up")], None)]
    #[case::libtest(&[], None)]
    fn a_run_is_known_by_its_variables(#[case] vars: &[(&str, &str)], #[case] want: Option<&str>) {
        let var =
            |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(run(var).as_deref(), want);
    }
}
