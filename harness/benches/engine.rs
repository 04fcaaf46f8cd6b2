//! What the engine itself costs a case: 500 rounds of a case that does nothing, with the journal written to a real file
//! and a screen that formats every line. The budget is 200 µs a case, so 100 ms for the 500 rounds.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Runtime;
use waymark_harness::case::{Broken, Case, Isolation, Level, Scope, Suite};
use waymark_harness::engine::{
    Capabilities, CloseReport, Engine, Journal, Options, Red, Site, Stop, catalogue,
};
use waymark_harness::printer::{Around, Console, Mode, Screen};
use waymark_reports::events::{Event, Plan};

const ROUNDS: u32 = 500;

static TRIVIAL: [Case<()>; 1] = [Case {
    suite: "bench",
    name: "does_nothing",
    level: Level::Core,
    refs: &["X-01"],
    promise: "nothing happens",
    file: "harness/benches/engine.rs",
    isolation: Isolation::Host,
    scopes: &[Scope::Mesh],
    needs: &[],
    denies: false,
    killed_by: &[],
    source: None,
    run: |()| async { Ok(()) }.boxed(),
}];

/// A site without a mesh.
struct Nowhere;

impl Site for Nowhere {
    type Ctx = ();

    fn open<'a>(&'a self, _: &'a Case<()>, _: Scope, _: &'a str) -> BoxFuture<'a, Result<Arc<()>, Broken>> {
        async { Ok(Arc::new(())) }.boxed()
    }

    fn close<'a>(&'a self, (): &'a (), _: Option<Red<'a>>) -> BoxFuture<'a, CloseReport> {
        async { CloseReport { decided_by: vec!["envoy".to_owned()], ..CloseReport::default() } }.boxed()
    }
}

/// One run of 500 rounds, `jobs` at once.
async fn rounds(jobs: usize) -> usize {
    let around = Around { run_dir: "run".to_owned(), command: "waymark run".to_owned() };
    let screen = Screen::new(Console::silent(), Mode::Lines, around);
    let journal = Arc::new(Journal::new("bench", tempfile::tempfile().ok(), vec![Box::new(screen)]));
    let trials = catalogue(&[Suite { name: "bench", about: "the engine alone", cases: &TRIVIAL }]);
    let cases = trials.iter().map(|trial| trial.planned(&Capabilities::default())).collect();
    journal.emit(Event::Plan(Plan { cases }));
    let engine = Engine {
        site: Arc::new(Nowhere),
        journal: Arc::clone(&journal),
        expected: Capabilities::default(),
        capabilities: Capabilities::default(),
        options: Options { jobs, rounds: ROUNDS, ..Options::default() },
        stop: Stop::default(),
    };
    engine.run(trials).await;
    journal.entries().len()
}

fn overhead(criterion: &mut Criterion) {
    let Ok(runtime) = Runtime::new() else { return };
    let mut group = criterion.benchmark_group("engine, 500 rounds of nothing");
    group.throughput(Throughput::Elements(u64::from(ROUNDS)));
    for (name, jobs) in [("one at a time", 1), ("64 at once", 64)] {
        group.bench_function(name, |bencher| bencher.iter(|| black_box(runtime.block_on(rounds(jobs)))));
    }
    group.finish();
}

criterion_group!(benches, overhead);
criterion_main!(benches);
