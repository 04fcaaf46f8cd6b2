//! Checks of the machine: what the embedded target needs of it.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::parts;
use crate::cli::TargetOptions;
use crate::cli::operations::{Check, Outcome};

/// Free space that parts and their build need, in MiB.
const DISK: u64 = 6 * 1024;

/// All checks, in the order in which a run would stumble.
pub(crate) async fn checks(options: &TargetOptions) -> Vec<Check> {
    let mut checks = vec![kernel(), namespaces().await];
    checks.extend(tools().await);
    match parts::settings(options) {
        Ok(settings) => checks.push(disk(&settings.cache)),
        Err(error) => {
            checks.push(check("Disk", error.chain(), Outcome::Blocker, Some("set HOME or WAYMARK_CACHE")))
        }
    }
    checks.push(ports());
    checks
}

/// The API server is reached through a port of the loopback that the system chooses; nothing else listens on the host.
fn ports() -> Check {
    match std::net::TcpListener::bind("127.0.0.1:0") {
        Ok(_) => check("Ports", "a loopback port can be had", Outcome::Good, None),
        Err(error) => {
            let fix = "free some ports of 127.0.0.1, or widen net.ipv4.ip_local_port_range";
            check("Ports", format!("no loopback port can be had: {error}"), Outcome::Blocker, Some(fix))
        }
    }
}

fn check(category: &str, finding: impl Into<String>, outcome: Outcome, fix: Option<&str>) -> Check {
    Check { category: category.into(), finding: finding.into(), outcome, fix: fix.map(str::to_owned) }
}

fn kernel() -> Check {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|n| n.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let finding = format!("Linux {release}");
    if version >= (5, 12) {
        return check("Kernel", finding, Outcome::Good, None);
    }
    check("Kernel", finding, Outcome::Blocker, Some("use Linux 5.12 or newer"))
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
            check("Namespaces", "user, network, mount and PID namespaces can be made", Outcome::Good, None)
        }
        (_, Some(obstacle)) => check(
            "Namespaces",
            format!("forbidden by {}", obstacle.setting),
            Outcome::Blocker,
            Some(&obstacle.fix),
        ),
        (Ok(output), None) => {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            check(
                "Namespaces",
                format!("refused: {why}"),
                Outcome::Blocker,
                Some("run outside the container or seccomp profile that forbids them, or as root"),
            )
        }
        (Err(_), None) => check(
            "Namespaces",
            "not tried: unshare (util-linux) is not installed",
            Outcome::Warning,
            Some("install util-linux"),
        ),
    }
}

async fn tools() -> Vec<Check> {
    let go = version("go", &["version"]).await;
    let pip = version("python3", &["-m", "pip", "--version"]).await;
    let found = |name: &str, version: &Option<String>, without: &str| match version {
        Some(version) => check("Tools", version.clone(), Outcome::Good, None),
        None => check("Tools", format!("{name} is not there: {without}"), Outcome::Warning, None),
    };
    let mut checks = vec![
        found("go", &go, "Go itself comes from PyPI"),
        found("python3 with pip", &pip, "Envoy needs it, or give one by --envoy PATH"),
    ];
    if go.is_none() && pip.is_none() {
        checks.push(check(
            "Tools",
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
        return check("Disk", format!("{} cannot be looked at", existing.display()), Outcome::Warning, None);
    };
    let free = stat.f_bavail * stat.f_frsize / (1024 * 1024);
    let finding = format!("{free} MiB free below {}", existing.display());
    if free >= DISK {
        return check("Disk", finding, Outcome::Good, None);
    }
    check("Disk", finding, Outcome::Warning, Some("free some space: parts and their first build take 6 GiB"))
}
