//! Claims about protocols beyond one request and its answer: gRPC, WebSockets, TCP, bodies in pieces, trailers.

use std::fmt;
use std::time::Duration;

use waymark_echo::api::{BodySeen, EchoReport, Exchange, Response, filler};

use super::{Expectation, check::summary};

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    GrpcStatus(u16),
    GrpcMessage(String),
    Trailer(String, String),
    Messages { sent: u32, received: u32 },
    Echoed,
    HeardAs(String),
    BodyArrives(usize),
    BodyReturns(usize),
    BodyTrickles(Duration),
    AnswerTrickles(Duration),
    EndedInOrder(String),
}

impl From<Claim> for Expectation {
    fn from(claim: Claim) -> Self {
        Self { wire: vec![claim], ..Self::default() }
    }
}

/// The call ended in this gRPC status, told by a trailer or, where there is no more than a head, by it.
#[must_use]
pub fn grpc_status(status: u16) -> Expectation {
    Claim::GrpcStatus(status).into()
}

/// The call ended with this gRPC message.
#[must_use]
pub fn grpc_message(text: impl Into<String>) -> Expectation {
    Claim::GrpcMessage(text.into()).into()
}

/// The response ended with this trailer.
#[must_use]
pub fn trailer(name: impl Into<String>, value: impl Into<String>) -> Expectation {
    Claim::Trailer(name.into(), value.into()).into()
}

/// The client sent and received so many messages.
#[must_use]
pub fn messages(sent: u32, received: u32) -> Expectation {
    Claim::Messages { sent, received }.into()
}

/// Every message that the server has to answer came back, in order and unharmed.
#[must_use]
pub fn echoed() -> Expectation {
    Claim::Echoed.into()
}

/// The backend heard the request in this protocol, such as `HTTP/2.0`.
#[must_use]
pub fn heard_as(protocol: impl Into<String>) -> Expectation {
    Claim::HeardAs(protocol.into()).into()
}

/// The whole filler of this length came to the backend.
#[must_use]
pub fn body_arrives(length: usize) -> Expectation {
    Claim::BodyArrives(length).into()
}

/// The whole answer of this length, asked for by `echo-size`, came back.
#[must_use]
pub fn body_returns(length: usize) -> Expectation {
    Claim::BodyReturns(length).into()
}

/// Between the first and the last piece of the request's body at the backend lies at least this time: nobody held it back
/// until it was whole.
#[must_use]
pub fn body_trickles(time: Duration) -> Expectation {
    Claim::BodyTrickles(time).into()
}

/// Between the head and the end of the answer lies at least this time: nobody held it back until it was whole.
#[must_use]
pub fn answer_trickles(time: Duration) -> Expectation {
    Claim::AnswerTrickles(time).into()
}

/// The client ended its own direction after these lines, the backend heard them all and its end, and still was heard.
#[must_use]
pub fn ended_in_order(lines: impl Into<String>) -> Expectation {
    Claim::EndedInOrder(lines.into()).into()
}

impl Claim {
    /// What came, in the shape of the claim, and whether it is as claimed.
    pub(super) fn got(&self, exchange: &Exchange) -> (String, bool) {
        let got = match self {
            Self::HeardAs(_) | Self::BodyArrives(_) | Self::BodyTrickles(_) | Self::EndedInOrder(_) => {
                exchange.echo().map(|echo| self.of_backend(echo))
            }
            Self::AnswerTrickles(least) => exchange.timings.first_byte_us.map(|first| {
                let took = Duration::from_micros(exchange.timings.total_us.saturating_sub(first));
                (format!("{took:?}"), exchange.response().is_some() && took >= *least)
            }),
            _ => exchange.response().map(|response| self.of_response(response)),
        };
        let label = self.label();
        match got {
            Some((text, met)) => (format!("{label}: {text}"), met),
            None => (format!("{label}: nothing, {}", summary(exchange)), false),
        }
    }

    fn of_backend(&self, echo: &EchoReport) -> (String, bool) {
        match self {
            Self::HeardAs(want) => (echo.protocol.clone(), echo.protocol == *want),
            Self::BodyArrives(length) => {
                let whole = BodySeen::of(&filler(*length));
                same_body(echo.body.length, &echo.body.sha256, &whole)
            }
            Self::EndedInOrder(lines) => {
                let whole = BodySeen::of(lines.as_bytes());
                same_body(echo.body.length, &echo.body.sha256, &whole)
            }
            Self::BodyTrickles(least) => {
                let spread = Duration::from_micros(echo.body.spread_us);
                (format!("{spread:?}"), spread >= *least)
            }
            _ => (String::from("not about a backend"), false),
        }
    }

    fn of_response(&self, response: &Response) -> (String, bool) {
        let trailer = |name: &str| response.trailer(name).unwrap_or("absent").to_owned();
        match self {
            Self::GrpcStatus(want) => {
                let status = trailer("grpc-status");
                (status.clone(), status == want.to_string())
            }
            Self::GrpcMessage(want) => {
                let message = trailer("grpc-message");
                (format!("`{message}`"), message == *want)
            }
            Self::Trailer(name, want) => {
                let found = response.trailers.iter().find(|(key, _)| key == name);
                let value = found.map_or("absent", |(_, value)| value);
                (format!("{name}: {value}"), found.is_some() && value == want)
            }
            Self::Messages { sent, received } => match response.messages {
                Some(got) => {
                    let met = (got.sent, got.received) == (*sent, *received);
                    (format!("{} sent, {} received", got.sent, got.received), met)
                }
                None => ("none".to_owned(), false),
            },
            Self::Echoed => match response.messages {
                Some(got) => (if got.alike { "alike" } else { "different" }.to_owned(), got.alike),
                None => ("none".to_owned(), false),
            },
            Self::BodyReturns(length) => {
                let whole = BodySeen::of("x".repeat(*length).as_bytes());
                same_body(
                    response.body_length,
                    response.sha256.as_deref().unwrap_or("an echo report"),
                    &whole,
                )
            }
            _ => (String::from("not about a response"), false),
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::GrpcStatus(_) => "gRPC status",
            Self::GrpcMessage(_) => "gRPC message",
            Self::Trailer(..) => "trailer",
            Self::Messages { .. } => "messages",
            Self::Echoed => "what came back",
            Self::HeardAs(_) => "protocol at the backend",
            Self::BodyArrives(_) => "body at the backend",
            Self::BodyReturns(_) => "body of the answer",
            Self::BodyTrickles(_) => "first to last piece at the backend",
            Self::AnswerTrickles(_) => "head to end of the answer",
            Self::EndedInOrder(_) => "lines until the client's end, at the backend",
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.label())?;
        match self {
            Self::GrpcStatus(status) => write!(f, "{status}"),
            Self::GrpcMessage(text) => write!(f, "`{text}`"),
            Self::Trailer(name, value) => write!(f, "{name}: {value}"),
            Self::Messages { sent, received } => write!(f, "{sent} sent, {received} received"),
            Self::Echoed => f.write_str("alike"),
            Self::HeardAs(text) => f.write_str(text),
            Self::BodyArrives(length) | Self::BodyReturns(length) => write!(f, "{length} bytes, unharmed"),
            Self::BodyTrickles(least) | Self::AnswerTrickles(least) => write!(f, "at least {least:?}"),
            Self::EndedInOrder(lines) => write!(f, "{} bytes, unharmed", lines.len()),
        }
    }
}

fn same_body(length: u64, sha256: &str, whole: &BodySeen) -> (String, bool) {
    let met = length == whole.length && sha256 == whole.sha256;
    let harmed = if met { "unharmed" } else { "not as it was sent" };
    (format!("{length} bytes, {harmed}"), met)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
