use std::collections::HashSet;

use rstest::rstest;

use super::{FILE_LIMIT, junit, within};
use crate::result::{RunResult, eventful, fold, samples};

fn red(xml: &str) -> Vec<String> {
    let parsed = roxmltree::Document::parse(xml).unwrap();
    let cases = parsed.descendants().filter(|node| node.has_tag_name("testcase"));
    let red = cases.filter(|case| {
        case.children().any(|child| child.has_tag_name("failure") || child.has_tag_name("error"))
    });
    red.map(|case| format!("{}::{}", case.attribute("classname").unwrap(), case.attribute("name").unwrap()))
        .collect()
}

#[test]
fn a_finished_run() {
    insta::assert_snapshot!(junit(&fold(&samples::finished_run())));
}

#[test]
fn a_run_in_which_everything_occurs() {
    insta::assert_snapshot!(junit(&eventful::run()));
}

#[test]
fn a_run_that_was_not_set_up() {
    insta::assert_snapshot!(junit(&eventful::set_up_failed()));
}

#[rstest]
#[case::aborted(eventful::aborted(), &["waymark.run::completed"])]
#[case::interrupted(fold(&samples::interrupted_run()), &["waymark.run::completed"])]
#[case::not_set_up(eventful::set_up_failed(), &["waymark.run::phase::up", "waymark.run::completed"])]
#[case::no_events(fold(&[]), &["waymark.run::completed", "waymark.run::has_cases"])]
#[case::nothing_judged(nothing_judged(), &["waymark.run::verdict"])]
fn a_run_without_a_verdict_is_never_green(#[case] result: RunResult, #[case] want: &[&str]) {
    assert_eq!(red(&junit(&result)), want);
}

#[rstest]
#[case::finished(fold(&samples::finished_run()))]
#[case::everything(eventful::run())]
#[case::hostile(eventful::hostile())]
#[case::not_set_up(eventful::set_up_failed())]
#[case::aborted(eventful::aborted())]
#[case::empty(fold(&[]))]
fn files_are_well_formed_and_add_up(#[case] result: RunResult) {
    let xml = junit(&result);
    assert!(!xml.contains("CDATA") && !xml.contains("DOCTYPE"));
    let parsed = roxmltree::Document::parse(&xml).unwrap();
    let named = |name: &'static str| parsed.descendants().filter(move |node| node.has_tag_name(name));
    let number =
        |node: roxmltree::Node<'_, '_>, key: &str| node.attribute(key).unwrap().parse::<usize>().unwrap();
    let mut seen = HashSet::new();
    for case in named("testcase") {
        let results =
            case.children().filter(|node| ["failure", "error", "skipped"].contains(&node.tag_name().name()));
        assert!(results.count() <= 1, "exactly one result");
        assert!(seen.insert((case.attribute("classname"), case.attribute("name"))), "unique");
    }
    for (element, attribute) in
        [("failure", "failures"), ("error", "errors"), ("skipped", "skipped"), ("testcase", "tests")]
    {
        let all = named(element).count();
        assert_eq!(number(parsed.root_element(), attribute), all, "{attribute}");
        assert_eq!(
            named("testsuite").map(|suite| number(suite, attribute)).sum::<usize>(),
            all,
            "{attribute}"
        );
    }
}

#[test]
fn a_case_that_is_listed_twice_gets_a_number() {
    let mut result = fold(&samples::finished_run());
    result.cases.push(result.cases[0].clone());
    assert!(junit(&result).contains("name=\"header_match_selects_backend::namespace #2\""));
}

#[test]
fn text_is_bounded_by_case_and_by_file() {
    let mut result = eventful::large(60);
    if let Some(failure) = &mut result.cases[1].failure {
        failure.got = format!("body: {}", "x".repeat(100_000));
    }
    let whole = junit(&result);
    let parsed = roxmltree::Document::parse(&whole).unwrap();
    let texts =
        parsed.descendants().filter(|node| node.has_tag_name("failure")).map(|node| node.text().unwrap());
    assert!(texts.clone().all(|text| text.len() <= 16 * 1024));
    assert!(texts.clone().any(|text| text.contains("[cut here: ")));
    let small = within(&result, 120_000, 60_000);
    assert!(small.len() < 120_000 && whole.len() > 120_000 && whole.len() < FILE_LIMIT, "{}", small.len());
    assert!(small.contains("left out to keep the file below its limit"));
    assert_eq!(red(&small).len(), 60);
}

fn nothing_judged() -> RunResult {
    let mut entries = samples::finished_run();
    entries.retain(|entry| {
        !matches!(&entry.event, crate::events::Event::CaseFinished(end) if end.verdict != crate::verdict::CaseVerdict::Unsupported)
    });
    let mut result = fold(&entries);
    result.cases.retain(|case| case.verdict == crate::verdict::CaseVerdict::Unsupported);
    result
}
