//! Claims about the answers of a batch together: who gave how many.

use waymark_echo::api::Exchange;

use super::{BATCH_CONCURRENCY, Probe, Record};
use crate::case::{Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::expect::binomial::{self, ErrorRates, Part};
use crate::expect::{Checked, Expectation, Sight, served_by, status};
use crate::stage::cast::Backend;

impl Probe<'_> {
    /// Sends one batch, every answer of which must meet `each`, and which must be shared by these weights: an exact
    /// binomial test at the error rates of [`ErrorRates::default`], with a batch large enough for both.
    ///
    /// # Errors
    /// The share that is off, with count and band; or why it could not be judged.
    pub async fn shared_by(self, weights: &[(Backend, u32)], each: Expectation) -> Verdict {
        let parts: Vec<_> = weights
            .iter()
            .map(|(backend, weight)| (backend.to_string(), served_by(*backend), *weight))
            .collect();
        self.shared(&parts, &each).await
    }

    /// The same by the status of the answers.
    ///
    /// # Errors
    /// As [`Probe::shared_by`].
    pub async fn statuses_shared_by(self, weights: &[(u16, u32)], each: Expectation) -> Verdict {
        let parts: Vec<_> =
            weights.iter().map(|(code, weight)| (format!("status {code}"), status(*code), *weight)).collect();
        self.shared(&parts, &each).await
    }

    async fn shared(mut self, weights: &[(String, Expectation, u32)], each: &Expectation) -> Verdict {
        let whole: u32 = weights.iter().map(|(_, _, weight)| weight).sum();
        let shares: Vec<f64> =
            weights.iter().map(|(_, _, weight)| f64::from(*weight) / f64::from(whole.max(1))).collect();
        let rates = ErrorRates::default();
        let total = binomial::batch(&shares, rates);
        self.request = self.request.times(u32::try_from(total).unwrap_or(u32::MAX), BATCH_CONCURRENCY);
        let record = Record::default();
        let (_, exchanges) = match self.look(each, &record).await? {
            Look::Met(met) => met,
            Look::Unmet(_) => return Err(record.unmet(self.sent(), String::new).into()),
        };
        let parts: Vec<Part> = weights
            .iter()
            .zip(&shares)
            .map(|((name, claim, _), share)| Part {
                name: name.to_owned(),
                hits: answers_that(claim, &exchanges),
                share: *share,
            })
            .collect();
        binomial::check(&parts, total, rates).map_err(|why| {
            let want = weights.iter().map(|(name, _, weight)| format!("{name}: {weight} of {whole}"));
            let got = parts.iter().map(|part| format!("{}: {} of {total}", part.name, part.hits));
            Failure::from(Unmet {
                want: want.collect::<Vec<_>>().join("\n"),
                got: got.chain([why]).collect::<Vec<_>>().join("\n"),
                ..record.unmet(self.sent(), String::new)
            })
        })
    }

    /// Sends one batch, every answer of which must meet `each`, and in which each of these backends must answer.
    ///
    /// # Errors
    /// The backend that never did; or why it could not be judged.
    pub async fn reaches<const N: usize>(mut self, backends: [Backend; N], each: Expectation) -> Verdict {
        // Chance misses one of two equal backends in 40 requests once in 10¹¹ batches.
        self.request = self.request.times(40, BATCH_CONCURRENCY);
        let record = Record::default();
        let exchanges = match self.look(&each, &record).await? {
            Look::Met((_, exchanges)) => exchanges,
            Look::Unmet(_) => return Err(record.unmet(self.sent(), String::new).into()),
        };
        match backends.into_iter().find(|backend| answers_that(&served_by(*backend), &exchanges) == 0) {
            None => Ok(()),
            Some(missing) => Err(Unmet {
                want: format!("answers from each of: {backends:?}"),
                got: format!("none from {missing}"),
                ..record.unmet(self.sent(), String::new)
            }
            .into()),
        }
    }
}

fn answers_that(claim: &Expectation, exchanges: &[Exchange]) -> u64 {
    let met =
        |exchange: &&Exchange| claim.check(exchange, &Sight::default()).is_ok_and(|it| it == Checked::Met);
    exchanges.iter().filter(met).count() as u64
}
