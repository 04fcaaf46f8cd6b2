//! Counters of the waypoint.

use std::sync::{Mutex, PoisonError};

use super::{Ctx, Service};
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::observe::metrics::Metrics;
use crate::stage::cast::{Part, Sender};

/// `istio_requests_total` for one client, Service and status, as it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    client: String,
    service: String,
    status: u16,
    value: f64,
}

impl Ctx {
    /// Where the waypoint's count of a client's requests to a Service, answered with this status, stands.
    ///
    /// # Errors
    /// A waypoint that cannot be scraped.
    pub async fn requests_total(
        &self,
        client: Sender,
        service: &Service,
        status: u16,
    ) -> Result<Counter, Broken> {
        let mut counter =
            Counter { client: self.identity(client), service: service.host(), status, value: 0.0 };
        let last = Mutex::new(None);
        let still = || async {
            let now = self.now(&counter).await?;
            let before = last.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
            Ok::<_, Broken>(match before {
                Some(before) if same(before, now) => Look::Met(now),
                _ => Look::Unmet(format!("at {now}")),
            })
        };
        // A request is counted a little after it was answered, so the count must stand still first.
        let what = format!("istio_requests_total of {} at rest", counter.service);
        counter.value = self.stage.converge().logged(&what, still).await?.value;
        Ok(counter)
    }

    /// The count must come to stand exactly `by` above where it stood, and stay there.
    ///
    /// # Errors
    /// The rise that was seen instead.
    pub async fn must_rise(&self, since: &Counter, by: u32) -> Verdict {
        self.decided([Part::Envoy, Part::Adapter]);
        let what = format!("istio_requests_total of {} up by {by}", since.service);
        let want = since.value + f64::from(by);
        let rise = || async { Ok::<_, Broken>(self.now(since).await? - since.value) };
        let exact = || async {
            Ok::<_, Broken>(match rise().await? {
                risen if same(risen, f64::from(by)) => Look::Met(risen),
                risen => Look::Unmet(format!("up by {risen}")),
            })
        };
        let above = || async {
            Ok::<_, Broken>(match self.now(since).await? {
                now if same(now, want) => Look::Unmet("as it should".to_owned()),
                now => Look::Met(format!("up by {}", now - since.value)),
            })
        };
        let converge = self.stage.converge();
        let reached = converge.logged(&what, exact).await.map(drop);
        let stayed = match reached {
            Ok(()) => converge.must_never(&format!("not {what}"), above).await,
            missed => missed,
        };
        let Err(missed) = stayed else { return Ok(()) };
        let Counter { client, service, status, .. } = since;
        Err(Failure::Unmet(Unmet {
            want: format!("istio_requests_total: up by exactly {by}"),
            got: format!("istio_requests_total: {}", missed.seen()?),
            decided_by: Some(format!("waypoint {}", self.waypoint)),
            sent: Some(format!("requests of {client} to {service}, answered {status}")),
            ..Unmet::default()
        }))
    }

    async fn now(&self, counter: &Counter) -> Result<f64, Broken> {
        let metrics = self.stage.observer().waypoint_metrics(&self.waypoint).await?;
        Ok(total(&metrics, counter))
    }
}

fn total(metrics: &Metrics, counter: &Counter) -> f64 {
    let status = counter.status.to_string();
    let labels = [
        ("reporter", "waypoint"),
        ("source_principal", counter.client.as_str()),
        ("destination_service", counter.service.as_str()),
        ("response_code", status.as_str()),
    ];
    metrics.sum("istio_requests_total", &labels)
}

/// Counters are whole numbers, so half a request is no difference.
fn same(left: f64, right: f64) -> bool {
    (left - right).abs() < 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_waypoints_own_count_of_this_client_service_and_status_counts() {
        let series = |reporter: &str, client: &str, service: &str, code: &str, value: u32| {
            format!(
                "istio_requests_total{{reporter=\"{reporter}\",source_principal=\"{client}\",\
                 destination_service=\"{service}\",response_code=\"{code}\"}} {value}\n"
            )
        };
        let text = [
            series("waypoint", "a", "shop", "200", 5),
            series("waypoint", "a", "shop", "403", 7),
            series("waypoint", "a", "cart", "200", 11),
            series("destination", "a", "shop", "200", 13),
            series("waypoint", "b", "shop", "200", 17),
        ];
        let metrics = Metrics::parse(&text.concat()).unwrap();
        let count = |client: &str, service: &str, status| {
            total(&metrics, &Counter { client: client.into(), service: service.into(), status, value: 0.0 })
        };
        assert!(same(count("a", "shop", 200), 5.0));
        assert!(same(count("a", "shop", 403), 7.0));
        assert!(same(count("b", "shop", 200), 17.0));
        assert!(same(count("c", "shop", 200), 0.0));
    }
}
