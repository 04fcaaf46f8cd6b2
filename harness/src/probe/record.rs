//! What the looks of one probe saw.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::case::{Answer, Unmet};

/// How many different answers are told apart.
const MOST_ANSWERS: usize = 12;

/// Answers and the last miss, gathered over all looks.
#[derive(Default)]
pub(super) struct Record(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    began: Option<Instant>,
    answers: Vec<Answer>,
    miss: Option<Unmet>,
}

impl Record {
    /// Counts an answer.
    pub(super) fn answer(&self, summary: String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = *seen.began.get_or_insert_with(Instant::now);
        let now = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let room = seen.answers.len() < MOST_ANSWERS;
        match seen.answers.iter_mut().find(|known| known.text == summary) {
            Some(known) => {
                known.count += 1;
                known.last_ms = now;
            }
            None if room => {
                seen.answers.push(Answer { text: summary, count: 1, first_ms: now, last_ms: now })
            }
            None => {}
        }
    }

    /// Keeps the newest miss.
    pub(super) fn miss(&self, unmet: Unmet) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).miss = Some(unmet);
    }

    /// The newest miss with everything that was seen; `otherwise` says what came when there was none.
    pub(super) fn unmet(&self, sent: String, otherwise: impl FnOnce() -> String) -> Unmet {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let miss = seen.miss.clone().unwrap_or_else(|| Unmet { got: otherwise(), ..Unmet::default() });
        Unmet { sent: Some(sent), answers: seen.answers.clone(), ..miss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_and_the_newest_miss_is_told() {
        let record = Record::default();
        for summary in ["404 with no body", "200 from echo/v1", "404 with no body"] {
            record.answer(summary.to_owned());
        }
        record.miss(Unmet { got: "status: 404".into(), ..Unmet::default() });
        let unmet = record.unmet("GET /".into(), || unreachable!());
        let answers: Vec<_> = unmet.answers.iter().map(|it| (it.text.as_str(), it.count)).collect();
        assert_eq!(answers, [("404 with no body", 2), ("200 from echo/v1", 1)]);
        assert_eq!((unmet.got.as_str(), unmet.sent.as_deref()), ("status: 404", Some("GET /")));
    }
}
