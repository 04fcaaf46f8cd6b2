//! Runs as lists of events, for tests.

use crate::events::{
    Answer, CaseFinished, CaseStarted, Cause, Confidence, Entry, Event, EvidenceFile, Machine, Mismatch,
    Outcome, Part, Parts, Phase, PhaseFinished, PhaseStarted, Plan, PlannedCase, RunFinished, RunStarted,
    Steps, VERSION,
};
use crate::verdict::{CaseVerdict, Level, Scope};

/// Position of the first `case.started` in [`finished_run`].
pub(crate) const FIRST_CASE_STARTED: usize = 6;

const HEADER: &str = "routing::header_match_selects_backend::namespace";
const DENIED: &str = "authorization::denied_method_is_403::service_account";
const SPANS: &str = "trace::waypoint_span_is_child::namespace";

pub(crate) fn finished_run() -> Vec<Entry> {
    let mut events = opening();
    events.extend([
        Event::CaseStarted(CaseStarted { name: HEADER.into() }),
        Event::CaseStarted(CaseStarted { name: DENIED.into() }),
        Event::CaseFinished(Box::new(passed())),
        Event::CaseFinished(Box::new(failed())),
        Event::CaseFinished(Box::new(unsupported())),
        Event::PhaseFinished(PhaseFinished { phase: Phase::Cases, duration_ms: 4100, error: None }),
        Event::RunFinished(RunFinished { outcome: Outcome::Completed, duration_ms: 17_250, reason: None }),
    ]);
    number(events)
}

pub(crate) fn interrupted_run() -> Vec<Entry> {
    let mut events = opening();
    events.extend([
        Event::CaseStarted(CaseStarted { name: HEADER.into() }),
        Event::CaseFinished(Box::new(passed())),
        Event::RunFinished(RunFinished {
            outcome: Outcome::Interrupted,
            duration_ms: 9000,
            reason: Some("interrupted by Ctrl-C".into()),
        }),
    ]);
    number(events)
}

pub(crate) fn failed() -> CaseFinished {
    CaseFinished {
        name: DENIED.into(),
        verdict: CaseVerdict::Fail,
        reason: Some("want status: 403, decided by: waypoint, got status: 200, decided by: echo-v1".into()),
        duration_ms: 31_400,
        convergence_ms: Some(140),
        attempts: 12,
        decided_by: vec!["istiod".into(), "envoy".into()],
        evidence: Some("evidence/authorization--denied_method_is_403--service_account".into()),
        failure: Some(Mismatch {
            want: "status: 403\ndecided by: waypoint\npath: /admin".into(),
            got: "status: 200\ndecided by: echo-v1\npath: /admin".into(),
            decided_by: Some("echo".into()),
            sent: Some("POST http://shop.wm-1-sa/admin".into()),
            answers: vec![
                Answer { text: "200 from echo-v1".into(), count: 11, first_ms: 0, last_ms: 30_020 },
                Answer { text: "503 UF".into(), count: 1, first_ms: 2_510, last_ms: 2_510 },
            ],
        }),
        causes: vec![bypassed()],
        files: vec![EvidenceFile {
            name: "exchanges.json".into(),
            about: "what was sent and what came back".into(),
            bytes: 5120,
            cut: false,
        }],
        deviation: None,
        steps: Steps { open_us: 20, run_us: 30_900_000, close_us: 499_000, engine_us: 80 },
        figures: Vec::new(),
    }
}

/// A cause as a rule gives it.
pub(crate) fn bypassed() -> Cause {
    Cause {
        id: "WMC-001".into(),
        title: "traffic never reached the waypoint".into(),
        confidence: Confidence::High,
        signs: vec![
            "ztunnel's entry of service shop.wm-1-sa has no waypoint".into(),
            "the waypoint's access log has no line of these probes".into(),
        ],
        next: vec!["istioctl ztunnel-config service --service-namespace wm-1-sa".into()],
    }
}

pub(crate) fn planned() -> Vec<PlannedCase> {
    vec![
        PlannedCase {
            name: HEADER.into(),
            suite: "routing".into(),
            scope: Some(Scope::Namespace),
            level: Level::Core,
            promise: "a request matching a rule's header reaches that rule's backend".into(),
            refs: vec!["GWC-03".into()],
            source: Some("suites/src/routing.rs:31".into()),
        },
        PlannedCase {
            name: DENIED.into(),
            suite: "authorization".into(),
            scope: Some(Scope::ServiceAccountEmulated),
            level: Level::Core,
            promise: "a method that an ALLOW policy leaves out is answered 403 by the waypoint".into(),
            refs: vec!["AZ7-05".into(), "AZ7-06".into()],
            source: Some("suites/src/authorization.rs:22".into()),
        },
        PlannedCase {
            name: SPANS.into(),
            suite: "trace".into(),
            scope: None,
            level: Level::Extended,
            promise: "the waypoint's span is a child of the client's".into(),
            refs: vec![],
            source: None,
        },
    ]
}

fn opening() -> Vec<Event> {
    vec![
        Event::RunStarted(Box::new(RunStarted {
            waymark: "0.1.0".into(),
            target: "embedded".into(),
            istio: "1.31".into(),
            seed: Some(7),
            command: "cargo waymark run --istio 1.31".into(),
            machine: Some(Machine {
                kernel: "Linux 6.12.0".into(),
                architecture: "x86_64".into(),
                cpus: 2,
                memory_mib: 16_000,
            }),
            ..RunStarted::default()
        })),
        Event::Plan(Plan { cases: planned() }),
        Event::PhaseStarted(PhaseStarted { phase: Phase::Up }),
        Event::Parts(Parts { parts: parts() }),
        Event::PhaseFinished(PhaseFinished { phase: Phase::Up, duration_ms: 8900, error: None }),
        Event::PhaseStarted(PhaseStarted { phase: Phase::Cases }),
    ]
}

fn passed() -> CaseFinished {
    CaseFinished {
        name: HEADER.into(),
        verdict: CaseVerdict::Pass,
        reason: None,
        duration_ms: 820,
        convergence_ms: Some(74),
        attempts: 4,
        decided_by: vec!["istiod".into(), "envoy".into()],
        steps: Steps { open_us: 15, run_us: 700_000, close_us: 119_900, engine_us: 85 },
        figures: Vec::new(),
        ..CaseFinished::default()
    }
}

fn unsupported() -> CaseFinished {
    CaseFinished {
        name: SPANS.into(),
        verdict: CaseVerdict::Unsupported,
        reason: Some("needs the real envoy-istio".into()),
        ..CaseFinished::default()
    }
}

fn parts() -> Vec<Part> {
    vec![
        Part {
            name: "istiod".into(),
            version: "1.31.0".into(),
            origin: "go".into(),
            digest: Some("sha256:3b1f".into()),
            stand_in: false,
        },
        Part {
            name: "ztunnel".into(),
            version: "0.1.0".into(),
            origin: "waymark".into(),
            digest: None,
            stand_in: true,
        },
    ]
}

fn number(events: Vec<Event>) -> Vec<Entry> {
    let start = 1_795_597_200_000_i64;
    let entry = |(index, event): (usize, Event)| Entry {
        v: VERSION,
        seq: index as u64 + 1,
        ts: jiff::Timestamp::from_millisecond(start + 250 * index as i64).expect("in range"),
        run: "20261125-090000-k7f2".into(),
        event,
    };
    events.into_iter().enumerate().map(entry).collect()
}
