//! The log of a run, `waymark.log` in its directory; `WAYMARK_LOG` says how much, as in `debug,h2=info`.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

/// Logs of this process go to `dir` from now on. A log that cannot be written is no reason not to run.
pub(crate) fn into(dir: &Path) {
    // Processes that do parts of one run write to the same log.
    let Ok(file) = File::options().create(true).append(true).open(dir.join("waymark.log")) else { return };
    let filter = EnvFilter::try_from_env("WAYMARK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log =
        tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(file)).with_env_filter(filter);
    let _logs_elsewhere = log.try_init();
}
