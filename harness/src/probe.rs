//! Requests sent by a client of the stage: [`Client`] makes them, [`Probe`] sends them and compares what comes back.

mod address;
mod batch;
mod channel;
mod cut;
mod load;
mod passage;
mod record;
mod sent;
mod shares;
mod spread;
mod tokens;
mod tunnel;
mod wire;

use std::borrow::Borrow;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::try_join;
use serde_json::Value;
use waymark_echo::api::{Connection, Exchange, SendRequest};
use waymark_manifests::WorkloadRef;

use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::converge::{Look, Missed};
use crate::evidence::redact;
use crate::expect::{Checked, Expectation, Sight, summary};
use crate::stage::cast::Sender;
use crate::world::{Ctx, Trace};

pub use channel::Channel;
pub use load::{Fates, as_before};
pub(crate) use passage::Passage;
use passage::{host, passage};
use record::Record;
pub use sent::Sent;

/// How many requests of a batch may be in flight.
const BATCH_CONCURRENCY: u32 = 8;

/// A client of the stage, as a case uses it.
#[derive(Clone, Copy)]
pub struct Client<'t> {
    ctx: &'t Ctx,
    sender: Sender,
}

impl<'t> Client<'t> {
    pub(crate) fn new(ctx: &'t Ctx, sender: Sender) -> Self {
        Self { ctx, sender }
    }

    /// The client as policies name it.
    pub(crate) fn workload(self) -> WorkloadRef {
        let labels = [("waymark.app", self.sender.deployment())];
        WorkloadRef::new(self.ctx.stage().home(self.sender), self.sender.account(), labels)
    }

    /// A GET of `url`.
    pub fn get(self, url: impl Into<String>) -> Probe<'t> {
        self.request("GET", url)
    }

    /// A POST to `url`.
    pub fn post(self, url: impl Into<String>) -> Probe<'t> {
        self.request("POST", url)
    }

    /// A request with any method.
    pub fn request(self, method: &str, url: impl Into<String>) -> Probe<'t> {
        Probe { ctx: self.ctx, sender: self.sender, request: SendRequest::new(method, url), trace: None }
    }
}

/// A request, and what is to be found out by it.
#[must_use = "a probe does nothing until it is told what must come of it"]
pub struct Probe<'t> {
    ctx: &'t Ctx,
    sender: Sender,
    request: SendRequest,
    trace: Option<Trace>,
}

impl Probe<'_> {
    /// Adds a request header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Adds a cookie.
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.header("cookie", &format!("{name}={value}"))
    }

    /// Adds a query parameter to the URL; name and value must need no escapes.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let sign = if self.request.url.contains('?') { '&' } else { '?' };
        self.request.url = format!("{}{sign}{name}={value}", self.request.url);
        self
    }

    /// Another probe that sends the same.
    pub fn again(&self) -> Self {
        Self { ctx: self.ctx, sender: self.sender, request: self.request.clone(), trace: self.trace.clone() }
    }

    /// Sends it as a part of a trace.
    pub fn traced(mut self, trace: &Trace) -> Self {
        self.trace = Some(trace.clone());
        self.header("traceparent", &trace.header())
    }

    /// Sets the request body.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.request.body = body.into();
        self
    }

    /// Sends so many requests at each look, one after the other unless [`Probe::concurrency`] says otherwise.
    pub fn count(mut self, count: u32) -> Self {
        self.request.count = count;
        self
    }

    /// Keeps so many requests in flight.
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.request.concurrency = concurrency;
        self
    }

    /// Keeps connections instead of opening one for each request.
    pub fn kept(mut self) -> Self {
        self.request.connection = Connection::Kept;
        self
    }

    /// Gives each request this long.
    pub fn within(mut self, timeout: Duration) -> Self {
        self.request.timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// The claim must come true, and stay true three times in a row, within the traffic budget.
    ///
    /// # Errors
    /// What was wanted and what came; or why it could not be judged.
    pub async fn must(self, claim: impl Borrow<Expectation> + Send) -> Verdict {
        let claim = claim.borrow();
        let record = Record::default();
        let what = format!("{}: {claim}", self.sent());
        let settled = self.ctx.stage().converge().must(&what, || self.look(claim, &record)).await;
        match settled {
            Ok(settled) => {
                self.ctx.note(settled.attempts, settled.after);
                let (tag, exchanges) = settled.value;
                self.confirm(claim, &tag, &exchanges, &record).await
            }
            Err(Missed::Broken(broken)) => Err(broken.into()),
            Err(late) => {
                if let Missed::Late { attempts, .. } = late {
                    self.ctx.note(attempts, Duration::ZERO);
                }
                let seen = late.seen()?;
                Err(record.unmet(self.sent(), || seen).into())
            }
        }
    }

    /// The claim must not come true once in a window that follows from the pace of this run.
    ///
    /// # Errors
    /// What came that must not; or why it could not be judged.
    pub async fn must_never(self, claim: impl Borrow<Expectation> + Send) -> Verdict {
        let claim = claim.borrow();
        let record = Record::default();
        let what = format!("{}: {claim}", self.sent());
        let look = || async {
            let look = self.look(claim, &record).await?;
            Ok::<_, Broken>(match look {
                Look::Met((_, exchanges)) => {
                    Look::Met(exchanges.iter().map(summary).collect::<Vec<_>>().join(", "))
                }
                Look::Unmet(why) => Look::Unmet(why),
            })
        };
        match self.ctx.stage().converge().must_never(&what, look).await {
            Ok(()) => Ok(()),
            Err(Missed::Broken(broken)) => Err(broken.into()),
            Err(happened) => Err(Unmet {
                want: format!("never: {claim}"),
                got: happened.to_string(),
                sent: Some(self.sent()),
                ..record.unmet(self.sent(), String::new)
            }
            .into()),
        }
    }

    /// Sends the batch once; every answer must meet the claim. For what counts requests, after a [`Probe::must`].
    ///
    /// # Errors
    /// The first answer that does not meet it; or why it could not be judged.
    pub async fn once(self, claim: impl Borrow<Expectation> + Send) -> Result<Sent, Failure> {
        let claim = claim.borrow();
        let record = Record::default();
        match self.look(claim, &record).await? {
            Look::Met((tag, exchanges)) => {
                self.confirm(claim, &tag, &exchanges, &record).await?;
                let locals = exchanges.iter().filter_map(|exchange| exchange.local).collect();
                let told = |exchange: &Exchange| Some(exchange.echo()?.header("traceparent")?.to_owned());
                let traceparents = exchanges.iter().map(told).collect();
                let Self { request, sender, trace, .. } = self;
                Ok(Sent { tag, count: request.count, sender, locals, trace, traceparents })
            }
            Look::Unmet(_) => Err(record.unmet(self.sent(), String::new).into()),
        }
    }

    /// Keeps sending, one request after the other, while something else happens; every answer must meet the claim.
    ///
    /// # Errors
    /// The first answer that does not meet it, or what went wrong meanwhile.
    pub async fn throughout(
        self,
        meanwhile: impl Future<Output = Verdict> + Send,
        claim: Expectation,
    ) -> Verdict {
        let record = Record::default();
        let done = AtomicBool::new(false);
        let act = async {
            let verdict = meanwhile.await;
            done.store(true, Ordering::Relaxed);
            verdict
        };
        let send = async {
            while !done.load(Ordering::Relaxed) {
                if let Look::Unmet(_) = self.look(&claim, &record).await? {
                    return Err(Failure::from(record.unmet(self.sent(), String::new)));
                }
            }
            Ok(())
        };
        try_join(act, send).await.map(drop)
    }

    /// What is sent, in one line.
    fn sent(&self) -> String {
        let SendRequest { method, url, headers, count, .. } = &self.request;
        let method = self.spoken(method);
        // A token must not reach a report.
        let url = redact::text(url);
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| redact::text(&format!("{name}: {}", wire::shown(value))).into_owned())
            .collect();
        let headers = if headers.is_empty() { String::new() } else { format!(" ({})", headers.join(", ")) };
        let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
        format!("{}: {method} {url}{headers}{times}", self.sender)
    }

    /// Sends once and compares everything that does not need a log.
    async fn look(
        &self,
        claim: &Expectation,
        record: &Record,
    ) -> Result<Look<(String, Vec<Exchange>)>, Broken> {
        self.ctx.decided(claim.parts());
        let tag = self.ctx.next_tag();
        let request = self.request.clone().header("user-agent", tag.clone());
        let channel = self.ctx.stage().sender(self.sender)?;
        let report = channel.send(&request).await?;
        let sight = self.sight(claim).await?;
        for exchange in &report.exchanges {
            record.answer(summary(exchange));
            self.ctx.journal(|| evidence(&tag, &request, exchange));
            self.ctx.passed_waypoint(host(&request.url), passage(exchange, &sight));
            if let Checked::Unmet(unmet) = claim.without_log(exchange).check(exchange, &sight)? {
                let why = unmet.got.replace('\n', ", ");
                record.miss(unmet);
                return Ok(Look::Unmet(why));
            }
        }
        Ok(Look::Met((tag, report.exchanges)))
    }

    /// Compares what only the access log tells, once it has been written: Envoy flushes its log every second.
    async fn confirm(
        &self,
        claim: &Expectation,
        tag: &str,
        exchanges: &[Exchange],
        record: &Record,
    ) -> Verdict {
        let silent = exchanges.iter().filter(|exchange| claim.needs_log(exchange.echo().is_some())).count();
        if silent == 0 {
            return Ok(());
        }
        let mut waypoints: Vec<_> = claim.waypoints().cloned().collect();
        if waypoints.is_empty() {
            waypoints.push(self.ctx.waypoint().clone());
        }
        let look = || async {
            let mut sight = self.sight(claim).await?;
            let mut lines = std::collections::BTreeMap::new();
            for waypoint in &waypoints {
                lines
                    .insert(waypoint.clone(), self.ctx.stage().observer().access_lines(waypoint, tag).await?);
            }
            sight.lines = Some(lines);
            for exchange in exchanges {
                if let Checked::Unmet(unmet) = claim.check(exchange, &sight)? {
                    let why = unmet.got.replace('\n', ", ");
                    record.miss(unmet);
                    return Ok(Look::Unmet(why));
                }
            }
            Ok::<_, Broken>(Look::Met(()))
        };
        match self.ctx.stage().converge().logged("the waypoint's access log", look).await {
            Ok(_) => Ok(()),
            Err(missed) => {
                let seen = missed.seen()?;
                Err(record.unmet(self.sent(), || seen).into())
            }
        }
    }

    async fn sight(&self, claim: &Expectation) -> Result<Sight, Broken> {
        let stage = self.ctx.stage();
        let mut sight =
            Sight { client: stage.sender(self.sender)?.pod().addresses.clone(), ..Sight::default() };
        for waypoint in claim.waypoints().chain([self.ctx.waypoint()]) {
            if !sight.waypoints.contains_key(waypoint) {
                sight.waypoints.insert(waypoint.clone(), stage.addresses(waypoint).await?);
            }
        }
        Ok(sight)
    }
}

fn evidence(tag: &str, request: &SendRequest, exchange: &Exchange) -> Value {
    serde_json::json!({"tag": tag, "request": request, "exchange": exchange})
}
