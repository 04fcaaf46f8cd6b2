//! Probes in other protocols than HTTP/1.1, and bodies that are long or slow.

use std::collections::BTreeMap;
use std::time::Duration;

use waymark_echo::api::{Connection, Exchange, Protocol};

use super::batch::is_of;
use super::record::Record;
use super::{Client, Probe};
use crate::case::{Broken, Unmet, Verdict};
use crate::converge::Look;
use crate::expect::Expectation;
use crate::stage::cast::Backend;

impl<'t> Client<'t> {
    /// A gRPC call; the last segment of the path is the method: `Echo`, `Repeat`, `Gather` or `Chat`.
    pub fn grpc(self, url: impl Into<String>) -> Probe<'t> {
        self.request("POST", url).speaking(Protocol::Grpc).body("message ")
    }

    /// A WebSocket, which sends each frame when the one before has come back.
    pub fn websocket(self, url: impl Into<String>) -> Probe<'t> {
        self.get(url).speaking(Protocol::WebSocket).body("frame ")
    }

    /// A TCP connection, which sends each line when the one before has come back.
    pub fn tcp(self, url: impl Into<String>) -> Probe<'t> {
        self.get(url).speaking(Protocol::Tcp).body("line ")
    }

    /// The same, but silent until the server has spoken.
    pub fn server_first(self, url: impl Into<String>) -> Probe<'t> {
        self.get(url).speaking(Protocol::ServerFirst).body("line ")
    }
}

impl Probe<'_> {
    /// Speaks HTTP/2 without TLS.
    pub fn h2c(self) -> Self {
        self.speaking(Protocol::H2c)
    }

    /// Speaks HTTP/1.0.
    pub fn http_1_0(self) -> Self {
        self.speaking(Protocol::Http10)
    }

    /// Sends so many messages, or asks method `Repeat` for so many.
    pub fn messages(mut self, count: u32) -> Self {
        self.request.messages = count;
        self
    }

    /// Sends a body of this many bytes, whose digest the backend tells.
    pub fn filled(mut self, length: usize) -> Self {
        self.request.fill = length;
        self
    }

    /// Sends the body in so many pieces with a gap between two, and without saying its length first.
    pub fn in_pieces(mut self, pieces: u32, gap: Duration) -> Self {
        self.request.pieces = pieces;
        self.request.gap_ms = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Adds a request header whose value has so many bytes.
    pub fn long_header(self, name: &str, length: usize) -> Self {
        self.header(name, &"v".repeat(length))
    }

    /// On TCP: sends everything and ends its own direction before it reads.
    pub fn half_closed(mut self) -> Self {
        self.request.half_close = true;
        self
    }

    /// Sends all requests of a batch over one HTTP/2 connection, as many at a time as [`Probe::concurrency`] says.
    pub fn multiplexed(mut self) -> Self {
        self.request.connection = Connection::Shared;
        self
    }

    /// Sends batches over one connection each, one request after the other; every answer must meet `each`, and on one and
    /// the same connection each of these backends must answer, three batches in a row. A proxy may end a connection that it
    /// would drain, so that a batch is lost or its rest goes over another.
    ///
    /// # Errors
    /// Who answered on which connection; or why it could not be judged.
    pub async fn reaches_over_one_connection<const N: usize>(
        mut self,
        backends: [Backend; N],
        each: Expectation,
    ) -> Verdict {
        // Chance misses one of two equal backends in 40 requests once in 10¹¹ batches.
        self.request = self.request.times(40, 1);
        self.request.connection = Connection::Kept;
        let record = Record::default();
        let look = || async {
            let Look::Met((_, exchanges)) = self.look(&each, &record).await? else {
                return Ok(Look::Unmet("an answer that is not as claimed".to_owned()));
            };
            let answered = by_connection(&exchanges, &backends);
            if answered.iter().any(|counts| counts.iter().all(|count| *count > 0)) {
                return Ok(Look::Met(()));
            }
            let got: Vec<_> = answered.iter().map(|counts| format!("{counts:?}")).collect();
            let label = format!("answers of {backends:?} on one connection");
            let (want, got) = (format!("{label}: of each"), format!("{label}: {}", got.join(", then ")));
            record.miss(Unmet { want, got: got.clone(), ..Unmet::default() });
            Ok::<_, Broken>(Look::Unmet(got))
        };
        let what = format!("{}: all on one connection", self.sent());
        match self.ctx.stage().converge().must(&what, look).await {
            Ok(settled) => {
                self.ctx.note(settled.attempts, settled.after);
                Ok(())
            }
            Err(missed) => {
                let seen = missed.seen()?;
                Err(record.unmet(self.sent(), || seen).into())
            }
        }
    }

    fn speaking(mut self, protocol: Protocol) -> Self {
        self.request.protocol = protocol;
        self
    }

    /// The method of a request as it is told: with the protocol where that is not HTTP/1.1.
    pub(super) fn spoken(&self, method: &str) -> String {
        match self.request.protocol {
            Protocol::Http1 => method.to_owned(),
            Protocol::Http10 => format!("HTTP/1.0 {method}"),
            Protocol::H2c => format!("h2c {method}"),
            Protocol::ForeignHbone => format!("HBONE {method}"),
            Protocol::Grpc => "gRPC".to_owned(),
            Protocol::WebSocket => "WebSocket".to_owned(),
            Protocol::Tcp => "TCP".to_owned(),
            Protocol::ServerFirst => "TCP, server first".to_owned(),
        }
    }
}

/// For each connection, how often each backend answered on it.
fn by_connection(exchanges: &[Exchange], backends: &[Backend]) -> Vec<Vec<u64>> {
    let mut connections = BTreeMap::new();
    for exchange in exchanges {
        let own: &mut Vec<Exchange> = connections.entry(exchange.local).or_default();
        own.push(exchange.clone());
    }
    let counts = |own: &Vec<Exchange>| {
        backends.iter().map(|backend| own.iter().filter(|it| is_of(*backend, it)).count() as u64).collect()
    };
    connections.values().map(counts).collect()
}

/// A header's value as it is told: a long one is cut.
pub(super) fn shown(value: &str) -> String {
    const MOST: usize = 200;
    match value.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}… ({} bytes)", &value[..at], value.len()),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(version: &str, port: u16) -> Exchange {
        serde_json::from_value(serde_json::json!({
            "index": 0, "dialled": null, "local": format!("10.1.0.9:{port}"), "reused": false,
            "timings": {"start_us": 0, "resolve_us": null, "connect_us": null, "first_byte_us": null, "total_us": 1},
            "outcome": {"response": {
                "status": 200, "protocol": "HTTP/1.1", "headers": [], "body": "", "body_length": 0,
                "echo": {
                    "echo": "waymark-echo/1", "pod": "p", "namespace": "n", "node": "o", "service_account": "echo",
                    "version": version, "hostname": "p", "port": 8080, "method": "GET", "path": "/", "query": null,
                    "authority": null, "headers": [], "protocol": "HTTP/1.1", "peer": "10.1.0.7:4000",
                    "body": {"length": 0, "sha256": "", "text": null},
                },
            }},
        }))
        .unwrap()
    }

    #[test]
    fn answers_are_counted_by_connection() {
        let answers = [answer("v1", 1), answer("v2", 1), answer("v1", 1), answer("v2", 2)];
        assert_eq!(by_connection(&answers, &[Backend::V1, Backend::V2]), [[2, 1], [0, 1]]);
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shown("canary"), "canary");
        let long = shown(&"é".repeat(300));
        assert!(long.starts_with("éé") && long.ends_with("é… (600 bytes)") && long.chars().count() < 220);
    }
}
