//! Claims about log lines: the waypoint's access log and ztunnel's connections.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use serde_json::Value;

use super::{Applied, Ctx, Service};
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::{Look, Missed};
use crate::observe::access_log::AccessLine;
use crate::observe::ztunnel::ConnectionLine;
use crate::probe::Sent;
use crate::stage::cast::Part;

/// What each access log line of a batch must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaim {
    method: String,
    path: String,
    code: u16,
    flags: String,
    details: String,
    route: String,
    service: Option<String>,
    bytes: Option<(u64, u64)>,
}

impl AccessClaim {
    /// A request with this method and path, answered by the backend with this code by the default route.
    #[must_use]
    pub fn new(method: &str, path: &str, code: u16) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        let (flags, details, route) = ("-".into(), "via_upstream".into(), "default".into());
        Self { method, path, code, flags, details, route, service: None, bytes: None }
    }

    /// Envoy's response flag, such as `NR`.
    #[must_use]
    pub fn flagged(mut self, flag: &str) -> Self {
        flag.clone_into(&mut self.flags);
        self
    }

    /// The Service that was asked for by name, and that a cluster stands for.
    #[must_use]
    pub fn of(mut self, service: &Service) -> Self {
        self.service = Some(service.host());
        self
    }

    /// The lengths of the bodies of request and response.
    #[must_use]
    pub fn bytes(mut self, request: u64, response: u64) -> Self {
        self.bytes = Some((request, response));
        self
    }

    /// The route of a VirtualService by its name.
    #[must_use]
    pub fn by_route(mut self, name: &str) -> Self {
        name.clone_into(&mut self.route);
        self
    }

    /// The reason of the response, such as `route_not_found`; a text that ends in `[` may go on.
    #[must_use]
    pub fn because(mut self, details: &str) -> Self {
        details.clone_into(&mut self.details);
        self
    }

    /// The rule of a policy that denied it, from 0.
    #[must_use]
    pub fn because_of(mut self, policy: &Applied, rule: usize) -> Self {
        self.details = policy.denial(rule);
        self
    }

    /// The rule of a route that matched, from 0.
    #[must_use]
    pub fn by_rule(mut self, route: &Applied, rule: usize) -> Self {
        self.route = format!("{}{rule}", route.route_prefix());
        self
    }

    /// No route matched.
    #[must_use]
    pub fn by_no_route(mut self) -> Self {
        "-".clone_into(&mut self.route);
        self
    }

    fn met_by(&self, line: &AccessLine) -> bool {
        let Self { method, path, code, flags, details, route, service, bytes } = self;
        let because =
            line.details == *details || (details.ends_with('[') && line.details.starts_with(details));
        let of =
            |host: &String| line.authority == *host && line.upstream_cluster.ends_with(&format!("|{host}"));
        because
            && line.method == *method
            && line.path == *path
            && line.code == *code
            && line.flags == *flags
            && line.route == *route
            && service.as_ref().is_none_or(of)
            && bytes.is_none_or(|(received, sent)| (line.bytes_received, line.bytes_sent) == (received, sent))
    }

    fn text(&self) -> String {
        let Self { method, path, code, flags, details, route, service, bytes } = self;
        let mut text = format!("{method} {path} {code} {flags} {details} route `{route}`");
        if let Some(host) = service {
            text += &format!(" authority {host} cluster …|{host}");
        }
        if let Some((received, sent)) = bytes {
            text += &format!(" received {received} sent {sent}");
        }
        text
    }
}

impl Ctx {
    /// The waypoint's access log must hold exactly one line for each of these requests, and each must say this.
    ///
    /// # Errors
    /// The lines that are there instead.
    pub async fn must_log(&self, sent: &Sent, claim: AccessClaim) -> Verdict {
        self.decided([Part::Envoy]);
        let read = || async { self.stage.observer().access_lines(&self.waypoint, &sent.tag).await };
        let complete = || async {
            let lines = read().await?;
            Ok::<_, Broken>(match complete(&lines, sent.count, &claim) {
                Ok(()) => Look::Met(()),
                Err(got) => Look::Unmet(got),
            })
        };
        // A line too many is written with the right one, so that there is nothing to wait for once that is there.
        let judged = self.stage.converge().counted("the waypoint's access log", complete).await.map(drop);
        let want = format!("{} lines of {}", sent.count, claim.text());
        self.verdict(judged, "access log", want, format!("waypoint {}", self.waypoint))
    }

    /// Whatever `quiet` sends must come to leave no line in the waypoint's access log, while what `loud` sends after it leaves one
    /// for each request: a log is written in order.
    ///
    /// # Errors
    /// The lines that are there instead.
    pub async fn must_come_to_log_only<F, G, Quiet, Loud>(&self, loud: G, quiet: F) -> Verdict
    where
        F: Fn() -> Quiet,
        G: Fn() -> Loud,
        Quiet: Future<Output = Result<Sent, Failure>>,
        Loud: Future<Output = Result<Sent, Failure>>,
    {
        self.must_come_to_log(loud, quiet, "no line of what is not logged", |_, left| left == 0).await
    }

    /// Whatever both send must come to leave a line for each request.
    ///
    /// # Errors
    /// The lines that are there instead.
    pub async fn must_come_to_log_both<F, G, Other, Loud>(&self, loud: G, other: F) -> Verdict
    where
        F: Fn() -> Other,
        G: Fn() -> Loud,
        Other: Future<Output = Result<Sent, Failure>>,
        Loud: Future<Output = Result<Sent, Failure>>,
    {
        self.must_come_to_log(loud, other, "lines of both", |sent, left| left == sent as usize).await
    }

    async fn must_come_to_log<F, G, Quiet, Loud>(
        &self,
        loud: G,
        quiet: F,
        want: &str,
        fine: fn(u32, usize) -> bool,
    ) -> Verdict
    where
        F: Fn() -> Quiet,
        G: Fn() -> Loud,
        Quiet: Future<Output = Result<Sent, Failure>>,
        Loud: Future<Output = Result<Sent, Failure>>,
    {
        self.decided([Part::Envoy]);
        let lines =
            |tag: String| async move { self.stage.observer().access_lines(&self.waypoint, &tag).await };
        let look = || async {
            let (quiet, loud) = (quiet().await?, loud().await?);
            let there = || async {
                let there = lines(loud.tag.clone()).await?.len();
                let enough = there == loud.count as usize;
                Ok::<_, Broken>(if enough { Look::Met(()) } else { Look::Unmet(format!("{there} lines")) })
            };
            let written = self.stage.converge().logged("lines of what is logged", there).await;
            written.map_err(|missed| match missed {
                Missed::Broken(broken) => Failure::Broken(broken),
                missed => {
                    self.unlogged(&format!("{} lines of what is logged", loud.count), missed.to_string())
                }
            })?;
            let left = lines(quiet.tag).await.map_err(Failure::Broken)?.len();
            Ok::<_, Failure>(match fine(quiet.count, left) {
                true => Look::Met(()),
                false => Look::Unmet(format!("{left} lines")),
            })
        };
        match self.stage.converge().logged(want, look).await {
            Ok(_) => Ok(()),
            Err(Missed::Broken(failure)) => Err(failure),
            Err(missed) => Err(self.unlogged(want, missed.to_string())),
        }
    }

    fn unlogged(&self, want: &str, got: String) -> Failure {
        let decided_by = Some(format!("waypoint {}", self.waypoint));
        let (want, got) = (format!("access log: {want}"), format!("access log: {got}"));
        Failure::Unmet(Unmet { want, got, decided_by, ..Unmet::default() })
    }

    /// ztunnels must tell of every connection that these requests' client has made to the Service, and that it was the
    /// client's own identity that asked for it.
    ///
    /// # Errors
    /// What ztunnels tell of instead.
    pub async fn must_connect_as_itself(&self, sent: &Sent, service: &Service) -> Verdict {
        self.decided([Part::Ztunnel]);
        let identity = self.identity(sent.sender);
        let host = service.host();
        // Counted, not matched by the client's port: redirection gives a connection another port where two to different
        // Services share one.
        let client = sent.locals.first().map(SocketAddr::ip);
        let made = client.map_or(0..=0, |client| self.connections(client, &host));
        let look = || async {
            let lines =
                self.stage.observer().ztunnel_lines(|line| line.get("dst.service") == Some(&host)).await?;
            Ok::<_, Broken>(match connected(&lines, client, &made, &identity, &host) {
                Ok(()) => Look::Met(()),
                Err(got) => Look::Unmet(got),
            })
        };
        let judged = self.stage.converge().logged("a line of ztunnel", look).await.map(drop);
        let want = format!("{made:?} connections to {host} as {identity}");
        self.verdict(judged, "ztunnel", want, "ztunnel".to_owned())
    }

    /// How many connections this case has made from a client's address to a host: at least those that were answered. Of one
    /// that was not, while the host was new to the mesh, nobody may have known where it went.
    pub(super) fn connections(&self, client: IpAddr, host: &str) -> RangeInclusive<usize> {
        let (exchanges, _) = self.exchanges();
        let made = |it: &&Value| {
            let url =
                it["request"]["url"].as_str().and_then(|url| url.strip_prefix("http://")).unwrap_or_default();
            let local = it["exchange"]["local"].as_str().and_then(|local| local.parse::<SocketAddr>().ok());
            url.split(['/', ':']).next() == Some(host)
                && local.is_some_and(|local| local.ip() == client)
                && it["exchange"]["reused"] == false
        };
        let made: Vec<_> = exchanges.iter().filter(made).collect();
        let answered = made.iter().filter(|it| it["exchange"]["outcome"]["response"].is_object());
        answered.count()..=made.len()
    }

    fn verdict(&self, judged: Result<(), Missed<Broken>>, label: &str, want: String, by: String) -> Verdict {
        let Err(missed) = judged else { return Ok(()) };
        let got = format!("{label}: {}", missed.seen()?);
        let want = format!("{label}: {want}");
        Err(Failure::Unmet(Unmet { want, got, decided_by: Some(by), ..Unmet::default() }))
    }
}

/// Exactly `count` lines, all of which say what is claimed.
fn complete(lines: &[AccessLine], count: u32, claim: &AccessClaim) -> Result<(), String> {
    if let Some(other) = lines.iter().find(|line| !claim.met_by(line)) {
        let AccessLine { method, path, code, flags, details, route, .. } = other;
        let AccessLine { authority, upstream_cluster: cluster, bytes_received, bytes_sent, .. } = other;
        let mut text = format!("{method} {path} {code} {flags} {details} route `{route}`");
        if claim.service.is_some() {
            text += &format!(" authority {authority} cluster {cluster}");
        }
        if claim.bytes.is_some() {
            text += &format!(" received {bytes_received} sent {bytes_sent}");
        }
        return Err(format!("{} lines, one of them {text}", lines.len()));
    }
    if lines.len() == count as usize { Ok(()) } else { Err(format!("{} lines", lines.len())) }
}

/// As many outbound lines from this client to this Service as connections were made, all by this identity.
fn connected(
    lines: &[ConnectionLine],
    client: Option<IpAddr>,
    made: &RangeInclusive<usize>,
    identity: &str,
    host: &str,
) -> Result<(), String> {
    let from = |line: &ConnectionLine| line.get("src.addr")?.parse::<SocketAddr>().ok().map(|from| from.ip());
    let here = lines.iter().filter(|line| !line.inbound() && line.get("dst.service") == Some(host));
    let here = here.filter(|line| from(line) == client);
    let who: Vec<_> = here.map(|line| line.get("src.identity").unwrap_or("nobody")).collect();
    if *made.start() == 0 {
        return Err("no connection of the client is known".to_owned());
    }
    if let Some(stranger) = who.iter().find(|is| **is != identity) {
        return Err(format!("a connection to {host} as {stranger}"));
    }
    if made.contains(&who.len()) { Ok(()) } else { Err(format!("{} connections to {host}", who.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str, route: &str) -> AccessLine {
        let text = format!(
            "[2026-08-27T09:10:11.123Z] \"GET {path} HTTP/1.1\" 200 - via_upstream - \"-\" 0 512 3 2 \"-\" \"waymark/x-1\" \"f2\" \
             \"h\" \"10.1.2.3:8080\" inbound-vip|80|http|h - 10.96.3.4:80 10.1.9.9:41234 - {route}"
        );
        AccessLine::parse(&text).unwrap()
    }

    #[test]
    fn one_line_for_each_request_and_all_alike() {
        let claim = AccessClaim::new("GET", "/a", 200);
        complete(&[line("/a", "default"), line("/a", "default")], 2, &claim).unwrap();
        assert_eq!(complete(&[line("/a", "default")], 2, &claim).unwrap_err(), "1 lines");
        assert_eq!(
            complete(&[line("/a", "default"), line("/a", "default")], 1, &claim).unwrap_err(),
            "2 lines"
        );
        let other = complete(&[line("/a", "-")], 1, &claim).unwrap_err();
        assert_eq!(other, "1 lines, one of them GET /a 200 - via_upstream route `-`");
        complete(&[line("/b", "default")], 1, &claim).unwrap_err();
        complete(&[line("/a", "default")], 1, &claim.clone().bytes(0, 512)).unwrap();
        complete(&[line("/a", "default")], 1, &claim.clone().bytes(512, 0)).unwrap_err();
        complete(&[line("/a", "default")], 1, &claim.flagged("UT")).unwrap_err();
    }

    #[test]
    fn a_connection_counts_with_the_right_identity_only() {
        let line = |address: &str, identity: &str, host: &str, direction: &str| {
            let text = format!(
                "t\tinfo\taccess\tconnection complete\tsrc.addr={address} src.identity=\"{identity}\" dst.service=\"{host}\" \
                 direction=\"{direction}\""
            );
            ConnectionLine::parse(&text).unwrap()
        };
        let client = "10.1.1.2".parse().ok();
        let check = |lines: &[ConnectionLine]| connected(lines, client, &(2..=2), "a", "shop");
        let (one, two) =
            (line("10.1.1.2:4000", "a", "shop", "outbound"), line("10.1.1.2:4001", "a", "shop", "outbound"));
        let stranger = line("10.1.1.2:4001", "b", "shop", "outbound");
        let elsewhere = line("10.1.1.2:4000", "b", "cart", "outbound");
        let inbound = line("10.1.1.2:4001", "a", "shop", "inbound");
        let other = line("10.1.1.3:4000", "b", "shop", "outbound");
        check(&[one.clone(), elsewhere, other, two.clone()]).unwrap();
        check(&[one.clone(), stranger]).unwrap_err();
        check(&[one.clone(), inbound]).unwrap_err();
        check(std::slice::from_ref(&one)).unwrap_err();
        check(&[one.clone(), two.clone(), two]).unwrap_err();
        connected(std::slice::from_ref(&one), client, &(1..=2), "a", "shop").unwrap();
        connected(&[one], client, &(0..=0), "a", "shop").unwrap_err();
    }
}
