use rstest::rstest;

use super::{Diff, Kind, compare, diff};
use crate::events::{Cause, Confidence};
use crate::gate::Gate;
use crate::result::draft::Draft;
use crate::text::Style;
use crate::verdict::CaseVerdict::{self, Error, Fail, Known, NotRun, Pass, Skip, Unsupported};

fn base() -> Draft {
    Draft::new("nightly-1122", 0)
        .with(|started| started.istio = "1.24".into())
        .part(|part| part.version = "1.24.6".into())
        .case(10, Pass)
        .case(20, Pass)
        .case(30, Fail)
        .case(40, Fail)
        .case(50, Pass)
        .case(60, Pass)
        .case(70, Pass)
        .case(80, Pass)
        .case(90, Pass)
}

fn head() -> Draft {
    let cause = Cause {
        id: "WMC-001".into(),
        title: "traffic never reached the waypoint".into(),
        confidence: Confidence::High,
        signs: vec![],
        next: vec![],
    };
    Draft::new("nightly-1123", 1440)
        .judged(10, Fail, |end| end.causes = vec![cause])
        .judged(20, Error, |end| end.reason = Some("no | answer\u{1b}[2J <b>@all</b>".into()))
        .case(30, Fail)
        .case(40, Pass)
        .case(50, Unsupported)
        .case(60, Known)
        .judged(70, Pass, |end| end.duration_ms = 19_400)
        .judged(80, Pass, |end| end.convergence_ms = Some(900))
        .case(100, Pass)
}

fn sample() -> Diff {
    diff(&base().result(), &head().result()).unwrap()
}

#[test]
fn a_diff_reads_well() {
    let gate: Gate =
        "default && convergence.p95.change<15%".replace("default", crate::gate::DEFAULT).parse().unwrap();
    let diff = sample();
    insta::assert_snapshot!("diff_text", diff.text(&gate.check(&diff), Style::default()));
    insta::assert_snapshot!("diff_markdown", diff.markdown(&gate.check(&diff)));
    insta::assert_json_snapshot!("diff_json", diff);
}

#[rstest]
#[case(100_000, 99_999, "+0.0 %")]
#[case(1000, 999, "-0.1 %")]
#[case(1000, 1224, "+22.4 %")]
#[case(0, 5, "new")]
fn a_change_is_never_minus_nothing(#[case] base: u64, #[case] head: u64, #[case] want: &str) {
    assert_eq!(super::terminal::percent(super::Measure { base, head }), want);
}

#[test]
fn a_run_does_not_differ_from_itself() {
    for run in [base().result(), head().result()] {
        let diff = diff(&run, &run).unwrap();
        assert!(diff.is_empty());
        let news =
            [Kind::NewlyFailing, Kind::NewlyErring, Kind::CoverageLoss, Kind::NewlyKnown, Kind::NewlyPassing];
        assert!(news.iter().all(|kind| diff.count(*kind) == 0));
        assert!(diff.text(&[], Style::default()).contains("no verdict changed"));
    }
}

#[rstest]
#[case(Pass, Pass, None)]
#[case(Pass, Fail, Some(Kind::NewlyFailing))]
#[case(Known, Fail, Some(Kind::NewlyFailing))]
#[case(Unsupported, Fail, Some(Kind::NewlyFailing))]
#[case(Error, Fail, Some(Kind::NewlyFailing))]
#[case(Fail, Fail, Some(Kind::StillFailing))]
#[case(Fail, Error, Some(Kind::NewlyErring))]
#[case(Pass, Error, Some(Kind::NewlyErring))]
#[case(Pass, Known, Some(Kind::NewlyKnown))]
#[case(Fail, Known, Some(Kind::NewlyKnown))]
#[case(Known, Known, None)]
#[case(Fail, Pass, Some(Kind::NewlyPassing))]
#[case(Known, Pass, Some(Kind::NewlyPassing))]
#[case(NotRun, Pass, Some(Kind::NewlyPassing))]
#[case(Pass, Unsupported, Some(Kind::CoverageLoss))]
#[case(Pass, Skip, Some(Kind::CoverageLoss))]
#[case(Pass, NotRun, Some(Kind::CoverageLoss))]
#[case(Fail, Skip, Some(Kind::CoverageLoss))]
#[case(Unsupported, Skip, None)]
fn every_pair_of_verdicts_has_its_kind(
    #[case] base: CaseVerdict,
    #[case] head: CaseVerdict,
    #[case] want: Option<Kind>,
) {
    assert_eq!(Kind::between(base, head), want);
}

#[test]
fn runs_that_are_not_comparable_say_all_that_differs() {
    let head = head().shard(1, 3).with(|started| {
        started.waymark = "0.2.0".into();
        started.target = "kind".into();
        started.selection = vec!["routing".into(), "!weights".into()];
        started.sabotage = vec!["retries-off".into()];
    });
    let (base, head) = (base().result(), head.result());
    assert_eq!(
        diff(&base, &head).unwrap_err().to_string(),
        "runs `nightly-1122` and `nightly-1123` are not comparable\n  waymark: 0.1.0 → 0.2.0\n  \
         target: embedded → kind\n  selection: all → `!weights routing`\n  shard: none → 1/3\n  \
         sabotage: none → `retries-off`"
    );
    let forced = compare(&base, &head);
    assert_eq!(forced.mismatches.len(), 5);
    assert!(
        forced
            .text(&[], Style::default())
            .contains("comparable: no, compared anyway (waymark: 0.1.0 → 0.2.0")
    );
}

#[test]
fn the_order_of_words_makes_no_difference() {
    let with = |words: [&str; 2]| {
        let words = words.map(Into::into).to_vec();
        base().with(|started| started.selection = words).result()
    };
    assert!(diff(&with(["a", "b"]), &with(["b", "a"])).is_ok());
}
