//! What the user can say on the command line or by `WAYMARK_*`, as plain values.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::engine::Journal;
use crate::engine::shard::Shard;

/// Where the cluster comes from and which parts it runs.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct TargetOptions {
    /// Where the cluster comes from
    #[arg(long, env = "WAYMARK_TARGET", hide_env = true, value_name = "TARGET", default_value = "embedded")]
    pub target: String,
    /// Istio release under test
    #[arg(long, env = "WAYMARK_ISTIO", hide_env = true, value_name = "RELEASE", default_value = "1.31")]
    pub istio: String,
    /// Context of the kubeconfig, for targets that use an existing cluster
    #[arg(long, env = "WAYMARK_CONTEXT", hide_env = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Nodes of the cluster
    #[arg(long, env = "WAYMARK_NODES", hide_env = true, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u8).range(1..=8))]
    pub nodes: u8,
    /// Forbid the network: parts come from the cache or from paths
    #[arg(long, env = "WAYMARK_OFFLINE", hide_env = true, value_parser = FalseyValueParser::new())]
    pub offline: bool,
    /// Parts of your own.
    #[command(flatten)]
    pub parts: PartPaths,
}

/// Executables that replace a part.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Parts of your own")]
pub struct PartPaths {
    /// A ztunnel to use instead of the stand-in
    #[arg(long, env = "WAYMARK_ZTUNNEL", hide_env = true, value_name = "PATH")]
    pub ztunnel: Option<PathBuf>,
    /// An istiod (pilot-discovery)
    #[arg(long, env = "WAYMARK_ISTIOD", hide_env = true, value_name = "PATH")]
    pub istiod: Option<PathBuf>,
    /// An istioctl
    #[arg(long, env = "WAYMARK_ISTIOCTL", hide_env = true, value_name = "PATH")]
    pub istioctl: Option<PathBuf>,
    /// A pilot-agent
    #[arg(long, env = "WAYMARK_PILOT_AGENT", hide_env = true, value_name = "PATH")]
    pub pilot_agent: Option<PathBuf>,
    /// An Envoy
    #[arg(long, env = "WAYMARK_ENVOY", hide_env = true, value_name = "PATH")]
    pub envoy: Option<PathBuf>,
    /// An etcd
    #[arg(long, env = "WAYMARK_ETCD", hide_env = true, value_name = "PATH")]
    pub etcd: Option<PathBuf>,
    /// A kube-apiserver
    #[arg(long, env = "WAYMARK_KUBE_APISERVER", hide_env = true, value_name = "PATH")]
    pub kube_apiserver: Option<PathBuf>,
    /// A kube-controller-manager
    #[arg(long, env = "WAYMARK_KUBE_CONTROLLER_MANAGER", hide_env = true, value_name = "PATH")]
    pub kube_controller_manager: Option<PathBuf>,
    /// A kube-scheduler
    #[arg(long, env = "WAYMARK_KUBE_SCHEDULER", hide_env = true, value_name = "PATH")]
    pub kube_scheduler: Option<PathBuf>,
}

/// How cases run.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Where and what.
    #[command(flatten)]
    pub target: TargetOptions,
    /// Cases that share the stage and run at once
    #[arg(long, short, env = "WAYMARK_JOBS", hide_env = true, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u16).range(1..), help_heading = "Running")]
    pub jobs: u16,
    /// Run the cases in random order; the seed is printed
    #[arg(long, env = "WAYMARK_SHUFFLE", hide_env = true, value_parser = FalseyValueParser::new(), help_heading = "Running")]
    pub shuffle: bool,
    /// Repeat the random order of an earlier run
    #[arg(long, env = "WAYMARK_SEED", hide_env = true, value_name = "SEED", help_heading = "Running")]
    pub seed: Option<u64>,
    /// Break one promise on purpose, to see the cases notice
    #[arg(
        long,
        env = "WAYMARK_SABOTAGE",
        hide_env = true,
        value_delimiter = ',',
        value_name = "NAME",
        help_heading = "Running"
    )]
    pub sabotage: Vec<String>,
    /// Start no more cases after the first red one
    #[arg(long, env = "WAYMARK_FAIL_FAST", hide_env = true, value_parser = FalseyValueParser::new(), help_heading = "Running")]
    pub fail_fast: bool,
    /// Run every case N times
    #[arg(long, env = "WAYMARK_REPEAT", hide_env = true, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Running")]
    pub repeat: u32,
    /// Run the I-th of N parts of the selection, such as 1/3; `merge` joins their reports
    #[arg(long, env = "WAYMARK_SHARD", hide_env = true, value_name = "I/N", help_heading = "Running")]
    pub shard: Option<Shard>,
    /// Run what failed, erred or was not run in an earlier run, on its target and release [RUN: latest]
    #[arg(long, env = "WAYMARK_RERUN", hide_env = true, value_name = "RUN", num_args = 0..=1,
          default_missing_value = "latest", help_heading = "Running")]
    pub rerun: Option<String>,
    /// How long a case may take, and half as much again with apps of its own [default: 2m]
    #[arg(long, env = "WAYMARK_CASE_TIMEOUT", hide_env = true, value_name = "TIME", value_parser = time, help_heading = "Running")]
    pub case_timeout: Option<Duration>,
    /// How long the run may take, set-up included; what is not reached by then is not-run
    #[arg(long, env = "WAYMARK_TIMEOUT", hide_env = true, value_name = "TIME", value_parser = time, help_heading = "Running")]
    pub timeout: Option<Duration>,
    /// Deviations that are known, instead of the list that comes with waymark
    #[arg(long, env = "WAYMARK_KNOWN", hide_env = true, value_name = "FILE", help_heading = "Running")]
    pub known: Option<PathBuf>,
    /// Keep what red cases made, and the cluster until Ctrl-C: always, or only if something is red [WHAT: all]
    #[arg(long, env = "WAYMARK_KEEP", hide_env = true, value_enum, value_name = "WHAT", num_args = 0..=1,
          default_value_t, default_missing_value = "all", help_heading = "Running")]
    pub keep: Keep,
    /// Directory below which each run gets its own [default: target/waymark]
    #[arg(long, env = "WAYMARK_RUN_DIR", hide_env = true, value_name = "DIR", help_heading = "Running")]
    pub run_dir: Option<PathBuf>,
    /// Keep the last verdicts of every case in DIR; the summary says what is new
    #[arg(long, env = "WAYMARK_HISTORY", hide_env = true, value_name = "DIR", help_heading = "Running")]
    pub history: Option<PathBuf>,
    /// The run of which this process does a part; none when the run is its own. A part of a run uses the stage that
    /// `up --stage` keeps and brings up nothing itself.
    #[arg(skip)]
    pub part_of: Option<String>,
}

/// What stays after a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Keep {
    /// Nothing.
    #[default]
    #[value(alias = "0", alias = "false")]
    None,
    /// Namespaces and cluster, and what red cases made, if a case is red.
    Failed,
    /// The same whatever the verdicts.
    #[value(alias = "1", alias = "true")]
    All,
}

impl Keep {
    /// Whether the cluster of the run stays.
    pub fn holds(self, journal: &Journal) -> bool {
        let red = || journal.result().cases.iter().any(|case| case.verdict.is_red());
        self == Self::All || (self == Self::Failed && red())
    }
}

/// A time as people write it.
fn time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "a time is such as 90s, 500ms or 1h30m".to_owned())
}

impl PartPaths {
    /// The parts that the user replaces, by name.
    pub fn given(&self) -> Vec<(&'static str, &Path)> {
        let Self {
            ztunnel,
            istiod,
            istioctl,
            pilot_agent,
            envoy,
            etcd,
            kube_apiserver,
            kube_controller_manager,
            kube_scheduler,
        } = self;
        let all = [
            ("ztunnel", ztunnel),
            ("istiod", istiod),
            ("istioctl", istioctl),
            ("pilot-agent", pilot_agent),
            ("envoy", envoy),
            ("etcd", etcd),
            ("kube-apiserver", kube_apiserver),
            ("kube-controller-manager", kube_controller_manager),
            ("kube-scheduler", kube_scheduler),
        ];
        all.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?))).collect()
    }
}

impl RunOptions {
    /// The command that starts such a run again, without its filter and order.
    pub fn command(&self) -> String {
        let mut words = vec!["cargo waymark run".to_owned()];
        if self.target.target != "embedded" {
            words.push(format!("--target {}", self.target.target));
        }
        if let Some(context) = &self.target.context {
            words.push(format!("--context {context}"));
        }
        words.push(format!("--istio {}", self.target.istio));
        words.extend(
            self.target.parts.given().iter().map(|(part, path)| format!("--{part} {}", path.display())),
        );
        words.extend(self.known.iter().map(|path| format!("--known {}", path.display())));
        words.extend(self.sabotage.iter().map(|name| format!("--sabotage {name}")));
        words.join(" ")
    }
}
