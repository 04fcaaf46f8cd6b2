//! Connections as ztunnels log and count them, at both of their ends.

use std::ops::RangeInclusive;

use super::{Ctx, Service};
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::Look;
use crate::observe::metrics::Metrics;
use crate::observe::ztunnel::ConnectionLine;
use crate::probe::Sent;
use crate::stage::cast::{Backend, Part};

/// How many connections the ztunnels of both [`ENDS`] know.
type Made = [RangeInclusive<usize>; 2];

/// The ends of a connection, as metrics and as lines name them.
const ENDS: [(&str, &str); 2] = [("source", "outbound"), ("destination", "inbound")];

impl Ctx {
    /// For each connection that a client has made to a backend of this Service, ztunnels must have written one line at the
    /// client and one at the backend, and both must name both identities. The backend's ztunnel may learn of a new Service
    /// later than the client's, and knows it by the time of `sent`.
    ///
    /// # Errors
    /// The lines that are there instead.
    pub async fn must_log_both_ends(&self, sent: &Sent, service: &Service, backend: Backend) -> Verdict {
        self.decided([Part::Ztunnel]);
        let client = sent.sender;
        let made = self.made(sent, service)?;
        let (source, destination) = (self.identity(client), service.identity(backend));
        let look = || async {
            let lines = self
                .stage
                .observer()
                .ztunnel_lines(|line| line.get("dst.service") == Some(&service.host()))
                .await?;
            Ok::<_, Broken>(match logged(&lines, &made, &service.host(), [&source, &destination]) {
                Ok(()) => Look::Met(()),
                Err(got) => Look::Unmet(got),
            })
        };
        let judged = self.stage.converge().counted("lines of ztunnel", look).await;
        let Err(missed) = judged else { return Ok(()) };
        let want = format!("{made:?} lines at each end of {source} to {destination}");
        Err(astray("ztunnel's lines", &want, &missed.seen()?))
    }

    /// ztunnels must have counted each connection that a client has made to a backend of this Service, opened and closed, once
    /// at the client and once at the backend, under both identities, and at least so many bytes of each of its answers; at
    /// the backend as for [`Ctx::must_log_both_ends`].
    ///
    /// # Errors
    /// What they have counted instead.
    pub async fn must_count_connections(
        &self,
        sent: &Sent,
        service: &Service,
        backend: Backend,
        answered: u32,
    ) -> Verdict {
        self.decided([Part::Ztunnel]);
        let client = sent.sender;
        let made = self.made(sent, service)?;
        let (source, destination) = (self.identity(client), service.identity(backend));
        let labels = [
            ("destination_service", service.host()),
            ("destination_service_name", service.whole().name().to_owned()),
            ("destination_service_namespace", service.whole().namespace.clone()),
            ("destination_workload", backend.deployment()),
            ("source_principal", source),
            ("destination_principal", destination),
            ("source_workload", client.word().to_owned()),
            ("request_protocol", "tcp".to_owned()),
            ("response_flags", "-".to_owned()),
            ("connection_security_policy", "mutual_tls".to_owned()),
        ];
        let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let look = || async {
            let now = self.stage.observer().ztunnel_metrics().await?;
            Ok::<_, Broken>(match counted(&now, &made, &labels, answered) {
                Ok(()) => Look::Met(()),
                Err(got) => Look::Unmet(got),
            })
        };
        let judged = self.stage.converge().counted("metrics of ztunnel", look).await;
        let Err(missed) = judged else { return Ok(()) };
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let want = format!("{made:?} opened and closed at each end with {}", labels.join(","));
        Err(astray("ztunnel's metrics", &want, &missed.seen()?))
    }

    /// How many connections a client has made to a Service, as its own ztunnel knows them and as the backend's does.
    fn made(&self, sent: &Sent, service: &Service) -> Result<Made, Broken> {
        let client = sent.sender;
        let pod = self.stage.sender(client)?.pod();
        let made = pod.addresses.iter().map(|address| self.connections(*address, &service.host()));
        let unknown = || Broken::new(format!("no connection of {client} to {} is known", service.host()));
        let made = made.into_iter().find(|made| *made.start() > 0).ok_or_else(unknown)?;
        let known = usize::try_from(sent.count).unwrap_or(usize::MAX)..=*made.end();
        Ok([made, known])
    }
}

fn astray(what: &str, want: &str, got: &str) -> Failure {
    let (want, got) = (format!("{what}: {want}"), format!("{what}: {got}"));
    Failure::Unmet(Unmet { want, got, decided_by: Some("ztunnel".to_owned()), ..Unmet::default() })
}

fn logged(lines: &[ConnectionLine], made: &Made, host: &str, ends: [&str; 2]) -> Result<(), String> {
    for ((_, direction), made) in ENDS.iter().zip(made) {
        let here = lines.iter().filter(|line| line.get("dst.service") == Some(host));
        let here: Vec<_> = here.filter(|line| line.get("direction") == Some(*direction)).collect();
        let named = |line: &ConnectionLine| {
            ["src.identity", "dst.identity"].map(|it| line.get(it).map(str::to_owned))
        };
        if let Some(other) = here
            .iter()
            .map(|line| named(line))
            .find(|it| it.each_ref().map(|it| it.as_deref()) != ends.map(Some))
        {
            let [from, to] = other.map(|identity| identity.unwrap_or_else(|| "nobody".to_owned()));
            return Err(format!("a line {direction} of {from} to {to}"));
        }
        if !made.contains(&here.len()) {
            return Err(format!("{} lines {direction}", here.len()));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "connections of one case are few")]
fn counted(now: &Metrics, made: &Made, labels: &[(&str, &str)], answered: u32) -> Result<(), String> {
    let host = labels.iter().filter(|(name, _)| *name == "destination_service").copied();
    for ((reporter, _), made) in ENDS.iter().zip(made) {
        let (least, most) = (*made.start() as f64, *made.end() as f64);
        let here: Vec<_> = host.clone().chain([("reporter", *reporter)]).collect();
        let right: Vec<_> = labels.iter().copied().chain([("reporter", *reporter)]).collect();
        for metric in ["istio_tcp_connections_opened_total", "istio_tcp_connections_closed_total"] {
            let (all, right) = (now.sum(metric, &here), now.sum(metric, &right));
            if all < least - 0.5 || all > most + 0.5 || (all - right).abs() >= 0.5 {
                return Err(format!("{metric} of {reporter}: {all}, {right} of them with these labels"));
            }
        }
        let sent = now.sum("istio_tcp_sent_bytes_total", &right);
        if sent < f64::from(answered) * least {
            return Err(format!("istio_tcp_sent_bytes_total of {reporter}: {sent}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn line(direction: &str, from: &str, to: &str) -> ConnectionLine {
        let text = format!(
            "t\tinfo\taccess\tconnection complete\tsrc.identity=\"{from}\" dst.service=\"shop\" dst.identity=\"{to}\" \
             direction=\"{direction}\""
        );
        ConnectionLine::parse(&text).unwrap()
    }

    #[rstest]
    #[case(&[line("outbound", "a", "b"), line("inbound", "a", "b")], Ok(()))]
    #[case(&[line("outbound", "a", "b")], Err("0 lines inbound"))]
    #[case(&[line("outbound", "a", "b"), line("inbound", "c", "b")], Err("a line inbound of c to b"))]
    #[case(&[line("outbound", "a", "b"), line("outbound", "a", "b")], Err("2 lines outbound"))]
    fn both_ends_tell(#[case] lines: &[ConnectionLine], #[case] want: Result<(), &str>) {
        assert_eq!(logged(lines, &[1..=1, 1..=1], "shop", ["a", "b"]), want.map_err(str::to_owned));
    }

    fn scrape(principal: &str, sent: u32) -> Metrics {
        let end = |reporter: &str| {
            let labels = format!(
                "{{reporter=\"{reporter}\",destination_service=\"shop\",source_principal=\"{principal}\"}}"
            );
            format!(
                "istio_tcp_connections_opened_total{labels} 2\nistio_tcp_connections_closed_total{labels} 2\n\
                 istio_tcp_sent_bytes_total{labels} {sent}\n"
            )
        };
        Metrics::parse(&(end("source") + &end("destination"))).unwrap()
    }

    #[rstest]
    #[case("a", 90, 2, true)]
    #[case("a", 50, 2, false)]
    #[case("b", 90, 2, false)]
    #[case("a", 90, 3, false)]
    fn both_ends_count(#[case] principal: &str, #[case] sent: u32, #[case] made: usize, #[case] fine: bool) {
        let labels = [("destination_service", "shop"), ("source_principal", "a")];
        assert_eq!(counted(&scrape(principal, sent), &[made..=made, made..=made], &labels, 40).is_ok(), fine);
    }
}
