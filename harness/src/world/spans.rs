//! Traces: what the backends were told of them, and the spans that the mesh's OTLP provider got.

use waymark_echo::api::{DEFAULT_CONTROL_PORT, SpanSeen, SpansReport};

use super::Ctx;
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::{Look, Missed};
use crate::engine::entropy;
use crate::probe::Sent;
use crate::stage::cast::Part;
use crate::stage::providers;

/// A trace that a client has begun: [W3C trace context](https://www.w3.org/TR/trace-context/).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    trace_id: String,
    span_id: String,
    sampled: bool,
}

/// What a `traceparent` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceParent {
    trace_id: String,
    span_id: String,
    sampled: bool,
}

/// What each span of a batch must say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanClaim {
    attributes: Vec<(String, String)>,
}

/// A span of a server.
const SERVER: i32 = 2;

/// Any span of the waypoint.
#[must_use]
pub fn span() -> SpanClaim {
    SpanClaim::default()
}

impl SpanClaim {
    /// With this attribute.
    #[must_use]
    pub fn says(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }
}

impl Trace {
    /// The same, which its client has decided not to sample.
    #[must_use]
    pub fn unsampled(self) -> Self {
        Self { sampled: false, ..self }
    }

    /// The header that carries it.
    pub(crate) fn header(&self) -> String {
        format!("00-{}-{}-0{}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

impl TraceParent {
    /// Reads the header.
    fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let ("00", trace_id, span_id) = (parts.next()?, parts.next()?, parts.next()?) else { return None };
        let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
        let valid = (trace_id.len(), span_id.len()) == (32, 16) && parts.next().is_none();
        valid.then(|| Self {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
            sampled: flags & 1 == 1,
        })
    }
}

impl Ctx {
    /// A new trace, which its client samples.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let digits = || format!("{:016x}", entropy() | 1);
        Trace { trace_id: digits() + &digits(), span_id: digits(), sampled: true }
    }

    /// Whatever `send` sends must come to reach its backends as a part of a span of the waypoint: in the client's trace if
    /// there is one, under another parent. That is how tracing that was turned on shows. Yields the last batch.
    ///
    /// # Errors
    /// What the backends were told instead.
    pub async fn must_come_to_trace<F, Sending>(&self, send: F) -> Result<Sent, Failure>
    where
        F: Fn() -> Sending,
        Sending: Future<Output = Result<Sent, Failure>>,
    {
        self.decided([Part::Envoy]);
        self.must_come(send, "a span of the waypoint as parent at the backend", takes_part).await
    }

    /// Whatever `send` sends must come to reach its backends with the `traceparent` that its client sent, or none: nobody on
    /// the way takes part in the trace.
    ///
    /// # Errors
    /// What the backends were told instead.
    pub async fn must_come_untraced<F, Sending>(&self, send: F) -> Result<Sent, Failure>
    where
        F: Fn() -> Sending,
        Sending: Future<Output = Result<Sent, Failure>>,
    {
        self.decided([Part::Envoy]);
        self.must_come(send, "the client's own traceparent at the backend", untouched).await
    }

    async fn must_come<F, Sending>(
        &self,
        send: F,
        want: &str,
        check: fn(&Sent) -> Result<(), String>,
    ) -> Result<Sent, Failure>
    where
        F: Fn() -> Sending,
        Sending: Future<Output = Result<Sent, Failure>>,
    {
        let look = || async {
            let sent = send().await?;
            Ok::<_, Failure>(match check(&sent) {
                Ok(()) => Look::Met(sent),
                Err(got) => Look::Unmet(got),
            })
        };
        match self.stage.converge().must(want, look).await {
            Ok(settled) => Ok(settled.value),
            Err(Missed::Broken(failure)) => Err(failure),
            Err(missed) => Err(self.untold(want.to_owned(), missed.to_string())),
        }
    }

    /// The provider must have got exactly one span of the waypoint for each of these requests: the one that the backend was
    /// told of, whose parent is the client's span if it had one.
    ///
    /// # Errors
    /// The spans that came instead.
    pub async fn must_span(&self, sent: &Sent, claim: SpanClaim) -> Verdict {
        let look = || async {
            let spans = self.spans(sent).await?;
            Ok::<_, Broken>(match complete(&spans, sent, &claim) {
                Ok(()) => Look::Met(()),
                Err(got) => Look::Unmet(got),
            })
        };
        let Err(missed) = self.stage.converge().logged("spans", look).await else { return Ok(()) };
        let said: Vec<_> =
            claim.attributes.iter().map(|(name, value)| format!(" {name}=`{value}`")).collect();
        Err(self.untold(format!("{} spans{}", sent.count, said.concat()), missed.seen()?))
    }

    /// The provider must not get a span for any of these requests.
    ///
    /// # Errors
    /// The spans that came.
    pub async fn must_not_span(&self, sent: &Sent) -> Verdict {
        let look = || async {
            let spans = self.spans(sent).await?;
            Ok::<_, Broken>(match spans.len() {
                0 => Look::Unmet("none".to_owned()),
                some => Look::Met(format!("{some} spans")),
            })
        };
        let Err(missed) = self.stage.converge().must_never("a span", look).await else { return Ok(()) };
        Err(self.untold("no span".to_owned(), missed.seen()?))
    }

    async fn spans(&self, sent: &Sent) -> Result<Vec<SpanSeen>, Broken> {
        let traces = parents(sent).map(|parent| parent.trace_id);
        let mut traces: Vec<_> = traces.chain(sent.trace.iter().map(|it| it.trace_id.clone())).collect();
        traces.sort();
        traces.dedup();
        let path = format!("/v1/spans?trace_id={}", traces.join(","));
        let pod = self.stage.provider().await?;
        let text = self.stage.observer().ask(&pod, DEFAULT_CONTROL_PORT, &path).await?;
        let report = serde_json::from_str::<SpansReport>(&text);
        Ok(report.map_err(|why| Broken::with(format!("understand the spans of {}", pod.name), why))?.spans)
    }

    fn untold(&self, want: String, got: String) -> Failure {
        let decided_by = Some(format!("waypoint {}", self.waypoint));
        let (want, got) = (format!("trace: {want}"), format!("trace: {got}"));
        let sent = Some(format!("to provider {}", providers::OTLP));
        Failure::Unmet(Unmet { want, got, decided_by, sent, ..Unmet::default() })
    }
}

/// What the backends were told, as far as it can be read.
fn parents(sent: &Sent) -> impl Iterator<Item = TraceParent> {
    sent.traceparents.iter().flatten().filter_map(|header| TraceParent::parse(header))
}

fn takes_part(sent: &Sent) -> Result<(), String> {
    let told: Vec<_> = parents(sent).collect();
    if told.len() != sent.count as usize {
        return Err(format!("{} of {} backends were told of a trace", told.len(), sent.count));
    }
    let Some(trace) = &sent.trace else { return Ok(()) };
    match told.iter().find(|it| it.trace_id != trace.trace_id || it.span_id == trace.span_id) {
        Some(other) if other.trace_id != trace.trace_id => Err("another trace".to_owned()),
        Some(_) => Err("the client's own span as parent".to_owned()),
        None => Ok(()),
    }
}

fn untouched(sent: &Sent) -> Result<(), String> {
    let own = sent.trace.as_ref().map(Trace::header);
    match sent.traceparents.iter().find(|told| **told != own) {
        Some(other) => Err(other.as_deref().unwrap_or("no traceparent").to_owned()),
        None => Ok(()),
    }
}

/// One span for each request, each as claimed.
fn complete(spans: &[SpanSeen], sent: &Sent, claim: &SpanClaim) -> Result<(), String> {
    let parent = sent.trace.as_ref().map_or("", |trace| trace.span_id.as_str());
    let mut told = parents(sent);
    if told.any(|told| !spans.iter().any(|it| it.trace_id == told.trace_id && it.span_id == told.span_id)) {
        return Err(format!("{} spans, one is missing", spans.len()));
    }
    for span in spans {
        if span.parent_span_id != parent {
            return Err(format!("a span under parent `{}`, not `{parent}`", span.parent_span_id));
        }
        if span.kind != SERVER || span.end_ns < span.start_ns {
            return Err(format!("a span of kind {} that took {} ns", span.kind, span.end_ns - span.start_ns));
        }
        if let Some((name, _)) =
            claim.attributes.iter().find(|(name, value)| span.attributes.get(name) != Some(value))
        {
            let has = span.attributes.get(name).map_or("absent".to_owned(), |value| format!("`{value}`"));
            return Err(format!("a span with {name} {has}"));
        }
    }
    if spans.len() == sent.count as usize { Ok(()) } else { Err(format!("{} spans", spans.len())) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::stage::cast::Sender;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const CLIENT: &str = "b7ad6b7169203331";
    const WAYPOINT: &str = "00f067aa0ba902b7";

    fn sent(told: Option<&str>) -> Sent {
        let trace = Trace { trace_id: TRACE.into(), span_id: CLIENT.into(), sampled: true };
        Sent {
            tag: "t".into(),
            count: 1,
            sender: Sender::ClientA,
            locals: vec![],
            trace: Some(trace),
            traceparents: vec![told.map(|span| format!("00-{TRACE}-{span}-01"))],
        }
    }

    fn seen(parent: &str, code: &str) -> SpanSeen {
        SpanSeen {
            trace_id: TRACE.into(),
            span_id: WAYPOINT.into(),
            parent_span_id: parent.into(),
            kind: SERVER,
            attributes: [("http.status_code".to_owned(), code.to_owned())].into(),
            ..SpanSeen::default()
        }
    }

    #[rstest]
    #[case(None, Err("0 of 1 backends were told of a trace"))]
    #[case(Some(CLIENT), Err("the client's own span as parent"))]
    #[case(Some(WAYPOINT), Ok(()))]
    fn a_waypoint_takes_part_by_a_span_of_its_own(
        #[case] told: Option<&str>,
        #[case] want: Result<(), &str>,
    ) {
        assert_eq!(takes_part(&sent(told)), want.map_err(str::to_owned));
        assert_eq!(untouched(&sent(told)).is_ok(), told == Some(CLIENT));
    }

    #[rstest]
    #[case(&[], Err("0 spans, one is missing"))]
    #[case(&[seen(CLIENT, "200")], Ok(()))]
    #[case(&[seen(CLIENT, "200"), seen(CLIENT, "200")], Err("2 spans"))]
    #[case(&[seen("", "200")], Err("a span under parent ``, not `b7ad6b7169203331`"))]
    #[case(&[seen(CLIENT, "503")], Err("a span with http.status_code `503`"))]
    fn one_span_for_each_request(#[case] spans: &[SpanSeen], #[case] want: Result<(), &str>) {
        let claim = span().says("http.status_code", "200");
        assert_eq!(complete(spans, &sent(Some(WAYPOINT)), &claim), want.map_err(str::to_owned));
    }

    #[rstest]
    #[case("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", Some(false))]
    #[case("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Some(true))]
    #[case("00-0af7-b7ad6b7169203331-01", None)]
    #[case("", None)]
    fn a_traceparent_is_read(#[case] header: &str, #[case] sampled: Option<bool>) {
        assert_eq!(TraceParent::parse(header).map(|it| it.sampled), sampled);
    }
}
