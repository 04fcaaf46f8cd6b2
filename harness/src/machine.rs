//! The machine that waymark runs on, as far as it bears on timings.

use std::fs;
use std::thread::available_parallelism;

use waymark_reports::events::Machine;

/// This machine.
pub fn here() -> Machine {
    let name = rustix::system::uname();
    Machine {
        kernel: format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy()),
        architecture: name.machine().to_string_lossy().into_owned(),
        cpus: available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok()).unwrap_or(0),
        memory_mib: fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory_mib(&text)).unwrap_or(0),
    }
}

fn memory_mib(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::memory_mib;

    #[test]
    fn memory_is_read_in_mib() {
        assert_eq!(memory_mib("MemTotal:       24576000 kB\nMemFree: 1 kB\n"), Some(24_000));
        assert_eq!(memory_mib("MemFree: 1 kB\n"), None);
    }
}
