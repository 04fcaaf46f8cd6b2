//! Claims about how a batch spreads over backends or answers, which settle like [`Probe::must`].

use waymark_echo::api::Exchange;

use super::{BATCH_CONCURRENCY, Probe, Record};
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::{Look, Missed};
use crate::expect::{Checked, Expectation, Sight, served_by, summary};
use crate::stage::cast::Backend;

/// How many values [`Probe::must_stick`] tries: chance keeps them all at one of two equal backends once in 32 768.
const VALUES: u32 = 16;

impl Probe<'_> {
    /// Batches must come to be answered by all of these backends, and every answer must meet `each`.
    ///
    /// # Errors
    /// The backend that never answered; or why it could not be judged.
    pub async fn must_reach<const N: usize>(self, backends: [Backend; N], each: Expectation) -> Verdict {
        let record = Record::default();
        let look = || async {
            let exchanges = match self.look(&each, &record).await? {
                Look::Met((_, exchanges)) => exchanges,
                Look::Unmet(why) => return Ok(Look::Unmet(why)),
            };
            let missing = backends.into_iter().find(|backend| count_of(*backend, &exchanges) == 0);
            Ok(match missing {
                None => Look::Met(()),
                Some(backend) => Look::Unmet(format!("no answer from {backend}")),
            })
        };
        let want = format!("answers from each of: {}", names(&backends));
        let settled = self.ctx.stage().converge().must(&want, look).await;
        self.judged(want, settled.map(drop), &record)
    }

    /// Of a batch under load, every answer of which must meet `each`, `backend` must come to give three of five or more.
    ///
    /// # Errors
    /// How many it gave; or why it could not be judged.
    pub async fn must_prefer(mut self, backend: Backend, each: Expectation) -> Verdict {
        // Chance lets a backend that gives half of the answers pass once in 35 batches, and a streak of three once in 40 000.
        self.request = self.request.times(100, BATCH_CONCURRENCY);
        let record = Record::default();
        let look = || async {
            let exchanges = match self.look(&each, &record).await? {
                Look::Met((_, exchanges)) => exchanges,
                Look::Unmet(why) => return Ok(Look::Unmet(why)),
            };
            let (gave, all) = (count_of(backend, &exchanges), exchanges.len());
            Ok(match gave * 5 >= all * 3 {
                true => Look::Met(()),
                false => Look::Unmet(format!("answers from {backend}: {gave} of {all}")),
            })
        };
        let want = format!("answers from {backend}: three of five or more");
        let settled = self.ctx.stage().converge().must(&want, look).await;
        self.judged(want, settled.map(drop), &record)
    }

    /// Requests that carry the same value must come to be answered by the same backend, and those of many values by all of
    /// these backends; every answer must meet `each`. `carry` puts a value on a request.
    ///
    /// # Errors
    /// The value that was answered by several backends, or the backend that never answered; or why it could not be judged.
    pub async fn must_stick<const N: usize>(
        self,
        carry: impl Fn(Self, &str) -> Self,
        backends: [Backend; N],
        each: Expectation,
    ) -> Verdict {
        let record = Record::default();
        let look = || async {
            let mut reached = Vec::new();
            for value in (0..VALUES).map(|number| format!("user-{number}")) {
                let probe = carry(self.again(), &value).count(3);
                let exchanges = match probe.look(&each, &record).await? {
                    Look::Met((_, exchanges)) => exchanges,
                    Look::Unmet(why) => return Ok(Look::Unmet(why)),
                };
                let by: Vec<_> =
                    backends.into_iter().filter(|backend| count_of(*backend, &exchanges) > 0).collect();
                if by.len() != 1 {
                    return Ok(Look::Unmet(format!("{value} is answered by: {}", names(&by))));
                }
                reached.extend(by);
            }
            Ok(match backends.iter().find(|backend| !reached.contains(backend)) {
                None => Look::Met(()),
                Some(missing) => Look::Unmet(format!("no value is answered by {missing}")),
            })
        };
        let want = format!("one backend for each value, all values together: {}", names(&backends));
        let settled = self.ctx.stage().converge().must(&want, look).await;
        self.judged(want, settled.map(drop), &record)
    }

    /// Batches must come to split into answers that meet `fine` and answers that meet `refused`, some of each and no others.
    ///
    /// # Errors
    /// How they split instead; or why it could not be judged.
    pub async fn must_split(self, fine: Expectation, refused: Expectation) -> Verdict {
        let record = Record::default();
        self.ctx.decided(fine.parts().chain(refused.parts()));
        let look = || async {
            let (tag, exchanges) = match self.look(&Expectation::default(), &record).await? {
                Look::Met(met) => met,
                Look::Unmet(why) => return Ok(Look::Unmet(why)),
            };
            let sight = self.sight(&fine).await?;
            let meets = |claim: &Expectation, exchange: &Exchange| {
                Ok::<_, Broken>(claim.without_log(exchange).check(exchange, &sight)? == Checked::Met)
            };
            let (mut answered, mut turned_away) = (Vec::new(), Vec::new());
            for exchange in exchanges {
                if meets(&fine, &exchange)? {
                    answered.push(exchange);
                } else if meets(&refused, &exchange)? {
                    turned_away.push(exchange);
                } else {
                    return Ok(Look::Unmet(summary(&exchange)));
                }
            }
            Ok(match answered.is_empty() || turned_away.is_empty() {
                false => Look::Met((tag, answered, turned_away)),
                true => Look::Unmet(format!("{} fine, {} refused", answered.len(), turned_away.len())),
            })
        };
        let want = format!("some: {fine}\nsome: {refused}");
        match self.ctx.stage().converge().must(&want, look).await {
            Ok(settled) => {
                let (tag, answered, turned_away) = settled.value;
                self.confirm(&fine, &tag, &answered, &record).await?;
                self.confirm(&refused, &tag, &turned_away, &record).await
            }
            Err(missed) => self.judged(want, Err(missed), &record),
        }
    }

    fn judged(&self, want: String, settled: Result<(), Missed<Broken>>, record: &Record) -> Verdict {
        let Err(missed) = settled else { return Ok(()) };
        let got = missed.seen()?;
        Err(Failure::from(Unmet { want, got, ..record.unmet(self.sent(), String::new) }))
    }
}

fn count_of(backend: Backend, exchanges: &[Exchange]) -> usize {
    let claim = served_by(backend);
    let met =
        |exchange: &&Exchange| claim.check(exchange, &Sight::default()).is_ok_and(|it| it == Checked::Met);
    exchanges.iter().filter(met).count()
}

fn names(backends: &[Backend]) -> String {
    let names: Vec<_> = backends.iter().map(ToString::to_string).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
