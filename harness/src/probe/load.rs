//! A steady load while something happens: what may become of each request, and how many failed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::try_join;
use waymark_echo::api::{ErrorClass, JobCreated, JobReport, JobRequest, JobState, Sample, SendRequest};

use super::Probe;
use crate::case::{Answer, Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::expect::WaypointId;
use crate::stage::cast::Part;

/// Requests a second.
const RATE: u32 = 40;
/// How long one round sends. Each round ends by itself, so that every request has come to its end and is judged.
const ROUND: Duration = Duration::from_millis(300);
/// Requests in flight, so that slow ones do not hold up the rest.
const IN_FLIGHT: u32 = 24;
/// What a call of the control port may take.
const CALL: Duration = Duration::from_secs(15);
/// The figure that every load leaves.
const FAILED: &str = "requests that failed under load";

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Answered by a backend that saw the client itself.
    Straight,
    /// Answered by a backend that saw a pod of a waypoint that may stand between.
    Through,
    /// Answered by a backend that saw somebody else.
    Elsewhere,
    /// Refused by the waypoint: 403.
    Denied,
    /// It failed, in time.
    Failed,
    /// Its time ran out.
    Hung,
}

/// What may become of the requests of a load; made by [`as_before`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it is told to a probe"]
pub struct Fates {
    straight: bool,
    failed: bool,
    through: Vec<WaypointId>,
}

/// Each request meets what all met before, in time.
pub fn as_before() -> Fates {
    Fates::default()
}

impl Fates {
    /// Or it goes straight to a backend, at L4.
    pub fn or_straight(self) -> Self {
        Self { straight: true, ..self }
    }

    /// Or it goes through this waypoint.
    pub fn or_through(mut self, waypoint: &WaypointId) -> Self {
        self.through.push(waypoint.clone());
        self
    }

    /// Or it fails in time; the rate of failures is reported, not judged.
    pub fn or_failed(self) -> Self {
        Self { failed: true, ..self }
    }

    fn admits(&self, fate: Fate, before: Fate) -> bool {
        fate == before
            || match fate {
                Fate::Straight => self.straight,
                Fate::Through => !self.through.is_empty(),
                Fate::Failed => self.failed,
                Fate::Elsewhere | Fate::Denied | Fate::Hung => false,
            }
    }

    fn words(&self, before: Fate) -> String {
        let mut words = vec![format!("{} as before", before.words())];
        words.extend(self.straight.then(|| Fate::Straight.words().to_owned()));
        words.extend(self.through.iter().map(|waypoint| format!("200 through waypoint {waypoint}")));
        words.extend(self.failed.then(|| "a failure in time".to_owned()));
        words.join(", or ")
    }
}

impl Fate {
    fn of(sample: &Sample, client: &[IpAddr], waypoints: &[IpAddr]) -> Self {
        match (sample.status, sample.peer, sample.error) {
            (Some(200), Some(peer), _) if client.contains(&peer) => Self::Straight,
            (Some(200), Some(peer), _) if waypoints.contains(&peer) => Self::Through,
            (Some(200), ..) => Self::Elsewhere,
            (Some(403), None, _) => Self::Denied,
            (_, _, Some(ErrorClass::Timeout | ErrorClass::ConnectTimeout)) => Self::Hung,
            _ => Self::Failed,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Straight => "200 straight from the client",
            Self::Through => "200 through the waypoint",
            Self::Elsewhere => "200 from a hop that is neither client nor waypoint",
            Self::Denied => "403 from the waypoint",
            Self::Failed => "a failure in time",
            Self::Hung => "no answer in time",
        }
    }
}

/// What was counted so far.
#[derive(Default)]
struct Tally {
    fates: BTreeMap<Fate, u64>,
    failures: BTreeMap<String, u64>,
}

impl Tally {
    fn count(&mut self, fate: Fate, sample: &Sample) {
        *self.fates.entry(fate).or_default() += 1;
        if fate == Fate::Failed {
            let status = sample.status.map(|status| status.to_string());
            let what = status.or(sample.error.map(|class| class.to_string())).unwrap_or_default();
            *self.failures.entry(what).or_default() += 1;
        }
    }

    fn answers(&self) -> Vec<Answer> {
        let fates = self.fates.iter().map(|(fate, count)| (fate.words().to_owned(), *count));
        let failures = self.failures.iter().map(|(what, count)| (format!("of the failures: {what}"), *count));
        let answer = |(text, count)| Answer {
            text,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            ..Answer::default()
        };
        fates.chain(failures).map(answer).collect()
    }
}

impl Probe<'_> {
    /// Keeps sending at a steady rate while something happens. Before it, all requests must meet the same; from then on
    /// each must meet one of these fates. How many failed is reported as a figure.
    ///
    /// # Errors
    /// The first request that met another fate, or what went wrong meanwhile.
    pub async fn during(self, happens: impl Future<Output = Verdict> + Send, fates: Fates) -> Verdict {
        self.ctx.decided([Part::Envoy, Part::Ztunnel]);
        let mut tally = Tally::default();
        let before = self.before(&fates).await?;
        let done = AtomicBool::new(false);
        let act = async {
            let verdict = happens.await;
            done.store(true, Ordering::Relaxed);
            verdict
        };
        let load = async {
            let mut hops = self.hops(&fates).await?;
            while !done.load(Ordering::Relaxed) {
                let samples = self.round().await?;
                hops.extend(self.hops(&fates).await?);
                self.judge(&samples, (&hops, before), &fates, &mut tally)?;
            }
            Ok(())
        };
        let ended = try_join(act, load).await.map(drop);
        let total = tally.fates.values().sum();
        let failed = tally.fates.get(&Fate::Failed).copied().unwrap_or_default();
        self.ctx.figure(FAILED, failed, total);
        self.ctx.journal(|| {
            let answers: Vec<_> =
                tally.answers().iter().map(|answer| format!("{} × {}", answer.count, answer.text)).collect();
            serde_json::json!({"load": self.sent(), "answers": answers})
        });
        ended
    }

    /// What all requests of a round meet before anything happens.
    async fn before(&self, fates: &Fates) -> Result<Fate, Failure> {
        let samples = self.round().await?;
        let hops = self.hops(fates).await?;
        let first = samples.first().ok_or_else(|| Broken::new("a round of a load sent nothing"))?;
        let before = Fate::of(first, self.client()?, &hops);
        self.judge(&samples, (&hops, before), &Fates::default(), &mut Tally::default())?;
        match before {
            Fate::Straight | Fate::Through | Fate::Denied => Ok(before),
            other => Err(Broken::new(format!("before anything happened: {}", other.words())).into()),
        }
    }

    fn judge(
        &self,
        samples: &[Sample],
        (hops, before): (&[IpAddr], Fate),
        fates: &Fates,
        tally: &mut Tally,
    ) -> Verdict {
        let client = self.client()?;
        let mut other = None;
        for sample in samples {
            let fate = Fate::of(sample, client, hops);
            tally.count(fate, sample);
            other = other.or((!fates.admits(fate, before)).then_some(fate));
        }
        let Some(other) = other else { return Ok(()) };
        Err(Unmet {
            want: format!("each request: {}", fates.words(before)),
            got: format!("each request: {}", other.words()),
            sent: Some(self.sent()),
            answers: tally.answers(),
            ..Unmet::default()
        }
        .into())
    }

    fn client(&self) -> Result<&[IpAddr], Broken> {
        Ok(&self.ctx.stage().sender(self.sender)?.pod().addresses)
    }

    /// The addresses of every waypoint pod that may stand between, as of now.
    async fn hops(&self, fates: &Fates) -> Result<Vec<IpAddr>, Broken> {
        let mut hops = Vec::new();
        for waypoint in fates.through.iter().chain([self.ctx.waypoint()]) {
            let pods = self.ctx.stage().observer().waypoint_pods(waypoint).await?;
            hops.extend(pods.into_iter().flat_map(|pod| pod.addresses));
        }
        Ok(hops)
    }

    /// Sends for a while, and waits until every request has come to its end.
    async fn round(&self) -> Result<Vec<Sample>, Broken> {
        let channel = self.ctx.stage().sender(self.sender)?;
        let request = self.request.clone().header("user-agent", self.ctx.next_tag());
        let job = JobRequest::lasting(SendRequest { concurrency: IN_FLIGHT, ..request }, RATE, ROUND);
        let JobCreated { id } = channel.call("POST", "/v1/jobs", Some(&job), CALL).await?;
        let path = format!("/v1/jobs/{id}");
        let look = || async {
            let report: JobReport = channel.call("GET", &path, None::<&()>, CALL).await?;
            Ok::<_, Broken>(match report.state {
                JobState::Running => Look::Unmet(format!("{} requests ended", report.summary.finished)),
                JobState::Done | JobState::Stopped => Look::Met(()),
            })
        };
        self.ctx.stage().converge().until("the end of a round of requests", look).await?;
        let report: JobReport = channel.call("DELETE", &path, None::<&()>, CALL).await?;
        Ok(report.outcomes)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const WAYPOINT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 3));

    fn sample(status: Option<u16>, peer: Option<IpAddr>, error: Option<ErrorClass>) -> Sample {
        Sample { index: 0, start_us: 0, total_us: 0, status, error, version: None, pod: None, peer }
    }

    #[rstest]
    #[case::straight(Some(200), Some(CLIENT), None, Fate::Straight)]
    #[case::through(Some(200), Some(WAYPOINT), None, Fate::Through)]
    #[case::elsewhere(Some(200), Some(OTHER), None, Fate::Elsewhere)]
    #[case::not_a_backend(Some(200), None, None, Fate::Elsewhere)]
    #[case::denied(Some(403), None, None, Fate::Denied)]
    #[case::no_way(Some(503), None, None, Fate::Failed)]
    #[case::reset(None, None, Some(ErrorClass::Reset), Fate::Failed)]
    #[case::hung(None, None, Some(ErrorClass::Timeout), Fate::Hung)]
    fn every_sample_has_a_fate(
        #[case] status: Option<u16>,
        #[case] peer: Option<IpAddr>,
        #[case] error: Option<ErrorClass>,
        #[case] want: Fate,
    ) {
        assert_eq!(Fate::of(&sample(status, peer, error), &[CLIENT], &[WAYPOINT]), want);
    }

    #[test]
    fn a_denial_never_becomes_a_success_through_the_waypoint() {
        let fates = as_before().or_straight().or_failed();
        let admitted = |fate| fates.admits(fate, Fate::Denied);
        assert!([Fate::Denied, Fate::Straight, Fate::Failed].into_iter().all(admitted));
        assert!(![Fate::Through, Fate::Hung, Fate::Elsewhere].into_iter().any(admitted));
        assert!(!as_before().admits(Fate::Failed, Fate::Through));
    }

    #[test]
    fn failures_are_told_apart() {
        let mut tally = Tally::default();
        tally.count(Fate::Failed, &sample(Some(503), None, None));
        tally.count(Fate::Through, &sample(Some(200), Some(WAYPOINT), None));
        let answers: Vec<_> = tally.answers().into_iter().map(|it| (it.count, it.text)).collect();
        assert_eq!(answers[2], (1, "of the failures: 503".to_owned()));
        assert_eq!(answers.len(), 3);
    }
}
