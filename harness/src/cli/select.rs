//! Which cases a command is about: words that match names, words that exclude, exact names.

use super::usage::Usage;
use crate::engine::Trial;

/// What the user typed to choose cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// A plain word selects the names that contain it, `!word` excludes them.
    pub words: Vec<String>,
    /// Full names.
    pub exact: Vec<String>,
}

impl Selection {
    /// The trials that the user meant, in their order; excluded ones stay in the list, marked as left out.
    ///
    /// # Errors
    /// When a word or an exact name matches no case.
    pub fn apply<C>(&self, all: Vec<Trial<C>>) -> Result<Vec<Trial<C>>, Usage> {
        if all.is_empty() {
            return Err(Usage::new(
                "this build has no cases",
                "suites are listed in suites/src/lib.rs",
                [""; 0],
            ));
        }
        self.check(&all)?;
        let (out, words): (Vec<&str>, Vec<&str>) =
            self.words.iter().map(String::as_str).partition(|word| word.starts_with('!'));
        let everything = words.is_empty() && self.exact.is_empty();
        let meant = |name: &str| {
            everything
                || words.iter().any(|word| name.contains(word))
                || self.exact.iter().any(|exact| exact == name)
        };
        let mut chosen: Vec<_> = all.into_iter().filter(|trial| meant(&trial.name)).collect();
        for trial in &mut chosen {
            let hit = out.iter().find(|word| trial.name.contains(&word[1..]));
            trial.left_out = hit.map(|word| format!("excluded by `{word}`"));
        }
        if chosen.iter().all(|trial| trial.left_out.is_some()) {
            let what = format!("every case is excluded by {}", out.join(" "));
            return Err(Usage::new(what, "`waymark list` names every case", [""; 0]));
        }
        Ok(chosen)
    }

    fn check<C>(&self, all: &[Trial<C>]) -> Result<(), Usage> {
        let names: Vec<&str> = all.iter().map(|trial| trial.name.as_str()).collect();
        for word in &self.words {
            let bare = word.strip_prefix('!').unwrap_or(word);
            if bare.is_empty() || !names.iter().any(|name| name.contains(bare)) {
                return Err(unknown(&format!("no case matches `{word}`"), bare, &names));
            }
        }
        for exact in &self.exact {
            if !names.contains(&exact.as_str()) {
                return Err(unknown(&format!("there is no case `{exact}`"), exact, &names));
            }
        }
        Ok(())
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
        case("fault", "abort", &[Scope::Mesh]),
    ];

    const fn case(suite: &'static str, name: &'static str, scopes: &'static [Scope]) -> Case<()> {
        Case {
            suite,
            name,
            level: Level::Core,
            refs: &[],
            promise: "",
            isolation: Isolation::Host,
            scopes,
            needs: &[],
            run: |()| async { Ok(()) }.boxed(),
        }
    }

    fn all() -> Vec<Trial<()>> {
        catalogue(&[Suite { name: "all", about: "", cases: CASES }])
    }

    fn select(words: &[&str], exact: &[&str]) -> Result<String, String> {
        let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let chosen = Selection { words: own(words), exact: own(exact) }.apply(all());
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
    fn what_selects_nothing_says_what_exists(
        #[case] words: &[&str],
        #[case] exact: &[&str],
        #[case] want: &str,
    ) {
        assert_eq!(select(words, exact).unwrap_err(), want);
    }
}
