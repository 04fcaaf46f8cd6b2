//! The machine: what the embedded target needs of it.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::check;
use crate::cli::operations::{Check, Outcome};

/// Free space that parts and their build need, in MiB.
const DISK: u64 = 6 * 1024;

/// In the order in which a run would stumble; `cache` is where parts go.
pub(super) async fn checks(cache: Option<&Path>) -> Vec<Check> {
    let mut checks = vec![kernel(), namespaces().await];
    checks.extend(tools().await);
    checks.push(match cache {
        Some(cache) => disk(cache),
        None => {
            let fix = "set HOME or WAYMARK_CACHE";
            check("WMD-H06", "nothing says where the cache of parts is", Outcome::Blocker, Some(fix))
        }
    });
    checks.push(ports());
    checks
}

/// The API server is reached through a port of the loopback that the system chooses; nothing else listens on the host.
fn ports() -> Check {
    match std::net::TcpListener::bind("127.0.0.1:0") {
        Ok(_) => check("WMD-H07", "a loopback port can be had", Outcome::Good, None),
        Err(error) => {
            let fix = "free some ports of 127.0.0.1, or widen net.ipv4.ip_local_port_range";
            check("WMD-H07", format!("no loopback port can be had: {error}"), Outcome::Blocker, Some(fix))
        }
    }
}

/// Runs make their directories below `base`, which may have to be made itself.
pub(super) fn run_dir(base: &Path) -> Check {
    use rustix::fs::{Access, access};
    let existing = base.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let fix = "name a folder of yours by --run-dir or WAYMARK_RUN_DIR";
    let shown = existing.display();
    if !existing.is_dir() {
        return check("WMD-H08", format!("{shown} is no folder for runs"), Outcome::Blocker, Some(fix));
    }
    match access(existing, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => check("WMD-H08", format!("runs go below {}", base.display()), Outcome::Good, None),
        Err(error) => {
            let finding = format!("{shown} cannot be written, runs go there: {error}");
            check("WMD-H08", finding, Outcome::Blocker, Some(fix))
        }
    }
}

fn kernel() -> Check {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|n| n.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let finding = format!("Linux {release}");
    if version >= (5, 12) {
        return check("WMD-H01", finding, Outcome::Good, None);
    }
    check("WMD-H01", finding, Outcome::Blocker, Some("use Linux 5.12 or newer"))
}

/// Tries the namespaces for real, with the tool that every distribution has.
async fn namespaces() -> Check {
    let script = "mount -t tmpfs t /mnt && echo ok";
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-root-user",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "sh",
        "-c",
        script,
    ]);
    let output = command.stdin(Stdio::null()).output().await;
    match (output, waymark_node::obstacle()) {
        (Ok(output), _) if output.status.success() => {
            check("WMD-H02", "user, network, mount and PID namespaces can be made", Outcome::Good, None)
        }
        (_, Some(obstacle)) => check(
            "WMD-H02",
            format!("forbidden by {}", obstacle.setting),
            Outcome::Blocker,
            Some(&obstacle.fix),
        ),
        (Ok(output), None) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            check(
                "WMD-H02",
                format!("refused: {why}"),
                Outcome::Blocker,
                Some("run outside the container or seccomp profile that forbids them, or as root"),
            )
        }
        (Err(_), None) => check(
            "WMD-H02",
            "not tried: unshare (util-linux) is not installed",
            Outcome::Warning,
            Some("install util-linux"),
        ),
    }
}

async fn tools() -> Vec<Check> {
    let go = version("go", &["version"]).await;
    let pip = version("python3", &["-m", "pip", "--version"]).await;
    let found = |id: &str, name: &str, version: &Option<String>, fix: &str| match version {
        Some(version) => check(id, version.clone(), Outcome::Good, None),
        None => check(id, format!("{name} is not there"), Outcome::Warning, Some(fix)),
    };
    let mut checks = vec![
        found("WMD-H03", "go", &go, "none needed while PyPI answers, where Go comes from; else install Go"),
        found("WMD-H04", "python3 with pip", &pip, "install it, or give an Envoy by --envoy PATH"),
    ];
    if go.is_none() && pip.is_none() {
        checks.push(check(
            "WMD-H05",
            "neither Go nor pip: no part can be made",
            Outcome::Blocker,
            Some("install Go or python3 with pip"),
        ));
    }
    checks
}

async fn version(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned();
    output.status.success().then_some(text)
}

fn disk(cache: &Path) -> Check {
    let existing = cache.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    let Ok(stat) = rustix::fs::statvfs(existing) else {
        return check(
            "WMD-H06",
            format!("{} cannot be looked at", existing.display()),
            Outcome::Warning,
            None,
        );
    };
    let free = stat.f_bavail * stat.f_frsize / (1024 * 1024);
    let finding = format!("{free} MiB free below {}", existing.display());
    if free >= DISK {
        return check("WMD-H06", finding, Outcome::Good, None);
    }
    check(
        "WMD-H06",
        finding,
        Outcome::Warning,
        Some("free some space: parts and their first build take 6 GiB"),
    )
}

#[cfg(test)]
mod tests {
    use super::run_dir;
    use crate::cli::operations::Outcome;

    #[test]
    fn a_place_where_no_run_can_be_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let found = run_dir(&file.path().join("runs"));
        assert_eq!(found.outcome, Outcome::Blocker);
        assert!(found.finding.starts_with(&file.path().display().to_string()), "{}", found.finding);
        let base = tempfile::tempdir().unwrap();
        assert_eq!(run_dir(&base.path().join("not/yet")).outcome, Outcome::Good);
    }
}
