//! Which cases a command is about: words that match names, words that exclude, exact names, levels.

use super::usage::Usage;
use crate::case::Level;
use crate::engine::Trial;
use crate::engine::pattern::{Pattern, PatternError};

/// What the user typed to choose cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// A word selects the names that its [`Pattern`] names, `!word` excludes them.
    pub words: Vec<String>,
    /// Full names.
    pub exact: Vec<String>,
    /// Excludes, as `!word`.
    pub skip: Vec<String>,
    /// Only cases of these levels; all when empty.
    pub levels: Vec<Level>,
}

/// A word with its pattern.
type Word = (String, Pattern);

impl Selection {
    /// What was typed, word by word, as one would type it again.
    pub fn words_said(&self) -> Vec<String> {
        let flag = |flag: &'static str| move |word: &String| format!("{flag} {word}");
        let levels = self.levels.iter().map(|level| format!("--level {}", level.as_str()));
        let words = self.words.iter().cloned().chain(self.exact.iter().map(flag("--exact")));
        words.chain(self.skip.iter().map(flag("--skip"))).chain(levels).collect()
    }

    /// The trials that the user meant, in their order; excluded ones stay in the list, marked as left out.
    ///
    /// # Errors
    /// When a word or an exact name matches no case, or nothing is left.
    pub fn apply<C>(&self, all: Vec<Trial<C>>) -> Result<Vec<Trial<C>>, Usage> {
        if all.is_empty() {
            return Err(Usage::new(
                "this build has no cases",
                "suites are listed in suites/src/lib.rs",
                [""; 0],
            ));
        }
        let (words, out) = self.understood(&all)?;
        let everything = words.is_empty() && self.exact.is_empty();
        let meant = |trial: &Trial<C>| {
            let level = self.levels.is_empty() || self.levels.contains(&trial.case.level);
            let named = everything
                || words.iter().any(|(_, pattern)| pattern.names(&trial.name))
                || self.exact.contains(&trial.name);
            level && named
        };
        let mut chosen: Vec<_> = all.into_iter().filter(meant).collect();
        if chosen.is_empty() {
            let levels: Vec<_> = self.levels.iter().map(|level| level.as_str()).collect();
            let what = format!("no selected case is of level {}", levels.join(" or "));
            return Err(Usage::new(what, "`waymark list` shows the level of every case", [""; 0]));
        }
        for trial in &mut chosen {
            let hit = out.iter().find(|(_, pattern)| pattern.names(&trial.name));
            trial.left_out = hit.map(|(typed, _)| format!("excluded by `{typed}`"));
        }
        if chosen.iter().all(|trial| trial.left_out.is_some()) {
            let out: Vec<_> = out.iter().map(|(typed, _)| typed.as_str()).collect();
            let what = format!("every case is excluded by {}", out.join(" "));
            return Err(Usage::new(what, "`waymark list` names every case", [""; 0]));
        }
        Ok(chosen)
    }

    /// Words that select and words that exclude, each of which names a case.
    fn understood<C>(&self, all: &[Trial<C>]) -> Result<(Vec<Word>, Vec<Word>), Usage> {
        let names: Vec<&str> = all.iter().map(|trial| trial.name.as_str()).collect();
        let (mut words, mut out) = (Vec::new(), Vec::new());
        let typed = self.words.iter().map(|word| (word.clone(), word.strip_prefix('!'), word.as_str()));
        let skipped =
            self.skip.iter().map(|word| (format!("--skip {word}"), Some(word.as_str()), word.as_str()));
        for (typed, excluded, word) in typed.chain(skipped) {
            let bare = excluded.unwrap_or(word);
            let pattern = match Pattern::parse(bare) {
                Ok(pattern) if names.iter().any(|name| pattern.names(name)) => pattern,
                Ok(_) | Err(PatternError::Empty) => {
                    return Err(unknown(&format!("no case matches `{typed}`"), bare, &names));
                }
                Err(error) => {
                    let hint = "a filter is a part of a name, a glob such as `routing::*`, or `/re/`";
                    return Err(Usage::new(error.to_string(), hint, [""; 0]));
                }
            };
            let list = if excluded.is_some() { &mut out } else { &mut words };
            list.push((typed, pattern));
        }
        for exact in &self.exact {
            if !names.contains(&exact.as_str()) {
                return Err(unknown(&format!("there is no case `{exact}`"), exact, &names));
            }
        }
        Ok((words, out))
    }
}

/// Names like the one that was typed, the nearest first; with none near, the suites.
fn unknown(what: &str, typed: &str, names: &[&str]) -> Usage {
    const NEAR: f64 = 0.8;
    const MARGIN: f64 = 0.05;
    const MOST: usize = 6;
    let mut near: Vec<(f64, &str)> = names.iter().map(|name| (likeness(typed, name), *name)).collect();
    near.retain(|(likeness, _)| *likeness >= NEAR);
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let best = near.first().map_or(0.0, |(likeness, _)| *likeness);
    near.retain(|(likeness, _)| best - likeness <= MARGIN);
    near.truncate(MOST);
    if !near.is_empty() {
        return Usage::new(what, "did you mean", near.into_iter().map(|(_, name)| name));
    }
    let mut suites: Vec<&str> = Vec::new();
    for suite in names.iter().filter_map(|name| name.split("::").next()) {
        if !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    Usage::new(what, "suites (`waymark list` names every case)", suites)
}

/// How alike a word and a name are, from 0 to 1: the best of the whole name and each of its segments.
fn likeness(typed: &str, name: &str) -> f64 {
    let segments = name.split("::").chain([name]);
    segments.map(|segment| strsim::jaro_winkler(typed, segment)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use rstest::rstest;

    use super::Selection;
    use crate::case::{Case, Isolation, Level, Scope, Suite};
    use crate::engine::{Trial, catalogue};

    const CASES: &[Case<()>] = &[
        case("routing", "header_match", &[Scope::Namespace, Scope::ServiceAccount]),
        case("routing", "weights", &[Scope::Namespace]),
        Case { level: Level::Extended, ..case("fault", "abort", &[Scope::Mesh]) },
    ];

    const fn case(suite: &'static str, name: &'static str, scopes: &'static [Scope]) -> Case<()> {
        Case {
            file: "suites/src/x.rs",
            suite,
            name,
            level: Level::Core,
            refs: &[],
            source: None,
            promise: "",
            isolation: Isolation::Host,
            scopes,
            needs: &[],
            killed_by: &[],
            denies: false,
            run: |()| async { Ok(()) }.boxed(),
        }
    }

    fn all() -> Vec<Trial<()>> {
        catalogue(&[Suite { name: "all", about: "", cases: CASES }])
    }

    fn select(words: &[&str], exact: &[&str]) -> Result<String, String> {
        let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        show(&Selection { words: own(words), exact: own(exact), ..Selection::default() })
    }

    fn show(selection: &Selection) -> Result<String, String> {
        let chosen = selection.apply(all());
        let show = |trial: Trial<()>| match trial.left_out {
            Some(reason) => format!("{} ({reason})", trial.name),
            None => trial.name,
        };
        let chosen = chosen.map(|trials| trials.into_iter().map(show).collect::<Vec<_>>().join("\n"));
        chosen.map_err(|usage| usage.to_string())
    }

    #[rstest]
    #[case::everything(&[], &[], "routing::header_match::namespace\nrouting::header_match::service_account\nrouting::weights::namespace\nfault::abort")]
    #[case::word(&["weights"], &[], "routing::weights::namespace")]
    #[case::either_word(&["weights", "fault"], &[], "routing::weights::namespace\nfault::abort")]
    #[case::excluded(&["routing", "!service_account", "!weights"], &[], "routing::header_match::namespace\nrouting::header_match::service_account (excluded by `!service_account`)\nrouting::weights::namespace (excluded by `!weights`)")]
    #[case::exact(&[], &["fault::abort"], "fault::abort")]
    #[case::glob(&["*::weights::*"], &[], "routing::weights::namespace")]
    #[case::expression(&["/^fault|weights/"], &[], "routing::weights::namespace\nfault::abort")]
    #[case::excluded_expression(&["weights", "fault", "!/^f/"], &[], "routing::weights::namespace\nfault::abort (excluded by `!/^f/`)")]
    fn words_and_names_select(#[case] words: &[&str], #[case] exact: &[&str], #[case] want: &str) {
        assert_eq!(select(words, exact).unwrap(), want);
    }

    #[rstest]
    #[case::typo(&["header_mach"], &[], "error: no case matches `header_mach`\n  did you mean:\n    routing::header_match::namespace\n    routing::header_match::service_account")]
    #[case::one_bad_word_of_two(&["fault", "zzz"], &[], "error: no case matches `zzz`\n  suites (`waymark list` names every case):\n    routing\n    fault")]
    #[case::exact(&[], &["fault::abrt"], "error: there is no case `fault::abrt`\n  did you mean:\n    fault::abort")]
    #[case::part_of_a_name_is_not_exact(&[], &["fault"], "error: there is no case `fault`\n  did you mean:\n    fault::abort")]
    #[case::all_excluded(&["fault", "!fault"], &[], "error: every case is excluded by !fault\n  `waymark list` names every case")]
    #[case::empty(&[""], &[], "error: no case matches ``\n  suites (`waymark list` names every case):\n    routing\n    fault")]
    #[case::glob_of_a_part(&["weights*"], &[], "error: no case matches `weights*`\n  did you mean:\n    routing::weights::namespace")]
    #[case::expression(&["/(/"], &[], "error: `/(/` is no regular expression: unclosed group\n  a filter is a part of a name, a glob such as `routing::*`, or `/re/`")]
    fn what_selects_nothing_says_what_exists(
        #[case] words: &[&str],
        #[case] exact: &[&str],
        #[case] want: &str,
    ) {
        assert_eq!(select(words, exact).unwrap_err(), want);
    }

    #[test]
    fn levels_and_skips_narrow_and_are_told_again() {
        let selection = Selection {
            words: vec!["a".into()],
            skip: vec!["weights".into()],
            levels: vec![Level::Core],
            ..Selection::default()
        };
        let want = "routing::header_match::namespace\nrouting::header_match::service_account\n\
                    routing::weights::namespace (excluded by `--skip weights`)";
        assert_eq!(show(&selection).unwrap(), want);
        assert_eq!(selection.words_said(), ["a", "--skip weights", "--level core"]);
        let none = Selection { levels: vec![Level::Observed], ..Selection::default() };
        assert!(show(&none).unwrap_err().starts_with("error: no selected case is of level observed"));
    }
}
