//! A site without a mesh, for the engine's tests: its cases do what they are told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Barrier;
use waymark_reports::result::RunResult;

use super::{Capabilities, CloseReport, Engine, Journal, Options, Red, Site, Stop, Trial, catalogue};
use crate::case::{Broken, Case, Isolation, Level, Need, Scope, Suite, Verdict};

/// What cases and tests share.
pub(crate) struct Shared {
    /// Everyone who must be there at once.
    pub(crate) barrier: Barrier,
    /// How many cases run now, and the most that ever did.
    pub(crate) running: AtomicUsize,
    pub(crate) most: AtomicUsize,
    /// Ids of worlds closed, and whether the case had failed.
    pub(crate) closed: Mutex<Vec<(String, bool)>>,
    /// What `close` reports as its error.
    pub(crate) cleanup_error: Option<&'static str>,
    /// Ids of worlds that were to stay.
    pub(crate) kept: Mutex<Vec<String>>,
    pub(crate) stop: Stop,
}

pub(crate) struct World {
    pub(crate) shared: Arc<Shared>,
    id: String,
    case: &'static str,
}

impl World {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

pub(crate) struct FakeSite(pub(crate) Arc<Shared>);

impl Site for FakeSite {
    type Ctx = World;

    fn open<'a>(
        &'a self,
        case: &'a Case<World>,
        _: Scope,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Arc<World>, Broken>> {
        async move {
            match case.name {
                "has_no_world" => Err(Broken::new("no room for `shop`")),
                "panics_while_opening" => panic!("open went wrong"),
                _ => Ok(Arc::new(World { shared: Arc::clone(&self.0), id: id.to_owned(), case: case.name })),
            }
        }
        .boxed()
    }

    fn close<'a>(&'a self, ctx: &'a World, red: Option<Red<'a>>) -> BoxFuture<'a, CloseReport> {
        let failed = red.is_some();
        if red.is_some_and(|red| red.keep) {
            self.0.kept.lock().unwrap().push(ctx.id.clone());
        }
        async move {
            match ctx.case {
                "close_panics" => panic!("close went wrong"),
                "close_hangs" => std::future::pending().await,
                _ => {}
            }
            self.0.closed.lock().unwrap().push((ctx.id.clone(), failed));
            CloseReport {
                convergence_ms: Some(74),
                decided_by: vec!["envoy".into()],
                evidence: failed.then(|| format!("evidence/{}", ctx.id)),
                cleanup_error: self.0.cleanup_error.map(Broken::new),
                attempts: 2,
                ..CloseReport::default()
            }
        }
        .boxed()
    }
}

impl Shared {
    pub(crate) fn new(meeting: usize) -> Self {
        Self {
            barrier: Barrier::new(meeting),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            closed: Mutex::default(),
            cleanup_error: None,
            kept: Mutex::default(),
            stop: Stop::default(),
        }
    }

    /// Counts the case as running while it yields some times.
    pub(crate) async fn occupy(&self) -> usize {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        now
    }
}

pub(crate) type Body = for<'a> fn(&'a World) -> BoxFuture<'a, Verdict>;

/// A case of the suite `fake` with one trial, at mesh scope so that its name has no suffix.
pub(crate) fn case(name: &'static str, isolation: Isolation, run: Body) -> Case<World> {
    Case {
        file: "suites/src/x.rs",
        suite: "fake",
        name,
        level: Level::Core,
        refs: &["X-01"],
        source: None,
        promise: "a fake promise is kept",
        isolation,
        scopes: &[Scope::Mesh],
        needs: &[],
        killed_by: &[],
        denies: false,
        run,
    }
}

/// `count` such cases, numbered.
pub(crate) fn many(count: usize, name: &str, isolation: Isolation, run: Body) -> Vec<Case<World>> {
    let numbered = |number| case(String::leak(format!("{name}_{number}")), isolation, run);
    (0..count).map(numbered).collect()
}

pub(crate) fn needing(needs: &'static [Need], case: Case<World>) -> Case<World> {
    Case { needs, ..case }
}

pub(crate) fn suite(cases: Vec<Case<World>>) -> Suite<World> {
    Suite { name: "fake", about: "cases that do as told", cases: Vec::leak(cases) }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities { istio: (1, 31), tcp: true, ..Capabilities::default() }
}

/// Runs `cases` to the end.
pub(crate) async fn run(shared: &Arc<Shared>, cases: Vec<Case<World>>, options: Options) -> RunResult {
    run_on(shared, cases, options, capabilities(), |_| {}).await
}

/// The same on a site that turned out to be able to do less, with marks on the trials.
pub(crate) async fn run_on(
    shared: &Arc<Shared>,
    cases: Vec<Case<World>>,
    options: Options,
    actual: Capabilities,
    mark: impl FnOnce(&mut Vec<Trial<World>>),
) -> RunResult {
    use waymark_reports::events::{Event, Outcome, Plan, RunFinished};
    let journal = Arc::new(Journal::new("r", None, Vec::new()));
    let mut trials = catalogue(&[suite(cases)]);
    mark(&mut trials);
    let expected = capabilities();
    let planned = trials.iter().map(|trial| trial.planned(&expected)).collect();
    journal.emit(Event::Plan(Plan { cases: planned }));
    let engine = Engine {
        site: Arc::new(FakeSite(Arc::clone(shared))),
        journal: Arc::clone(&journal),
        expected,
        capabilities: actual,
        options,
        stop: shared.stop.clone(),
    };
    engine.run(trials).await;
    let end = RunFinished { outcome: Outcome::Completed, duration_ms: journal.elapsed_ms(), reason: None };
    journal.emit(Event::RunFinished(end));
    journal.result()
}
