use rstest::rstest;

use super::{html, samples};
use crate::events::CaseFinished;
use crate::result::{self, RunResult, fold};
use crate::verdict::CaseVerdict;

const MIB: usize = 1 << 20;

/// The page as a reader sees it whose browser knows neither script nor style sheet: the text between the tags.
fn text(page: &str) -> String {
    let (mut out, mut rest) = (String::new(), page);
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let skipped = ["script", "style"].iter().find(|name| rest[at + 1..].starts_with(**name));
        let end = skipped.map_or_else(|| ">".to_owned(), |name| format!("</{name}>"));
        rest = &rest[at..];
        rest = &rest[rest.find(&end).expect("every tag ends") + end.len()..];
        out.push(' ');
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn a_failure_is_told_whole() {
    let mut result = fold(&result::samples::finished_run());
    result.cases.retain(|case| case.verdict == CaseVerdict::Fail);
    let record = super::record::record(&result.cases[0], &result.run, true).into_string();
    insta::assert_snapshot!(record.replace("><", ">\n<"));
}

#[test]
fn the_top_says_what_to_keep_in_mind() {
    let top = super::header::header(&samples::red()).into_string();
    insta::assert_snapshot!(top.replace("><", ">\n<"));
}

#[rstest]
#[case::red(samples::red())]
#[case::large(RunResult { cases: samples::large().cases.split_off(1900), ..samples::large() })]
fn everything_red_is_readable_without_script(#[case] result: RunResult) {
    let text = text(&html(&result));
    for case in result.cases.iter().filter(|case| case.verdict.is_red()) {
        assert!(text.contains(&case.name), "{} is missing", case.name);
        assert!(text.contains(&case.promise), "{} has no promise", case.name);
        for cause in &case.causes {
            assert!(
                text.contains(&cause.id) && cause.next.iter().all(|next| text.contains(next)),
                "{}",
                cause.id
            );
        }
        if let Some(failure) = &case.failure {
            assert!(text.contains(failure.sent.as_deref().unwrap()), "{} hides what was sent", case.name);
            assert!(failure.answers.iter().all(|answer| text.contains(&answer.text)), "{}", case.name);
        }
        assert!(text.contains(&format!("--exact {}", case.name)), "{} has no repeat command", case.name);
    }
}

#[test]
fn what_qualifies_the_verdict_is_named() {
    let page = html(&samples::red());
    for words in [
        "sabotaged on purpose: ",
        "waypoint-bypassed",
        "did not complete: ",
        "interrupted by Ctrl-C",
        "Stand-ins: ",
        "1 core case passes on values that the adapter stands in for",
        "expired on 2026-11-01",
        "https://github.com/istio/istio/issues/12345",
        "quarantined",
        "needs Istio 1.27 or later",
        "the run ended first",
        "left out by --skip removal",
    ] {
        assert!(page.contains(words), "{words} is missing");
    }
    assert!(html(&samples::not_set_up()).contains("connection refused"));
}

#[test]
fn text_from_the_mesh_stays_text() {
    let evil = "</script></style><img src=x onerror=alert(1)>\"'&\u{0}\u{8}\u{1b}[31m\u{7f}\u{9b}\u{202e}\u{2066}\r\u{feff}";
    let mut json = serde_json::to_value(samples::red()).unwrap();
    poison(&mut json, evil);
    let result: RunResult = serde_json::from_value(json).unwrap();
    let page = html(&result);
    assert!(!page.contains("<img"));
    assert!(!page.contains("x onerror=alert(1)>"));
    assert_eq!((page.matches("</script>").count(), page.matches("</style>").count()), (1, 1));
    assert!(page.contains(r"\x00\x08\x1b[31m\x7f\x9b\u{202e}\u{2066}\x0d\u{feff}"));
    let hostile =
        |c: char| c.is_control() && !matches!(c, '\n' | '\t') || "\u{202e}\u{2066}\u{feff}".contains(c);
    assert_eq!(page.find(hostile), None);
    assert!(!page.contains("href=\"java") && !page.contains("href=\"<"));
}

/// Appends `evil` to every string but those of closed sets.
fn poison(value: &mut serde_json::Value, evil: &str) {
    match value {
        serde_json::Value::String(text) => text.push_str(evil),
        serde_json::Value::Array(list) => list.iter_mut().for_each(|one| poison(one, evil)),
        serde_json::Value::Object(map) => {
            let closed = ["verdict", "scope", "level", "confidence", "phase"];
            map.iter_mut()
                .filter(|(key, _)| !closed.contains(&key.as_str()))
                .for_each(|(_, one)| poison(one, evil));
        }
        _ => {}
    }
}

#[test]
fn the_page_asks_for_nothing() {
    let page = html(&samples::red());
    for tag in
        ["src=", "@import", "url(", "<iframe", "<object", "<base", "fetch(", "XMLHttpRequest", "style=\""]
    {
        assert!(
            !page.contains(tag) || tag == "src=" && !page.contains("<img") && !page.contains("<script src"),
            "{tag}"
        );
    }
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
}

#[rstest]
#[case::green(samples::green())]
#[case::red(samples::red())]
#[case::large(samples::large())]
#[case::nothing(fold(&[]))]
fn every_tag_is_closed_in_its_place(#[case] result: RunResult) {
    let page = html(&result);
    let mut open = Vec::new();
    let markup = page.replace(super::SCRIPT, "").replace(super::STYLE, "");
    for tag in markup.split('<').skip(1) {
        assert!(tag.matches(" class=\"").count() < 2, "two classes: {tag}");
        let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
        match name.strip_prefix('/') {
            Some(end) => assert_eq!(open.pop().as_deref(), Some(end)),
            None if ["meta", "link", "br", ""].contains(&name.as_str()) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn addresses_on_the_page_exist_and_ids_are_unique() {
    let page = html(&samples::red());
    let mut ids: Vec<_> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "#{target} leads nowhere");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn two_thousand_cases_fit() {
    let large = samples::large();
    let page = html(&large);
    assert!(page.len() < 3 * MIB, "{} bytes", page.len());
    assert!(large.cases.iter().all(|case| page.contains(&case.name)), "every case is named");
}

#[test]
fn a_page_stays_small_whatever_it_holds() {
    let mut result = samples::large();
    let hurt = CaseFinished { causes: vec![result::samples::bypassed(); 50], ..result::samples::failed() };
    for case in &mut result.cases {
        case.verdict = CaseVerdict::Fail;
        case.reason = Some("<&\">".repeat(3000));
        case.promise = "long ".repeat(2000);
        case.failure = hurt.failure.clone();
        case.causes = hurt.causes.clone();
    }
    let page = html(&result);
    assert!(page.len() < 3 * MIB, "{} bytes", page.len());
    assert!(page.contains("In short") && page.contains("left out to keep this page small"));
}

#[test]
#[ignore = "writes pages to look at into the folder WAYMARK_PAGES"]
fn write_pages() {
    let folder = std::path::PathBuf::from(std::env::var_os("WAYMARK_PAGES").unwrap());
    let pages = [
        ("green", samples::green()),
        ("red", samples::red()),
        ("not-set-up", samples::not_set_up()),
        ("large", samples::large()),
        ("empty", fold(&[])),
    ];
    for (name, result) in pages {
        std::fs::write(folder.join(format!("{name}.html")), html(&result)).unwrap();
    }
}
