use rstest::rstest;

use super::{Attack, Cell, Control, Fate, KillMatrix, Outcome, SCHEMA_VERSION, fate};
use crate::result::eventful::HOSTILE;
use crate::verdict::CaseVerdict;

fn attack(defect: &str, fates: &[Fate]) -> Attack {
    let cell = |(index, fate): (usize, &Fate)| Cell {
        case: format!("routing::case_{index}::namespace"),
        fate: *fate,
        reason: (*fate == Fate::Unjudged).then(|| "wait 20s for Gateway".to_owned()),
    };
    Attack {
        defect: defect.into(),
        promise: "a promise".into(),
        place: "relay".into(),
        blinds: false,
        cells: fates.iter().enumerate().map(cell).collect(),
        obstacle: None,
        duration_ms: 31_400,
    }
}

fn matrix(defects: Vec<Attack>) -> KillMatrix {
    KillMatrix {
        schema_version: SCHEMA_VERSION,
        run: "20261125-090000-k7f2".into(),
        target: "embedded".into(),
        istio: "1.31".into(),
        control: Some(Control { green: 44, red: vec![] }),
        defects,
        unkillable: vec![],
        duration_ms: 125_000,
    }
}

#[rstest]
#[case::noticed(&[Fate::Killed, Fate::Killed], Outcome::Clean)]
#[case::not_for_this_release(&[Fate::Killed, Fate::Unsupported], Outcome::Clean)]
#[case::one_passes(&[Fate::Killed, Fate::Survived], Outcome::Survivors)]
#[case::one_errs(&[Fate::Killed, Fate::Unjudged], Outcome::Unjudged)]
#[case::all_err(&[Fate::Unjudged], Outcome::Unjudged)]
#[case::nobody_claims(&[], Outcome::Survivors)]
#[case::nobody_can(&[Fate::Unsupported], Outcome::Survivors)]
fn a_defect_is_killed_by_all_or_not_at_all(#[case] fates: &[Fate], #[case] want: Outcome) {
    assert_eq!(matrix(vec![attack("rbac-off", fates)]).outcome(), want);
}

#[test]
fn an_unkillable_case_is_a_survivor_and_a_red_control_proves_nothing() {
    let killed = || vec![attack("rbac-off", &[Fate::Killed])];
    let unkillable = KillMatrix { unkillable: vec!["fault::abort".into()], ..matrix(killed()) };
    assert_eq!(unkillable.outcome(), Outcome::Survivors);
    let red = Cell { case: "fault::abort".into(), fate: Fate::Unjudged, reason: None };
    let control = KillMatrix { control: Some(Control { green: 43, red: vec![red] }), ..matrix(killed()) };
    assert_eq!(control.outcome(), Outcome::Unjudged);
}

#[rstest]
#[case(CaseVerdict::Fail, false, Fate::Killed)]
#[case(CaseVerdict::Error, false, Fate::Unjudged)]
#[case(CaseVerdict::Error, true, Fate::Killed)]
#[case(CaseVerdict::Pass, true, Fate::Survived)]
#[case(CaseVerdict::Known, false, Fate::Unsupported)]
#[case(CaseVerdict::NotRun, true, Fate::Unjudged)]
#[case(CaseVerdict::Unsupported, false, Fate::Unsupported)]
fn an_error_is_a_kill_only_for_what_blinds(
    #[case] verdict: CaseVerdict,
    #[case] blinds: bool,
    #[case] want: Fate,
) {
    assert_eq!(fate(verdict, blinds), want);
}

#[test]
fn the_matrix_reads_well() {
    let mut stuck = attack("log-off", &[]);
    stuck.obstacle = Some("wait 120s for\nGateway | waypoint".into());
    let all = vec![
        attack("ignore-header-match", &[Fate::Killed, Fate::Killed]),
        attack("weights-level", &[Fate::Killed, Fate::Survived, Fate::Unjudged]),
        attack("mirror-off", &[]),
        stuck,
    ];
    let matrix = KillMatrix { unkillable: vec!["fault::abort::namespace".into()], ..matrix(all) };
    insta::assert_snapshot!(matrix.text());
    insta::assert_snapshot!(matrix.markdown());
}

#[test]
fn text_of_the_mesh_neither_steers_a_console_nor_marks_up() {
    let mut survivor = attack("weights-level", &[Fate::Unjudged]);
    survivor.cells[0].reason = Some(HOSTILE.into());
    let mut stuck = attack("log-off", &[]);
    stuck.obstacle = Some(format!("::error::x {HOSTILE}"));
    let red = Cell { case: HOSTILE.into(), fate: Fate::Unjudged, reason: Some(HOSTILE.into()) };
    let control = Some(Control { green: 43, red: vec![red] });
    let matrix = KillMatrix { control, ..matrix(vec![survivor, stuck]) };
    let (text, page) = (matrix.text(), matrix.markdown());
    let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(steers) && !page.contains(steers), "{text}\n{page}");
    assert!(
        !text.contains("##[") && text.lines().chain(page.lines()).all(|line| !line.starts_with("::")),
        "{text}"
    );
    assert!(
        !page.replace("\\<", "").contains("<script") && !page.contains("@everyone") && !page.contains("```"),
        "{page}"
    );
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).collect();
    let bare = |row: &str| row.replace("\\\\", "").replace("\\|", "").matches('|').count();
    assert!(rows.len() == 3 && rows.iter().all(|row| bare(row) == 4), "{page}");
}
