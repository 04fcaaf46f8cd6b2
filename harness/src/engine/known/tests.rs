//! Lists of deviations: what is understood, what is refused and how, and how entries weigh.

use futures::FutureExt;
use jiff::civil::{Date, date};
use rstest::rstest;
use waymark_reports::events::CaseFinished;
use waymark_reports::verdict::CaseVerdict::{self, Error, Fail, Known, NotRun, Pass, Unsupported};

use super::{Deviations, Listed};
use crate::case::{Case, Isolation, Scope};
use crate::engine::fake::{World, case, suite};
use crate::engine::{Trial, catalogue};

const TODAY: Date = date(2026, 11, 25);

/// An entry that is right, as `field = value` lines.
const ENTRY: [(&str, &str); 6] = [
    ("pattern", r#""weights""#),
    ("reason", r#""sums are rounded""#),
    ("link", r#""https://example.org/1""#),
    ("owner", r#""mesh team""#),
    ("expires", r#""2026-12-31""#),
    ("outcome", r#""fails""#),
];

fn all() -> Vec<Trial<World>> {
    let kept = |name| case(name, Isolation::Host, |_| async { Ok(()) }.boxed());
    let both = &[Scope::Namespace, Scope::ServiceAccount];
    catalogue(&[suite(vec![
        Case { scopes: both, ..kept("weights") },
        kept("headers"),
        Case { denies: true, ..kept("denied") },
    ])])
}

fn read(text: &str) -> Result<Deviations, String> {
    let listed = Listed { file: "known.toml".to_owned(), text: text.to_owned() };
    listed.read(&all(), TODAY).map_err(|error| error.to_string())
}

/// The entry with some lines changed or added; an empty value leaves one out.
fn entry(changes: &[(&str, &str)]) -> String {
    let mut lines: Vec<(&str, &str)> = ENTRY.to_vec();
    for (field, value) in changes {
        match lines.iter_mut().find(|(known, _)| known == field) {
            Some(line) => line.1 = value,
            None => lines.push((field, value)),
        }
    }
    let lines = lines.iter().filter(|(_, value)| !value.is_empty());
    format!(
        "[[deviation]]\n{}",
        lines.map(|(field, value)| format!("{field} = {value}\n")).collect::<String>()
    )
}

fn weighed(changes: &[(&str, &str)], verdict: CaseVerdict) -> CaseFinished {
    let mut trials = all();
    read(&entry(changes)).unwrap().mark(&mut trials, "embedded", (1, 31));
    let reason = (verdict != Pass).then(|| "want 200, got 503".to_owned());
    let mut end = CaseFinished { name: trials[0].name.clone(), verdict, reason, ..CaseFinished::default() };
    trials[0].deviation.as_ref().unwrap().weigh(&mut end);
    end
}

#[test]
fn mistakes_are_named_with_line_and_remedy() {
    let two = |changes: &[(&str, &str)]| format!("# a list\n\n{}\n{}", entry(&[]), entry(changes));
    let mistakes = [
        "[[deviation]\n".to_owned(),
        entry(&[("patern", r#""x""#)]),
        "[[deviations]]\npattern = \"x\"\n".to_owned(),
        entry(&[("owner", "")]),
        entry(&[("owner", r#"" ""#)]),
        entry(&[("pattern", r#""wieghts""#)]),
        entry(&[("pattern", r#""""#)]),
        entry(&[("pattern", r#""/(/""#)]),
        entry(&[("scope", r#""mesh""#)]),
        entry(&[("scope", r#""service_account""#)]),
        entry(&[("target", r#""minikube""#)]),
        entry(&[("istio", r#"">=1.24.1""#)]),
        entry(&[("istio", r#"">=1.31, <1.24""#)]),
        entry(&[("link", r#""istio/istio#1""#)]),
        entry(&[("expires", r#""2026-02-30""#)]),
        entry(&[("expires", "2026-12-31")]),
        entry(&[("outcome", r#""flaky""#)]),
        entry(&[("quarantine", "true")]),
        entry(&[("quarantine", "true"), ("outcome", r#""may-fail""#), ("pattern", r#""fake""#)]),
        two(&[("scope", r#""namespace""#)]),
        two(&[("istio", r#""1.24""#)]),
    ];
    let told = mistakes.iter().map(|text| read(text).expect_err(text));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[rstest]
#[case::no_list("")]
#[case::only_comments("# nothing is known\n")]
#[case::told_apart_by_range(&(entry(&[("istio", r#""<1.31""#)]) + &entry(&[("istio", r#"">=1.31""#)])))]
#[case::told_apart_by_scope(&(entry(&[("scope", r#""namespace""#)]) + &entry(&[("scope", r#""service-account""#)])))]
#[case::quarantine(&entry(&[("quarantine", "true"), ("outcome", r#""may-fail""#)]))]
fn sound_lists_are_understood(#[case] text: &str) {
    read(text).unwrap();
}

#[rstest]
#[case::every_scope(&[], "embedded", (1, 31), &["namespace", "service_account"])]
#[case::one_scope(&[("scope", r#""service-account""#)], "embedded", (1, 31), &["service_account"])]
#[case::glob(&[("pattern", r#""*::namespace""#)], "embedded", (1, 31), &["namespace"])]
#[case::this_target(&[("target", r#""embedded""#)], "embedded", (1, 31), &["namespace", "service_account"])]
#[case::other_target(&[("target", r#""embedded""#)], "kind", (1, 31), &[])]
#[case::other_release(&[("istio", r#""<1.31""#)], "embedded", (1, 31), &[])]
fn entries_fall_on_trials(
    #[case] changes: &[(&str, &str)],
    #[case] target: &str,
    #[case] istio: (u16, u16),
    #[case] want: &[&str],
) {
    let mut trials = all();
    read(&entry(changes)).unwrap().mark(&mut trials, target, istio);
    let marked = trials.iter().filter(|trial| trial.deviation.is_some());
    let marked: Vec<_> = marked.filter_map(|trial| trial.scope.suffix()).collect();
    assert_eq!(marked, want);
}

const MAY: (&str, &str) = ("outcome", r#""may-fail""#);
const QUARANTINE: (&str, &str) = ("quarantine", "true");
const EXPIRED: (&str, &str) = ("expires", r#""2026-11-25""#);

#[rstest]
#[case::still_fails(&[], Fail, Known, "want 200, got 503 (listed: sums are rounded; https://example.org/1)")]
#[case::passes(&[], Pass, Fail, "passes, though it is listed as failing (sums are rounded; https://example.org/1): remove its entry, known.toml:1")]
#[case::cannot_be_judged(&[], Error, Error, "want 200, got 503")]
#[case::not_reached(&[], NotRun, NotRun, "want 200, got 503")]
#[case::may_fail(&[MAY], Fail, Known, "want 200, got 503 (listed: sums are rounded; https://example.org/1)")]
#[case::may_pass(&[MAY], Pass, Pass, "")]
#[case::quarantined(&[MAY, QUARANTINE], Fail, Fail, "want 200, got 503 (quarantined: sums are rounded; https://example.org/1)")]
#[case::quarantined_error(&[MAY, QUARANTINE], Error, Error, "want 200, got 503 (quarantined: sums are rounded; https://example.org/1)")]
#[case::expired(&[EXPIRED], Fail, Known, "want 200, got 503 (listed: sums are rounded; https://example.org/1); the entry expired on 2026-11-25 (known.toml:1; mesh team)")]
#[case::expired_pass(&[MAY, EXPIRED], Pass, Pass, "the entry expired on 2026-11-25 (known.toml:1; mesh team)")]
fn entries_weigh(
    #[case] changes: &[(&str, &str)],
    #[case] verdict: CaseVerdict,
    #[case] want: CaseVerdict,
    #[case] reason: &str,
) {
    let end = weighed(changes, verdict);
    assert_eq!((end.verdict, end.reason.as_deref().unwrap_or_default()), (want, reason));
    let listed = end.deviation.unwrap();
    assert_eq!((listed.link.as_str(), listed.owner.as_str()), ("https://example.org/1", "mesh team"));
    assert_eq!(listed.expired, changes.contains(&EXPIRED));
    assert_eq!(listed.quarantine, changes.contains(&QUARANTINE));
}

#[test]
fn what_does_not_run_falls_under_no_entry() {
    assert_eq!(weighed(&[EXPIRED], Unsupported).deviation, None);
}
