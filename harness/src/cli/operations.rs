//! What commands do to clusters and parts: everything behind the command line that is not about cases.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::options::{RunOptions, TargetOptions};
use super::usage::Usage;
use crate::case::Broken;
use crate::engine::{Capabilities, Journal, Listed, Site, Stop};
use crate::printer::Console;

pub use waymark_ambient::sabotage::{Defect, Reach};

/// The actions behind the commands. Every future may be dropped when the user interrupts.
pub trait Operations: Send + Sync + 'static {
    /// Gives cases their worlds.
    type Site: Site;

    /// Checks what the user said of the target, as far as a command relies on it. Touches neither network nor cluster.
    ///
    /// # Errors
    /// For a name that does not exist, what the target does not have, or a part that cannot be run.
    fn check_target(&self, options: &TargetOptions, reliance: Reliance) -> Result<(), Usage>;

    /// Checks target, release, parts and sabotage, and says what such a run will be able to do. Touches
    /// neither network nor cluster.
    ///
    /// # Errors
    /// For a name that does not exist.
    fn check(&self, options: &RunOptions) -> Result<Capabilities, Usage>;

    /// Obtains parts, brings the cluster up (or joins the one that `up` keeps) and sets the stage. Wraps its
    /// steps in [`Journal::phase`] (`Components`, `Up`, `Stage`) and calls [`Journal::parts`] as soon as they are
    /// known. What it started must end with it when it fails or when its future is dropped, which is what an
    /// interruption does.
    fn begin<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<Opened<Self::Site>, Broken>>;

    /// Takes down what `begin` brought up, unless `setup.options.keep` holds it. The caller wraps it in phase `Down`, and
    /// calls it after a run that the user interrupted, too. An error means that something is left behind.
    fn end<'a>(&'a self, site: Arc<Self::Site>, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>>;

    /// Brings up a cluster that every later [`Operations::begin`] of this process shares until [`Operations::release`].
    /// Wraps its steps in phases as `begin` does.
    fn hold<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>>;

    /// Takes down the cluster that `hold` brought up.
    fn release<'a>(&'a self, setup: Setup<'a>) -> BoxFuture<'a, Result<(), Broken>>;

    /// The rows of the behaviour catalogue that cases may cite; empty when that is not known.
    fn rows(&self) -> String {
        String::new()
    }

    /// The named defects that can be put in, and how far each is felt.
    fn defects(&self) -> Vec<Defect>;

    /// The namespaces of a run, by how their names begin.
    fn namespaces(&self, run: &str) -> String;

    /// Brings a cluster up, prints how to use it, keeps it until `stop` or until it is idle, takes it down.
    fn up<'a>(&'a self, foreground: Foreground<'a>, keep: Keep) -> BoxFuture<'a, Result<(), Broken>>;

    /// Starts this program with the arguments `keeper` as a process of its own that does [`Operations::up`], and waits
    /// until the cluster is up. One that is up already and fits is as good.
    fn detach<'a>(
        &'a self,
        foreground: Foreground<'a>,
        keep: Keep,
        keeper: Vec<OsString>,
    ) -> BoxFuture<'a, Result<(), Broken>>;

    /// Takes down what `up` brought up; says what was done.
    fn down<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>>;

    /// Describes the cluster that `up` keeps.
    fn status<'a>(&'a self, options: &'a TargetOptions) -> BoxFuture<'a, Result<String, Broken>>;

    /// Lists, fetches or finds parts. `Path` yields exactly one row.
    fn components<'a>(
        &'a self,
        request: ComponentsRequest,
        foreground: Foreground<'a>,
    ) -> BoxFuture<'a, Result<Vec<Component>, ComponentsError>>;

    /// Checks the machine, the parts, a kept cluster and its mesh, and what earlier runs below `runs` left. Reads only.
    fn doctor<'a>(&'a self, options: &'a TargetOptions, runs: &'a Path) -> BoxFuture<'a, Vec<Check>>;

    /// Finds what earlier processes left and nobody holds, and removes it unless `dry_run`.
    fn sweep<'a>(
        &'a self,
        options: &'a TargetOptions,
        runs: &'a Path,
        dry_run: bool,
    ) -> BoxFuture<'a, Result<Swept, Broken>>;

    /// The list of known deviations that comes with the cases.
    fn known(&self) -> Listed {
        Listed::default()
    }
}

/// How much of what the user said of a target a command relies on; each relies on what comes before it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reliance {
    /// The target alone.
    Target,
    /// The release.
    Release,
    /// The user's own parts.
    Parts,
}

/// What setting up a run needs to know.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Id of the run.
    pub run: &'a str,
    /// Its directory, for evidence and logs.
    pub dir: &'a Path,
    /// What the user said.
    pub options: &'a RunOptions,
    /// Hears of phases, parts and progress.
    pub journal: &'a Journal,
    /// Resolves when the user has had enough.
    pub stop: &'a Stop,
}

/// A site that is ready for cases.
pub struct Opened<S: Site> {
    /// Gives cases their worlds.
    pub site: Arc<S>,
    /// What can be done on it, now that its parts are known.
    pub capabilities: Capabilities,
    /// How many `Namespace` cases run at once.
    pub slots: usize,
}

/// What a command in the foreground needs.
#[derive(Clone, Copy)]
pub struct Foreground<'a> {
    /// What the user said.
    pub options: &'a TargetOptions,
    /// Where to print.
    pub console: &'a Console,
    /// Resolves when the user has had enough.
    pub stop: &'a Stop,
}

/// How a cluster is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// With a stage that all runs share.
    pub stage: bool,
    /// Until it was idle for so long; none keeps it until somebody ends it.
    pub idle_timeout: Option<Duration>,
    /// By a process of its own, outside of everybody's terminal.
    pub detached: bool,
}

/// What to do with parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentsRequest {
    /// Name all.
    List,
    /// Obtain these, or all when empty.
    Fetch(Vec<String>),
    /// Find this one.
    Path(String),
}

/// Why parts could not be listed, fetched or found.
#[derive(Debug, thiserror::Error)]
pub enum ComponentsError {
    /// There is no such part or release.
    #[error(transparent)]
    Usage(#[from] Usage),
    /// It could not be had.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Such as `istiod`.
    pub name: String,
    /// Such as `1.31.0`.
    pub version: String,
    /// Where it comes from, such as `go` or `wheel`.
    pub origin: String,
    /// Where it is; none when it has not been obtained.
    pub path: Option<PathBuf>,
}

/// What a sweep found, and what it could not remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Everything found, a line each.
    pub found: Vec<String>,
    /// What is still there, with the reason.
    pub failed: Vec<String>,
}

/// How a check of the machine came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Fine.
    Good,
    /// Runs, but something is worse than it could be.
    Warning,
    /// Nothing runs until this is mended.
    Blocker,
}

/// One check of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Such as `WMD-H01`; `waymark explain` knows it.
    pub id: String,
    /// Heading, such as `Host`.
    pub category: String,
    /// What was found, as a sentence.
    pub finding: String,
    /// How it came out.
    pub outcome: Outcome,
    /// The command or change that mends it.
    pub fix: Option<String>,
}
