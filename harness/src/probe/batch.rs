//! Batches whose answers differ by the backend that gives them.

use waymark_echo::api::Exchange;

use super::{BATCH_CONCURRENCY, Probe, Record};
use crate::case::{Unmet, Verdict};
use crate::converge::Look;
use crate::expect::{Checked, Expectation, Sight, served_by, status};
use crate::stage::cast::Backend;

impl Probe<'_> {
    /// Sends one batch in which each of these backends must answer, and every answer of a backend must meet its claim.
    ///
    /// # Errors
    /// The answer that does not meet its backend's claim, or the backend that never did; or why it could not be judged.
    pub async fn each_answers<const N: usize>(mut self, claims: [(Backend, Expectation); N]) -> Verdict {
        // Chance misses one of two equal backends in 40 requests once in 10¹¹ batches.
        self.request = self.request.times(40, BATCH_CONCURRENCY);
        let record = Record::default();
        let exchanges = match self.look(&status(200), &record).await? {
            Look::Met((_, exchanges)) => exchanges,
            Look::Unmet(_) => return Err(record.unmet(self.sent(), String::new).into()),
        };
        for (backend, claim) in &claims {
            let sight = self.sight(claim).await?;
            let answers: Vec<_> = exchanges.iter().filter(|exchange| is_of(*backend, exchange)).collect();
            if answers.is_empty() {
                let (want, got) = (format!("answers from {backend}"), format!("none from {backend}"));
                return Err(Unmet { want, got, ..record.unmet(self.sent(), String::new) }.into());
            }
            for exchange in answers {
                if let Checked::Unmet(unmet) = claim.check(exchange, &sight)? {
                    record.miss(unmet);
                    return Err(record.unmet(self.sent(), String::new).into());
                }
            }
        }
        Ok(())
    }
}

pub(super) fn is_of(backend: Backend, exchange: &Exchange) -> bool {
    served_by(backend).check(exchange, &Sight::default()).is_ok_and(|it| it == Checked::Met)
}
