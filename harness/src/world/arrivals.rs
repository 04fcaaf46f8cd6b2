//! Requests as the backends saw them arrive.

use futures::future::try_join_all;
use waymark_echo::api::{DEFAULT_CONTROL_PORT, SeenReport};

use super::Ctx;
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::expect::binomial::{self, ErrorRates};
use crate::observe::PodHere;
use crate::probe::Sent;
use crate::stage::cast::{Backend, Part};

impl Ctx {
    /// A backend must have seen exactly so many requests for those that were sent, mirrored and repeated ones included.
    ///
    /// # Errors
    /// How many it saw instead.
    pub async fn must_arrive(&self, backend: Backend, sent: &Sent, times: usize) -> Verdict {
        self.must_come_to_arrive(backend, times, || std::future::ready(Ok(sent.clone()))).await
    }

    /// Whatever `send` sends must come to be seen so many times by a backend, each time that it is sent.
    ///
    /// # Errors
    /// How many it saw instead, or what was wrong with the answers.
    pub async fn must_come_to_arrive<F, Sending>(&self, backend: Backend, times: usize, send: F) -> Verdict
    where
        F: Fn() -> Sending,
        Sending: Future<Output = Result<Sent, Failure>>,
    {
        self.decided([Part::Envoy]);
        let what = format!("{backend} to see {times}");
        let look = || async {
            let sent = match send().await {
                Ok(sent) => sent,
                Err(Failure::Unmet(unmet)) => return Ok(Look::Unmet(unmet.to_string())),
                Err(Failure::Broken(broken)) => return Err(broken),
            };
            let seen = self.arrived(backend, &sent.tag).await?;
            Ok::<_, Broken>(match seen == times {
                true => Look::Met(()),
                false => Look::Unmet(format!("{backend} saw {seen}")),
            })
        };
        let Err(missed) = self.stage.converge().must(&what, look).await else { return Ok(()) };
        Err(Failure::Unmet(Unmet {
            want: format!("arrivals: {backend} saw {times}"),
            got: format!("arrivals: {}", missed.seen()?),
            decided_by: Some(format!("waypoint {}", self.waypoint)),
            ..Unmet::default()
        }))
    }

    /// A backend must have seen this share of the requests that were sent: an exact binomial test at the error rates of
    /// [`ErrorRates::default`], which want some 200 requests.
    ///
    /// # Errors
    /// How many it saw instead.
    pub async fn must_arrive_by_percent(&self, backend: Backend, sent: &Sent, percent: u32) -> Verdict {
        self.decided([Part::Envoy]);
        let (total, share) = (u64::from(sent.count), f64::from(percent) / 100.0);
        let look = || async {
            let hits = self.arrived(backend, &sent.tag).await? as u64;
            let part = |name: String, hits, share| binomial::Part { name, hits, share };
            let rest = part("nobody".to_owned(), total.saturating_sub(hits), 1.0 - share);
            let parts = [part(backend.to_string(), hits, share), rest];
            Ok::<_, Broken>(match binomial::check(&parts, total, ErrorRates::default()) {
                Ok(()) => Look::Met(()),
                Err(why) => Look::Unmet(format!("{backend} saw {hits} of {total}: {why}")),
            })
        };
        let what = format!("{backend} to see {percent} percent");
        let Err(missed) = self.stage.converge().must(&what, look).await else { return Ok(()) };
        Err(Failure::Unmet(Unmet {
            want: format!("arrivals: {backend} saw {percent} percent of {total}"),
            got: format!("arrivals: {}", missed.seen()?),
            decided_by: Some(format!("waypoint {}", self.waypoint)),
            ..Unmet::default()
        }))
    }

    async fn arrived(&self, backend: Backend, tag: &str) -> Result<usize, Broken> {
        let labels = format!("waymark.app={}", backend.deployment());
        let pods = self.stage.observer().pods(&self.place.namespace, &labels).await?;
        let counts = try_join_all(pods.iter().map(|pod| self.arrived_at(pod, tag))).await?;
        Ok(counts.into_iter().sum())
    }

    async fn arrived_at(&self, pod: &PodHere, tag: &str) -> Result<usize, Broken> {
        let path = format!("/v1/seen?user_agent={tag}");
        let text = self.stage.observer().ask(pod, DEFAULT_CONTROL_PORT, &path).await?;
        let report = serde_json::from_str::<SeenReport>(&text);
        let report =
            report.map_err(|why| Broken::with(format!("understand what {} has seen", pod.name), why))?;
        if report.lost > 0 {
            return Err(Broken::new(format!("{} forgot {} older requests", pod.name, report.lost)));
        }
        Ok(report.requests.len())
    }
}
