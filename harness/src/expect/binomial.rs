//! Was traffic shared by weight? An exact binomial test on one batch, with stated error rates.
//!
//! Each part (one version against the rest) is tested alone, two-sided, at the error rate divided by the number of
//! parts, so the rate that is stated holds for the whole claim.

/// How often the test may be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorRates {
    /// Calling a right share wrong.
    pub false_alarm: f64,
    /// Not seeing a share that is off by [`ErrorRates::off_by`].
    pub miss: f64,
    /// The smallest deviation that must be seen, as a difference of shares.
    pub off_by: f64,
}

impl Default for ErrorRates {
    fn default() -> Self {
        Self { false_alarm: 1e-6, miss: 1e-3, off_by: 0.15 }
    }
}

/// One part of the traffic: how many came, and which share was promised.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name, for the message.
    pub name: String,
    /// How many of the batch it answered.
    pub hits: u64,
    /// The promised share, 0 to 1.
    pub share: f64,
}

/// Tests every part of a batch of `total`; says what is off.
///
/// # Errors
/// A fragment that names the first part outside of its band, the band and the count.
pub fn check(parts: &[Part], total: u64, rates: ErrorRates) -> Result<(), String> {
    let counted: u64 = parts.iter().map(|part| part.hits).sum();
    if counted != total {
        return Err(format!("{counted} of {total} answers came from the named backends"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a route has a handful of backends")]
    let alpha = rates.false_alarm / parts.len().max(1) as f64;
    for part in parts {
        let (low, high) = band(total, part.share, alpha);
        if part.hits < low || part.hits > high {
            let Part { name, hits, share } = part;
            return Err(format!(
                "{name} answered {hits} of {total}; a share of {share:.3} allows {low} to {high}"
            ));
        }
    }
    Ok(())
}

/// The counts of `total` trials that a share allows at the two-sided error rate `alpha`.
#[must_use]
pub fn band(total: u64, share: f64, alpha: f64) -> (u64, u64) {
    let pmf = pmf(total, share);
    let mut low = 0;
    let mut tail = 0.0;
    for (count, probability) in (0..).zip(&pmf) {
        tail += probability;
        if tail > alpha / 2.0 {
            low = count;
            break;
        }
    }
    let mut high = total;
    tail = 0.0;
    for (count, probability) in (0..).zip(&pmf).collect::<Vec<(u64, _)>>().into_iter().rev() {
        tail += probability;
        if tail > alpha / 2.0 {
            high = count;
            break;
        }
    }
    (low, high)
}

/// The smallest batch on which both error rates hold for every one of `shares`.
#[must_use]
pub fn batch(shares: &[f64], rates: ErrorRates) -> u64 {
    #[expect(clippy::cast_precision_loss, reason = "a route has a handful of backends")]
    let alpha = rates.false_alarm / shares.len().max(1) as f64;
    let enough = |total: u64| {
        shares.iter().all(|share| {
            let band = band(total, *share, alpha);
            [share - rates.off_by, share + rates.off_by]
                .into_iter()
                .filter(|off| (0.0..=1.0).contains(off))
                .all(|off| inside(total, off, band) <= rates.miss)
        })
    };
    (1..=200).map(|step| step * 20).find(|total| enough(*total)).unwrap_or(4000)
}

fn inside(total: u64, share: f64, (low, high): (u64, u64)) -> f64 {
    (0..).zip(pmf(total, share)).filter(|(count, _)| (low..=high).contains(count)).map(|(_, p)| p).sum()
}

/// Probabilities of 0 to `total` hits, by logarithms so that no factorial overflows.
#[expect(clippy::cast_precision_loss, reason = "batches are thousands at most")]
fn pmf(total: u64, share: f64) -> Vec<f64> {
    if share <= 0.0 || share >= 1.0 {
        let certain = if share <= 0.0 { 0 } else { total };
        return (0..=total).map(|count| f64::from(u8::from(count == certain))).collect();
    }
    let mut log_choose = 0.0;
    (0..=total)
        .map(|count| {
            if count > 0 {
                log_choose += ((total - count + 1) as f64).ln() - (count as f64).ln();
            }
            (log_choose + count as f64 * share.ln() + (total - count) as f64 * (1.0 - share).ln()).exp()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parts(hits: &[u64], shares: &[f64]) -> Vec<Part> {
        let named = (1..).zip(hits.iter().zip(shares));
        named.map(|(n, (hits, share))| Part { name: format!("v{n}"), hits: *hits, share: *share }).collect()
    }

    #[rstest]
    #[case::fair_coin(&[50, 50], &[0.5, 0.5], true)]
    #[case::edge_of_chance(&[74, 26], &[0.5, 0.5], true)]
    #[case::beyond_chance(&[76, 24], &[0.5, 0.5], false)]
    #[case::levelled(&[50, 50], &[0.9, 0.1], false)]
    #[case::all_to_one(&[100, 0], &[0.5, 0.5], false)]
    #[case::zero_weight_stays_silent(&[100, 0], &[1.0, 0.0], true)]
    #[case::zero_weight_answered_once(&[99, 1], &[1.0, 0.0], false)]
    #[case::three_parts(&[52, 28, 20], &[0.5, 0.3, 0.2], true)]
    #[case::one_part_of_three_starved(&[58, 42, 0], &[0.5, 0.3, 0.2], false)]
    fn bands(#[case] hits: &[u64], #[case] shares: &[f64], #[case] right: bool) {
        let checked = check(&parts(hits, shares), 100, ErrorRates::default());
        assert_eq!(checked.is_ok(), right, "{checked:?}");
    }

    #[test]
    fn an_answer_from_nowhere_is_not_ignored() {
        let unmet = check(&parts(&[50, 49], &[0.5, 0.5]), 100, ErrorRates::default()).unwrap_err();
        insta::assert_snapshot!(unmet, @"99 of 100 answers came from the named backends");
    }

    #[test]
    fn the_message_names_part_count_and_band() {
        let unmet = check(&parts(&[100, 100], &[0.9, 0.1]), 200, ErrorRates::default()).unwrap_err();
        insta::assert_snapshot!(unmet, @"v1 answered 100 of 200; a share of 0.900 allows 156 to 197");
    }

    #[rstest]
    #[case(100, 0.5)]
    #[case(500, 0.9)]
    #[case(2000, 0.01)]
    fn probabilities_add_up_to_one(#[case] total: u64, #[case] share: f64) {
        let sum: f64 = pmf(total, share).iter().sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }

    #[rstest]
    #[case(&[0.9, 0.1])]
    #[case(&[0.5, 0.3, 0.2])]
    fn a_batch_keeps_both_error_rates(#[case] shares: &[f64]) {
        let rates = ErrorRates::default();
        let total = batch(shares, rates);
        #[expect(clippy::cast_precision_loss, reason = "a few parts")]
        let alpha = rates.false_alarm / shares.len() as f64;
        for share in shares {
            let band = band(total, *share, alpha);
            assert!(1.0 - inside(total, *share, band) <= alpha);
            for off in [share - rates.off_by, share + rates.off_by] {
                assert!(!(0.0..=1.0).contains(&off) || inside(total, off, band) <= rates.miss);
            }
        }
        assert!((100..2000).contains(&total), "{total}");
    }
}
