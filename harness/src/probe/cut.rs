//! Connections that are open when something changes.

use std::future::Future;

use futures::future::try_join;
use waymark_echo::api::ErrorClass;

use super::{Probe, evidence};
use crate::case::{Failure, Unmet, Verdict};
use crate::expect::summary;
use crate::stage::cast::Part;
use crate::world::App;

impl Probe<'_> {
    /// Sends once, to a pod that takes its time to answer, and acts when the pod has the request: the connection must be
    /// ended before the answer.
    ///
    /// # Errors
    /// The answer that came all the same, or what went wrong meanwhile.
    pub async fn must_be_cut_by(self, app: &App, act: impl Future<Output = Verdict> + Send) -> Verdict {
        self.ctx.decided([Part::Ztunnel]);
        let tag = self.ctx.next_tag();
        let request = self.request.clone().header("user-agent", tag.clone());
        let channel = self.ctx.stage().sender(self.sender)?;
        let send = async { Ok::<_, Failure>(channel.send(&request).await?) };
        let act = async {
            self.ctx.arrived_at_app(app, &tag).await?;
            act.await
        };
        let (report, ()) = try_join(send, act).await?;
        for exchange in &report.exchanges {
            self.ctx.journal(|| evidence(&tag, &request, exchange));
            let ended = exchange.error().map(|error| error.class);
            if !matches!(ended, Some(ErrorClass::Reset | ErrorClass::Eof)) {
                return Err(Failure::Unmet(Unmet {
                    want: "connection: ended before the answer".to_owned(),
                    got: format!("connection: {}", summary(exchange)),
                    decided_by: Some("ztunnel".to_owned()),
                    sent: Some(self.sent()),
                    ..Unmet::default()
                }));
            }
        }
        Ok(())
    }
}
