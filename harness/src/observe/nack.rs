//! Configuration that a proxy refused, in istiod's words.

use serde::{Deserialize, Serialize};

use super::metrics::Metrics;

/// How often proxies refused configuration, and what they said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rejections {
    /// `pilot_total_xds_rejects` of all istiod pods together.
    pub total: u64,
    /// The lines of istiod's log that carry the proxies' words, oldest first, without repetition.
    pub words: Vec<String>,
}

impl Rejections {
    /// What happened since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let words = self.words.iter().filter(|word| !before.words.contains(word)).cloned().collect();
        Self { total: self.total.saturating_sub(before.total), words }
    }

    /// Whether nothing was refused.
    #[must_use]
    pub fn none(&self) -> bool {
        self.total == 0 && self.words.is_empty()
    }
}

/// The number of refusals that a scrape of istiod counts.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter of whole numbers")]
pub fn rejects(metrics: &Metrics) -> u64 {
    metrics.sum("pilot_total_xds_rejects", &[]) as u64
}

/// The refusals in a log of istiod, from `ACK ERROR` on, without repetition.
#[must_use]
pub fn words(log: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for line in log.lines().filter(|line| line.contains("ACK ERROR")) {
        let word = line.find("ADS:").map_or(line, |at| &line[at..]).trim();
        if !words.iter().any(|seen| seen == word) {
            words.push(word.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-08-27T09:10:11Z\tinfo\tads\tPush debounce stable\n\
        2026-08-27T09:10:12Z\twarn\tdelta\tADS:LDS: ACK ERROR waypoint-1.ns-2 Internal:Error adding listener main_internal: x\n\
        2026-08-27T09:10:13Z\twarn\tdelta\tADS:LDS: ACK ERROR waypoint-1.ns-2 Internal:Error adding listener main_internal: x\n";

    #[test]
    fn words_are_the_proxys_and_are_told_once() {
        assert_eq!(
            words(LOG),
            ["ADS:LDS: ACK ERROR waypoint-1.ns-2 Internal:Error adding listener main_internal: x"]
        );
    }

    #[test]
    fn only_what_is_new_counts() {
        let now = Rejections { total: 2, words: words(LOG) };
        assert!(now.since(&now).none());
        let before = Rejections { total: 1, words: vec![] };
        assert_eq!(now.since(&before), Rejections { total: 1, words: words(LOG) });
        assert!(!now.since(&before).none());
    }

    #[test]
    fn the_counter_is_summed_over_types() {
        let scrape = "pilot_total_xds_rejects{type=\"lds\"} 3\npilot_total_xds_rejects{type=\"cds\"} 1\n";
        assert_eq!(rejects(&Metrics::parse(scrape).unwrap()), 4);
    }
}
