//! `waymark up`: a cluster that later runs use, kept in the foreground or by a process of its own.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::operations::{Foreground, Keep};
use super::{Console, Exit, Operations, Stop, Stumble, TargetOptions};

/// After how long without use a cluster ends that nobody watches.
const UNATTENDED: Duration = Duration::from_secs(3600);

#[derive(Args, Debug)]
pub(super) struct UpArgs {
    #[command(flatten)]
    pub(super) target: TargetOptions,
    /// Return as soon as the cluster is up; a process of its own keeps it until `waymark down`
    #[arg(long)]
    detach: bool,
    /// Take the cluster down when no run has used it for so long, such as 90s, 10m or 2h [default: never; 1h with
    /// --detach]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    idle_timeout: Option<Duration>,
    /// Set the stage, too: later runs share it instead of setting their own
    #[arg(long)]
    stage: bool,
    /// Keep the cluster on behalf of a `--detach`
    #[arg(long, hide = true, conflicts_with = "detach")]
    keeper: bool,
}

impl UpArgs {
    pub(super) async fn execute<O: Operations>(
        self,
        operations: Arc<O>,
        stop: Stop,
        console: Console,
    ) -> Result<Exit, Stumble> {
        let foreground = Foreground { options: &self.target, console: &console, stop: &stop };
        let unattended = (self.detach || self.keeper).then_some(UNATTENDED);
        let idle_timeout = self.idle_timeout.or(unattended);
        let keep = Keep { stage: self.stage, idle_timeout, detached: self.keeper };
        let up = match self.detach {
            true => operations.detach(foreground, keep, keeper(std::env::args_os().skip(1))).await,
            false => operations.up(foreground, keep).await,
        };
        match up {
            Err(_) if stop.is_stopping() => Ok(Exit::Interrupted),
            Err(broken) => Err(broken.into()),
            Ok(()) => Ok(Exit::Ok),
        }
    }
}

/// The arguments of the process that keeps what these arguments ask for.
fn keeper(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    args.map(|arg| if arg == "--detach" { "--keeper".into() } else { arg }).collect()
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let parsed = parsed.ok().and_then(|time| Duration::try_from(time).ok()).filter(|time| !time.is_zero());
    parsed.ok_or_else(|| "not a time such as 90s, 10m or 2h".to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("90s", Some(90))]
    #[case("10m", Some(600))]
    #[case("1h30m", Some(5400))]
    #[case("0s", None)]
    #[case("-5m", None)]
    #[case("10", None)]
    #[case("soon", None)]
    fn times(#[case] text: &str, #[case] seconds: Option<u64>) {
        assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs));
    }

    #[test]
    fn the_keeper_is_asked_for_the_same() {
        let args = ["up", "--istio", "1.24", "--detach", "--stage"].map(OsString::from);
        assert_eq!(keeper(args.into_iter()), ["up", "--istio", "1.24", "--keeper", "--stage"]);
    }
}
