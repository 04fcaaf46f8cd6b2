//! The one comparator.

use std::time::Duration;

use waymark_echo::api::{EchoReport, ErrorClass, Exchange, Headers, Outcome, Phase, Response};

use super::{Expectation, HeaderClaim, Sight, Way, WaypointId};
use crate::case::{Answer, Broken, Unmet};
use crate::evidence::redact;
use crate::stage::cast::{Backend, Hop};

/// Envoy's body for a request that RBAC refused.
const DENIED_BODY: &str = "RBAC: access denied";

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// All claims hold.
    Met,
    /// Some claim does not.
    Unmet(Unmet),
}

/// One claim in words: what was wanted, what came, and whether they agree.
struct Line {
    want: String,
    got: String,
    met: bool,
}

impl Expectation {
    /// Compares one exchange with every claim.
    ///
    /// # Errors
    /// A claim that cannot be observed with this `sight` is an error, never a pass.
    pub fn check(&self, exchange: &Exchange, sight: &Sight) -> Result<Checked, Broken> {
        let lines = lines(self, exchange, sight)?;
        if lines.iter().all(|line| line.met) {
            return Ok(Checked::Met);
        }
        let join = |text: fn(&Line) -> &str| lines.iter().map(text).collect::<Vec<_>>().join("\n");
        Ok(Checked::Unmet(Unmet {
            want: join(|line| &line.want),
            got: join(|line| &line.got),
            decided_by: decided_by(exchange, sight),
            sent: None,
            answers: vec![Answer { text: summary(exchange), count: 1, ..Answer::default() }],
        }))
    }
}

/// One exchange in a few words, such as `200 from v1` or `reset (head)`.
#[must_use]
pub fn summary(exchange: &Exchange) -> String {
    match &exchange.outcome {
        Outcome::Response(response) => match &response.echo {
            Some(echo) => format!("{} from {}/{}", outcome(response), echo.service_account, echo.version),
            None if response.trailer("grpc-status").is_some() => {
                let message = response.trailer("grpc-message").unwrap_or_default();
                format!("{} `{}`", outcome(response), clip(message))
            }
            None if response.body.is_empty() => format!("{} with no body", response.status),
            None => format!("{} `{}`", response.status, clip(&response.body)),
        },
        Outcome::Error(error) => error.to_string(),
    }
}

/// The status by which a protocol tells what came of an exchange, where it has one.
fn outcome(response: &Response) -> String {
    match response.trailer("grpc-status") {
        Some(status) => format!("gRPC {}", clip(status)),
        None if response.status == 0 => response.protocol.clone(),
        None => response.status.to_string(),
    }
}

/// Each claim in words, for headings and messages.
pub(super) fn want(expectation: &Expectation) -> Vec<String> {
    let Expectation {
        statuses,
        backends,
        ways,
        denials,
        bodies,
        response_headers,
        request_headers,
        at_least,
        at_most,
        details,
        in_time,
        seen,
        wire,
    } = expectation;
    let mut want = Vec::new();
    want.extend(statuses.iter().map(|status| format!("status: {status}")));
    want.extend(backends.iter().map(|backend| format!("served by: {}", account_and_version(*backend))));
    want.extend(ways.iter().map(way_text));
    want.extend(denials.iter().map(|hop| format!("denied by: {hop}")));
    want.extend(bodies.iter().map(|text| format!("body: `{text}`")));
    want.extend(response_headers.iter().map(|claim| header_text("response header", claim)));
    want.extend(request_headers.iter().map(|claim| header_text("request header at the backend", claim)));
    want.extend(at_least.iter().map(|time| format!("took: at least {time:?}")));
    want.extend(at_most.iter().map(|time| format!("took: at most {time:?}")));
    want.extend(details.iter().map(|text| format!("because: {text}")));
    want.extend(in_time.then(|| "hangs: no".to_owned()));
    want.extend(seen.iter().map(super::seen::Seen::want));
    want.extend(wire.iter().map(ToString::to_string));
    want
}

fn lines(expectation: &Expectation, exchange: &Exchange, sight: &Sight) -> Result<Vec<Line>, Broken> {
    let Expectation {
        statuses,
        backends,
        ways,
        denials,
        bodies,
        response_headers,
        request_headers,
        at_least,
        at_most,
        details,
        in_time,
        seen,
        wire,
    } = expectation;
    // The same order as `want`, so that both can be paired.
    let mut got = Vec::new();
    got.extend(statuses.iter().map(|want| status(*want, exchange)));
    got.extend(backends.iter().map(|want| served_by(*want, exchange)));
    for way in ways {
        got.push(went(way, exchange, sight)?);
    }
    for hop in denials {
        got.push(denied(*hop, exchange)?);
    }
    got.extend(bodies.iter().map(|want| body(want, exchange)));
    got.extend(response_headers.iter().map(|want| response_header(want, exchange)));
    got.extend(request_headers.iter().map(|want| request_header(want, exchange)));
    let took = Duration::from_micros(exchange.timings.total_us);
    got.extend(at_least.iter().map(|least| (format!("took: {took:?}"), took >= *least)));
    got.extend(at_most.iter().map(|most| (format!("took: {took:?}"), took <= *most)));
    for want in details {
        got.push(because(want, sight)?);
    }
    got.extend(in_time.then(|| hangs(exchange)));
    got.extend(seen.iter().map(|claim| claim.got(exchange)));
    got.extend(wire.iter().map(|claim| claim.got(exchange)));
    let pairs = want(expectation).into_iter().zip(got);
    Ok(pairs.map(|(want, (got, met))| Line { want, got, met }).collect())
}

type Got = (String, bool);

fn status(want: u16, exchange: &Exchange) -> Got {
    match exchange.status() {
        Some(status) => (format!("status: {status}"), status == want),
        None => (format!("status: none, {}", summary(exchange)), false),
    }
}

fn served_by(want: Backend, exchange: &Exchange) -> Got {
    match exchange.echo() {
        Some(echo) => (
            format!("served by: {}/{}", echo.service_account, echo.version),
            echo.service_account == want.account() && echo.version == want.version(),
        ),
        None => (format!("served by: no backend, {}", summary(exchange)), false),
    }
}

fn went(way: &Way, exchange: &Exchange, sight: &Sight) -> Result<Got, Broken> {
    match (way, exchange.echo()) {
        (Way::Passed(waypoint), Some(echo)) => {
            let met = addresses(waypoint, sight)?.contains(&echo.peer.ip());
            Ok((format!("way: {}", peer_text(echo.peer.ip(), sight)), met))
        }
        (Way::NotPassed(waypoint), Some(echo)) => {
            let met = !addresses(waypoint, sight)?.contains(&echo.peer.ip());
            Ok((format!("way: {}", peer_text(echo.peer.ip(), sight)), met))
        }
        (Way::Direct, Some(echo)) => {
            if sight.client.is_empty() {
                return Err(Broken::new("the address of the client's pod is not known"));
            }
            Ok((format!("way: {}", peer_text(echo.peer.ip(), sight)), sight.client.contains(&echo.peer.ip())))
        }
        (Way::Direct, None) => Ok((format!("way: no backend was reached, {}", summary(exchange)), false)),
        (Way::Passed(waypoint), None) => {
            let lines = logged(waypoint, sight)?;
            Ok(match lines.first() {
                Some(line) => {
                    (format!("way: through waypoint {waypoint} ({} {})", line.code, line.details), true)
                }
                None => {
                    (format!("way: no line of this probe in the access log of waypoint {waypoint}"), false)
                }
            })
        }
        // A request that reached no backend may still have passed the waypoint: only its log could tell, and the absence
        // of a line does not.
        (Way::NotPassed(_), None) => {
            Ok((format!("way: no backend was reached, {}", summary(exchange)), false))
        }
    }
}

fn denied(hop: Hop, exchange: &Exchange) -> Result<Got, Broken> {
    let (what, met) = match (hop, &exchange.outcome) {
        (Hop::Waypoint, Outcome::Response(response)) => (
            summary(exchange),
            response.status == 403 && response.echo.is_none() && response.body.trim() == DENIED_BODY,
        ),
        (Hop::Ztunnel, Outcome::Response(response)) if response.status == 503 && response.echo.is_none() => {
            return Err(Broken::new("a 503 does not tell whether a ztunnel refused or something is down"));
        }
        (Hop::Ztunnel, Outcome::Response(response)) => {
            (summary(exchange), response.status == 401 && response.echo.is_none())
        }
        (Hop::Ztunnel, Outcome::Error(error)) => {
            (summary(exchange), matches!(error.class, ErrorClass::Reset | ErrorClass::Eof))
        }
        (Hop::Handshake, Outcome::Error(error)) => {
            let plain = matches!(error.class, ErrorClass::Reset | ErrorClass::Eof | ErrorClass::Protocol);
            (summary(exchange), error.class == ErrorClass::Tls || (plain && error.phase == Phase::Head))
        }
        (Hop::Waypoint, Outcome::Error(_)) | (Hop::Handshake, Outcome::Response(_)) => {
            (summary(exchange), false)
        }
    };
    let got = if met { format!("denied by: {hop}") } else { format!("denied by: nobody known, {what}") };
    Ok((got, met))
}

fn hangs(exchange: &Exchange) -> Got {
    let hung = |class| matches!(class, ErrorClass::Timeout | ErrorClass::ConnectTimeout);
    match exchange.error() {
        Some(error) if hung(error.class) => (format!("hangs: yes, {error}"), false),
        _ => ("hangs: no".to_owned(), true),
    }
}

fn body(want: &str, exchange: &Exchange) -> Got {
    match &exchange.outcome {
        Outcome::Response(response) if response.echo.is_some() => ("body: an echo report".to_owned(), false),
        Outcome::Response(response) => (format!("body: `{}`", clip(&response.body)), response.body == want),
        Outcome::Error(_) => (format!("body: none, {}", summary(exchange)), false),
    }
}

fn response_header(want: &HeaderClaim, exchange: &Exchange) -> Got {
    match exchange.response() {
        Some(response) => compare_header("response header", want, &response.headers),
        None => (format!("response header `{}`: no response, {}", want.name, summary(exchange)), false),
    }
}

fn request_header(want: &HeaderClaim, exchange: &Exchange) -> Got {
    let label = "request header at the backend";
    match exchange.echo() {
        Some(echo) => compare_header(label, want, &with_pseudo_headers(echo)),
        None => (format!("{label} `{}`: no backend, {}", want.name, summary(exchange)), false),
    }
}

fn compare_header(label: &str, want: &HeaderClaim, headers: &Headers) -> Got {
    let name = want.name.to_ascii_lowercase();
    let values: Vec<_> =
        headers.iter().filter(|(key, _)| *key == name).map(|(_, value)| value.as_str()).collect();
    let value = (!values.is_empty()).then(|| values.join(","));
    let has = HeaderClaim { name: want.name.clone(), value };
    (header_text(label, &has), has == *want)
}

/// The headers that a backend saw, with `:authority` and `:path`.
fn with_pseudo_headers(echo: &EchoReport) -> Headers {
    let query = echo.query.iter().map(|query| format!("?{query}"));
    let path = std::iter::once(echo.path.clone()).chain(query).collect();
    let authority = echo.authority.iter().map(|authority| (":authority".to_owned(), authority.clone()));
    let pseudo = std::iter::once((":path".to_owned(), path)).chain(authority);
    pseudo.chain(echo.headers.iter().cloned()).collect()
}

fn because(want: &str, sight: &Sight) -> Result<Got, Broken> {
    let Some(lines) = &sight.lines else {
        return Err(Broken::new(
            "no waypoint's access log was read, so the reason of a response is not known",
        ));
    };
    Ok(match lines.values().flatten().next() {
        Some(line) => {
            let open_ended = want.ends_with(['[', '_', '{']) && line.details.starts_with(want);
            (format!("because: {}", line.details), line.details == want || open_ended)
        }
        None => ("because: no line of this probe in any waypoint's access log".to_owned(), false),
    })
}

fn decided_by(exchange: &Exchange, sight: &Sight) -> Option<String> {
    if let Some(echo) = exchange.echo() {
        let way = peer_text(echo.peer.ip(), sight);
        return Some(format!("backend {}/{}, reached {way}", echo.service_account, echo.version));
    }
    let logged = sight.lines.iter().flatten();
    let logged = logged.filter_map(|(waypoint, lines)| Some((waypoint, lines.first()?))).next();
    Some(match (logged, &exchange.outcome) {
        (Some((waypoint, line)), _) => {
            format!("waypoint {waypoint}: {} {} {}", line.code, line.flags, line.details)
        }
        (None, Outcome::Response(_)) => "a proxy on the way: no backend answered".to_owned(),
        (None, Outcome::Error(_)) => "no hop answered".to_owned(),
    })
}

fn addresses<'a>(waypoint: &WaypointId, sight: &'a Sight) -> Result<&'a [std::net::IpAddr], Broken> {
    match sight.waypoints.get(waypoint) {
        Some(addresses) if !addresses.is_empty() => Ok(addresses),
        _ => Err(Broken::new(format!(
            "waypoint {waypoint} has no pod address, so passing it cannot be observed"
        ))),
    }
}

fn logged<'a>(
    waypoint: &WaypointId,
    sight: &'a Sight,
) -> Result<&'a [crate::observe::access_log::AccessLine], Broken> {
    match &sight.lines {
        Some(lines) => Ok(lines.get(waypoint).map(Vec::as_slice).unwrap_or_default()),
        None => Err(Broken::new(format!("the access log of waypoint {waypoint} was not read"))),
    }
}

fn peer_text(peer: std::net::IpAddr, sight: &Sight) -> String {
    let waypoint = sight.waypoints.iter().find(|(_, addresses)| addresses.contains(&peer));
    match waypoint {
        Some((waypoint, _)) => format!("through waypoint {waypoint}"),
        None if sight.client.contains(&peer) => "straight from the client".to_owned(),
        None => format!("from {peer}, which is no pod of the waypoint or client"),
    }
}

fn way_text(way: &Way) -> String {
    match way {
        Way::Passed(waypoint) => format!("way: through waypoint {waypoint}"),
        Way::NotPassed(waypoint) => format!("way: not through waypoint {waypoint}"),
        Way::Direct => "way: straight from the client".to_owned(),
    }
}

fn header_text(label: &str, claim: &HeaderClaim) -> String {
    match &claim.value {
        Some(value) => {
            // A token must not reach a report.
            let line = format!("{}: {value}", claim.name);
            let value = redact::text(&line);
            let value = value.strip_prefix(&format!("{}: ", claim.name)).unwrap_or(redact::MASK).to_owned();
            format!("{label} `{}`: `{value}`", claim.name)
        }
        None => format!("{label} `{}`: absent", claim.name),
    }
}

fn account_and_version(backend: Backend) -> String {
    format!("{}/{}", backend.account(), backend.version())
}

fn clip(text: &str) -> String {
    const MOST: usize = 120;
    let text = text.trim();
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
