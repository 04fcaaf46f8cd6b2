//! Operations without a cluster, for tests of the command line and of the test target.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use waymark_ambient::sabotage::Place;
use waymark_reports::events::{Part, Phase};

use super::operations::{
    Check, Component, ComponentsError, ComponentsRequest, Defect, Foreground, Keep, Opened, Outcome, Reach,
    Reliance, Setup, Swept,
};
use super::{Operations, RunOptions, TargetOptions, Usage};
use crate::case::{Broken, Case, Isolation, Suite, Unmet};
use crate::engine::Capabilities;
use crate::engine::fake::{FakeSite, Shared, World, case, needing, suite};

/// Operations that fail where they are told to.
#[derive(Default)]
pub(crate) struct FakeOperations {
    pub(crate) broken_begin: bool,
    pub(crate) broken_end: bool,
    pub(crate) hanging_begin: bool,
}

/// A suite with a case for each way to end.
pub(crate) fn suites() -> Vec<Suite<World>> {
    use crate::case::Need;
    let unsupported = case("old", Isolation::Host, |_| async { Ok(()) }.boxed());
    let kept = case("kept", Isolation::Host, |_| async { Ok(()) }.boxed());
    let broken = case("broken_promise", Isolation::Host, |_| {
        async {
            let unmet = Unmet { want: "status: 403".into(), got: "status: 200".into(), ..Unmet::default() };
            Err(unmet.into())
        }
        .boxed()
    });
    vec![suite(vec![
        Case { killed_by: &["nothing-wrong"], ..kept },
        Case { killed_by: &["all-wrong"], ..broken },
        case("cannot_judge", Isolation::Host, |_| async { Err(Broken::new("no answer").into()) }.boxed()),
        needing(&[Need::IstioBefore(1, 22)], unsupported),
    ])]
}

impl Operations for FakeOperations {
    type Site = FakeSite;

    fn check_target(&self, options: &TargetOptions, reliance: Reliance) -> Result<(), Usage> {
        crate::target::check(options, reliance)
    }

    fn check(&self, options: &RunOptions) -> Result<Capabilities, Usage> {
        self.check_target(&options.target, Reliance::Parts)?;
        match options.target.istio.as_str() {
            "1.31" => Ok(crate::engine::fake::capabilities()),
            other => Err(Usage::new(format!("unknown release `{other}`"), "releases", ["1.31"])),
        }
    }

    fn begin<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<Opened<FakeSite>, Broken>> {
        async move {
            if self.hanging_begin {
                std::future::pending::<()>().await;
            }
            let up =
                async { if self.broken_begin { Err(Broken::new("etcd exited with 1")) } else { Ok(()) } };
            setup.journal.phase(Phase::Up, up).await?;
            setup.journal.parts(vec![stand_in()]);
            let site = Arc::new(FakeSite(Arc::new(Shared::new(1))));
            Ok(Opened { site, capabilities: crate::engine::fake::capabilities(), slots: 2 })
        }
        .boxed()
    }

    fn end<'a>(&'a self, _: Arc<FakeSite>, _: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        async move { if self.broken_end { Err(Broken::new("namespace `wm-1-ns`")) } else { Ok(()) } }.boxed()
    }

    fn hold<'a>(&'a self, _: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        async move { if self.broken_begin { Err(Broken::new("etcd exited with 1")) } else { Ok(()) } }.boxed()
    }

    fn release<'a>(&'a self, _: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>> {
        async { Ok(()) }.boxed()
    }

    fn defects(&self) -> Vec<Defect> {
        let defect =
            |name| Defect { name, promise: "a fake promise", place: Place::Relay, reach: Reach::Namespace };
        vec![defect("all-wrong"), defect("nothing-wrong"), defect("unclaimed")]
    }

    fn namespaces(&self, run: &str) -> String {
        run.to_owned()
    }

    fn up<'a>(&'a self, _: Foreground<'a>, _: Keep) -> BoxFuture<'a, Result<(), Broken>> {
        async { Err(Broken::new("user namespaces are forbidden")) }.boxed()
    }

    fn detach<'a>(
        &'a self,
        _: Foreground<'a>,
        _: Keep,
        _: Vec<OsString>,
    ) -> BoxFuture<'a, Result<(), Broken>> {
        async { Ok(()) }.boxed()
    }

    fn down<'a>(&'a self, _: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>> {
        async { Ok("nothing was up".to_owned()) }.boxed()
    }

    fn status<'a>(&'a self, _: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>> {
        async { Ok("nothing is up".to_owned()) }.boxed()
    }

    fn components<'a>(
        &'a self,
        request: ComponentsRequest,
        _: Foreground<'a>,
    ) -> BoxFuture<'a, Result<Vec<Component>, ComponentsError>> {
        async move {
            match request {
                ComponentsRequest::Path(part) if part != "istiod" => {
                    Err(Usage::new(format!("there is no part `{part}`"), "parts", ["istiod"]).into())
                }
                _ => Ok(vec![Component {
                    name: "istiod".into(),
                    version: "1.31.0".into(),
                    origin: "go".into(),
                    path: None,
                }]),
            }
        }
        .boxed()
    }

    fn sweep<'a>(
        &'a self,
        _: &'a TargetOptions,
        _: &'a Path,
        dry_run: bool,
    ) -> BoxFuture<'a, Result<Swept, Broken>> {
        let failed =
            if self.broken_end && !dry_run { vec!["remove claim: busy".to_owned()] } else { Vec::new() };
        async { Ok(Swept { found: vec!["claim".to_owned()], failed }) }.boxed()
    }

    fn doctor<'a>(&'a self, _: &'a TargetOptions, _: &'a Path) -> BoxFuture<'a, Vec<Check>> {
        async {
            vec![Check {
                id: "WMD-H02".into(),
                category: "Host".into(),
                finding: "user namespaces are forbidden".into(),
                outcome: Outcome::Blocker,
                fix: Some("sysctl user.max_user_namespaces=10000".into()),
            }]
        }
        .boxed()
    }
}

fn stand_in() -> Part {
    Part {
        name: "ztunnel".into(),
        version: "0.1.0".into(),
        origin: "waymark".into(),
        digest: None,
        stand_in: true,
    }
}
