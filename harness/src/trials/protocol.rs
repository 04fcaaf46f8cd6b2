//! The arguments of a test binary: those of libtest, of which libtest-mimic knows most.

use std::ffi::OsString;

use libtest_mimic::{Arguments, Trial};

/// Options of libtest with a value in the next argument.
const VALUED: [&str; 6] = ["--skip", "--test-threads", "--color", "--format", "--logfile", "-Z"];

/// Options of libtest that libtest-mimic rejects and that change nothing here.
const IGNORED: [&str; 7] = [
    "--no-capture",
    "--fail-fast",
    "--report-time",
    "--ensure-time",
    "--shuffle",
    "--exclude-should-panic",
    "--force-run-in-process",
];

/// What the caller asked of the test binary. libtest takes several filters and libtest-mimic one, so filters are
/// kept apart.
pub(super) struct Asked {
    pub(super) arguments: Arguments,
    pub(super) filters: Vec<String>,
}

impl Asked {
    /// Parses the arguments after the program's name; a wrong one ends the process with exit code 2.
    pub(super) fn parse(args: Vec<OsString>) -> Self {
        let (mut options, mut filters) = (vec![OsString::from("conformance")], Vec::new());
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let text = arg.to_string_lossy();
            if IGNORED.iter().any(|flag| text == *flag || text.starts_with(&format!("{flag}="))) {
                continue;
            }
            if !text.starts_with('-') {
                filters.push(text.into_owned());
                continue;
            }
            let valued = VALUED.contains(&text.as_ref());
            options.push(arg);
            if valued {
                options.extend(args.next());
            }
        }
        Self { arguments: Arguments::from_iter(options), filters }
    }

    /// Whether a name is among those asked for.
    pub(super) fn wants(&self, name: &str) -> bool {
        let hit = |filter: &String| {
            if self.arguments.exact { name == filter } else { name.contains(filter.as_str()) }
        };
        self.filters.is_empty() || self.filters.iter().any(hit)
    }

    /// Whether a test that is asked for will run.
    pub(super) fn runs(&self, test: &Trial) -> bool {
        !self.arguments.is_ignored(test) && !self.arguments.is_filtered_out(test)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Asked;

    fn asked(args: &[&str]) -> Asked {
        Asked::parse(args.iter().map(Into::into).collect())
    }

    #[rstest]
    #[case::none(&[], true)]
    #[case::one(&["match"], true)]
    #[case::another(&["fault"], false)]
    #[case::either(&["fault", "header"], true)]
    #[case::exact(&["--exact", "routing::header_match::namespace"], true)]
    #[case::part_is_not_exact(&["header", "--exact"], false)]
    #[case::values_are_no_filters(&["--test-threads", "2", "--skip", "x", "--format=terse"], true)]
    #[case::unknown_to_mimic(&["--no-capture", "--report-time=plain", "--fail-fast", "header"], true)]
    fn filters_are_told_from_options(#[case] args: &[&str], #[case] want: bool) {
        assert_eq!(asked(args).wants("routing::header_match::namespace"), want);
    }

    #[test]
    fn options_reach_libtest_mimic() {
        let asked = asked(&["--list", "--ignored", "--nocapture", "--test-threads", "3", "word"]);
        assert!(asked.arguments.list && asked.arguments.ignored && asked.arguments.nocapture);
        assert_eq!(asked.arguments.test_threads, Some(3));
        assert_eq!((asked.arguments.filter, asked.filters), (None, vec!["word".to_owned()]));
    }
}
