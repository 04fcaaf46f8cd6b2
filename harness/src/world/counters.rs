//! What a waypoint counts and measures.
//!
//! A case knows how many of its requests went through the waypoint to each of its Services. A metric stands still when it has
//! counted all of them, so that a rise can be told exactly without waiting for something that must not come.

use super::journal::Passed;
use super::{Ctx, Service};
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::observe::metrics::{Metrics, Series};
use crate::stage::cast::{Part, Sender};

/// A metric of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `istio_requests_total`.
    Requests,
    /// `istio_request_duration_milliseconds`.
    Durations,
    /// `istio_request_bytes`.
    RequestBytes,
    /// `istio_response_bytes`.
    ResponseBytes,
}

/// A metric of one Service, as it stood when all requests until then were counted.
#[derive(Debug, Clone)]
pub struct Count {
    metric: Metric,
    service: String,
    at: Metrics,
    /// Of how many requests it had counted, how many had gone through the waypoint for sure.
    stood: (f64, u32),
}

/// The requests that a rise is about, by their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    client: Option<Sender>,
    labels: Vec<Label>,
}

/// A label with the value that it must have, or none at all.
type Label = (String, Option<String>);

/// Requests that were answered with this status, without a response flag.
#[must_use]
pub fn answers(status: u16) -> Answers {
    Answers { client: None, labels: Vec::new() }.labelled("response_code", &status.to_string()).flagged("-")
}

impl Answers {
    /// Sent by this client.
    #[must_use]
    pub fn of(mut self, client: Sender) -> Self {
        self.client = Some(client);
        self
    }

    /// With this response flag of Envoy, such as `UT`.
    #[must_use]
    pub fn flagged(mut self, flag: &str) -> Self {
        self.labels.retain(|(name, _)| name != "response_flags");
        self.labelled("response_flags", flag)
    }

    /// With this value of another label.
    #[must_use]
    pub fn labelled(mut self, name: &str, value: &str) -> Self {
        self.labels.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Without another label.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.labels.push((name.to_owned(), None));
        self
    }
}

impl Metric {
    /// The name of its series.
    fn name(self) -> &'static str {
        match self {
            Self::Requests => "istio_requests_total",
            Self::Durations => "istio_request_duration_milliseconds_count",
            Self::RequestBytes => "istio_request_bytes_count",
            Self::ResponseBytes => "istio_response_bytes_count",
        }
    }

    /// What Envoy calls it, as far as Istio's and the adapter's agree.
    fn pattern(self) -> &'static str {
        match self {
            Self::Requests => "istio.requests_total",
            Self::Durations => "istio.request_duration_milliseconds",
            Self::RequestBytes => "istio.request_bytes",
            Self::ResponseBytes => "istio.response_bytes",
        }
    }

    /// The name of the series that sums up what it measured.
    fn sum_name(self) -> String {
        self.name().replace("_count", "_sum")
    }
}

impl Ctx {
    /// Where a metric of the waypoint stands for a Service, once it has counted every request so far.
    ///
    /// # Errors
    /// A metric that never stands at the number of requests.
    pub async fn count(&self, metric: Metric, service: &Service) -> Result<Count, Failure> {
        let service = service.host();
        let (at, stood) = self.settled(metric, &service, None).await?;
        Ok(Count { metric, service, at, stood })
    }

    /// Since then the metric must have risen by exactly so many requests of this kind, and by no others.
    ///
    /// # Errors
    /// The rise that was seen instead, by labels.
    pub async fn must_rise(&self, since: &Count, by: u32, answers: Answers) -> Verdict {
        self.must_measure(since, by, answers, 0..u32::MAX).await
    }

    /// The same, and each of them must have been measured within this range on average.
    ///
    /// # Errors
    /// As [`Ctx::must_rise`], or the average.
    pub async fn must_measure(
        &self,
        since: &Count,
        by: u32,
        answers: Answers,
        each: std::ops::Range<u32>,
    ) -> Verdict {
        let Count { metric, service, at, stood } = since;
        let (now, _) = self.settled(*metric, service, Some(*stood)).await?;
        let mut labels = answers.labels;
        labels.extend(
            answers.client.map(|client| ("source_principal".to_owned(), Some(self.identity(client)))),
        );
        let rises = rises(metric.name(), service, at, &now);
        let sum = rises_sum(&metric.sum_name(), service, at, &now, &labels);
        judge(&rises, by, &labels).and_then(|()| measured(*metric, sum, by, &each)).map_err(|got| {
            let text = |(name, value): &Label| match value {
                Some(value) => format!("{name}=\"{value}\""),
                None => format!("no {name}"),
            };
            let labels: Vec<_> = labels.iter().map(text).collect();
            self.miscounted(
                format!("{} of {service}: up by exactly {by} with {}", metric.name(), labels.join(",")),
                got,
            )
        })
    }

    /// Whatever `send` sends must come to be counted by one metric and not by another, each time that it is sent.
    ///
    /// # Errors
    /// How far both rise instead.
    pub async fn must_come_to_count<F, Sending>(
        &self,
        service: &Service,
        counted: Metric,
        uncounted: Metric,
        send: F,
    ) -> Verdict
    where
        F: Fn() -> Sending,
        Sending: Future<Output = Result<crate::probe::Sent, Failure>>,
    {
        self.decided([Part::Envoy, Part::Adapter]);
        let host = service.host();
        let what = format!("{} of {host} to stand still", uncounted.name());
        let look = || async {
            let before = self.scrape(uncounted).await?;
            send().await?;
            self.settled(counted, &host, None).await?;
            let now = self.scrape(uncounted).await?;
            let risen: f64 = rises(uncounted.name(), &host, &before, &now).iter().map(|(_, by)| by).sum();
            Ok::<_, Failure>(match same(risen, 0.0) {
                true => Look::Met(()),
                false => Look::Unmet(format!("up by {risen}")),
            })
        };
        match self.stage.converge().logged(&what, look).await {
            Ok(_) => Ok(()),
            Err(crate::converge::Missed::Broken(failure)) => Err(failure),
            Err(missed) => {
                Err(self.miscounted(format!("{} of {host}: up by 0", uncounted.name()), missed.to_string()))
            }
        }
    }

    /// A scrape in which the metric has counted as many requests to this host as went there through the waypoint, and how
    /// many that were. `since` an earlier such scrape it is exact, and has not counted more a moment later.
    async fn settled(
        &self,
        metric: Metric,
        host: &str,
        since: Option<(f64, u32)>,
    ) -> Result<(Metrics, (f64, u32)), Failure> {
        self.decided([Part::Envoy, Part::Adapter]);
        let Passed { sure, unsure } = self.journal.passed(host);
        let (least, most) = match since {
            Some((counted, then)) => (counted + f64::from(sure - then), counted + f64::from(sure - then)),
            None => (f64::from(sure), f64::from(sure + unsure)),
        };
        let name = metric.name();
        let look = || async {
            let now = self.scrape(metric).await?;
            let counted = now.sum(name, &of(host));
            Ok::<_, Broken>(match counted > least - 0.5 && counted < most + 0.5 {
                true => Look::Met((now, (counted, sure))),
                false => Look::Unmet(format!("{counted}")),
            })
        };
        let (what, converge) = (format!("{name} of {host}"), self.stage.converge());
        let settled = match since.is_some() || unsure > 0 {
            true => converge.counted(&what, look).await,
            false => converge.logged(&what, look).await,
        };
        match settled {
            Ok(settled) => Ok(settled.value),
            Err(missed) => {
                let want = format!("{name} of {host}: {least} to {most} requests in all");
                Err(self.miscounted(want, missed.seen()?))
            }
        }
    }

    async fn scrape(&self, metric: Metric) -> Result<Metrics, Broken> {
        self.stage.observer().waypoint_metrics(&self.waypoint, metric.pattern()).await
    }

    fn miscounted(&self, want: String, got: String) -> Failure {
        let decided_by = Some(format!("waypoint {}", self.waypoint));
        let (want, got) = (format!("metric: {want}"), format!("metric: {got}"));
        Failure::Unmet(Unmet { want, got, decided_by, ..Unmet::default() })
    }
}

/// What a waypoint's series of one Service carry.
fn of(host: &str) -> [(&str, &str); 2] {
    [("reporter", "waypoint"), ("destination_service", host)]
}

/// Every series of this name that rose, and how far.
fn rises<'a>(name: &str, host: &str, before: &Metrics, now: &'a Metrics) -> Vec<(&'a Series, f64)> {
    let labels = of(host);
    let rise = |series: &'a Series| {
        let known = before.series(name, &labels).filter(|it| it.labels == series.labels);
        (series, series.value - known.map(|it| it.value).sum::<f64>())
    };
    now.series(name, &labels).map(rise).filter(|(_, by)| !same(*by, 0.0)).collect()
}

fn rises_sum(name: &str, host: &str, before: &Metrics, now: &Metrics, labels: &[Label]) -> f64 {
    let wanted = rises(name, host, before, now);
    wanted.iter().filter(|(series, _)| wrong_label(series, labels).is_none()).map(|(_, by)| by).sum()
}

/// The rise is that of requests with these labels alone.
fn judge(rises: &[(&Series, f64)], by: u32, labels: &[Label]) -> Result<(), String> {
    for (series, risen) in rises {
        if let Some((name, _)) = wrong_label(series, labels) {
            let has = series.labels.get(name).map_or("absent", String::as_str);
            return Err(format!("up by {risen} with {name}=\"{has}\""));
        }
    }
    let risen = rises.iter().map(|(_, by)| by).sum::<f64>() + 0.0;
    if same(risen, f64::from(by)) { Ok(()) } else { Err(format!("up by {risen}")) }
}

fn wrong_label<'l>(series: &Series, labels: &'l [Label]) -> Option<&'l Label> {
    labels.iter().find(|(name, value)| series.labels.get(name) != value.as_ref())
}

/// The average lies in the range; a counter has none.
fn measured(metric: Metric, sum: f64, by: u32, each: &std::ops::Range<u32>) -> Result<(), String> {
    let average = sum / f64::from(by.max(1));
    let within = average >= f64::from(each.start) && average < f64::from(each.end);
    if metric == Metric::Requests || within {
        return Ok(());
    }
    Err(format!("{average} on average, not within {each:?}"))
}

/// Counters are whole numbers, so half a request is no difference.
fn same(left: f64, right: f64) -> bool {
    (left - right).abs() < 0.5
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn scrape(lines: &[(&str, &str, &str, u32)]) -> Metrics {
        let line = |(service, code, flags, value): &(&str, &str, &str, u32)| {
            format!(
                "istio_requests_total{{reporter=\"waypoint\",destination_service=\"{service}\",\
                 response_code=\"{code}\",response_flags=\"{flags}\"}} {value}\n"
            )
        };
        Metrics::parse(&lines.iter().map(line).collect::<String>()).unwrap()
    }

    #[rstest]
    #[case(&[("shop", "200", "-", 3), ("shop", "504", "UT", 4), ("cart", "504", "UT", 9)], Ok(()))]
    #[case(&[("shop", "200", "-", 3), ("shop", "504", "UT", 5)], Err("up by 5"))]
    #[case(&[("shop", "200", "-", 3)], Err("up by 0"))]
    #[case(&[("shop", "200", "-", 3), ("shop", "504", "-", 4)], Err("up by 4 with response_flags=\"-\""))]
    #[case(&[("shop", "200", "-", 4), ("shop", "504", "UT", 4)], Err("up by 1 with response_code=\"200\""))]
    fn only_the_right_series_may_rise(
        #[case] now: &[(&str, &str, &str, u32)],
        #[case] want: Result<(), &str>,
    ) {
        let (before, now) = (scrape(&[("shop", "200", "-", 3)]), scrape(now));
        let rises = rises("istio_requests_total", "shop", &before, &now);
        let judged = judge(&rises, 4, &answers(504).flagged("UT").labels);
        assert_eq!(judged, want.map_err(str::to_owned));
    }

    #[rstest]
    #[case(Metric::Requests, 0.0, true)]
    #[case(Metric::ResponseBytes, 400.0, true)]
    #[case(Metric::ResponseBytes, 398.0, false)]
    #[case(Metric::ResponseBytes, 800.0, false)]
    fn an_average_has_a_range(#[case] metric: Metric, #[case] sum: f64, #[case] fits: bool) {
        assert_eq!(measured(metric, sum, 4, &(100..200)).is_ok(), fits);
    }
}
