//! What the looks of one probe saw.

use std::sync::{Mutex, PoisonError};

use crate::case::Unmet;

/// How many different answers are told apart.
const MOST_ANSWERS: usize = 12;

/// Answers and the last miss, gathered over all looks.
#[derive(Default)]
pub(super) struct Record(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    answers: Vec<(String, u32)>,
    miss: Option<Unmet>,
}

impl Record {
    /// Counts an answer.
    pub(super) fn answer(&self, summary: String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = seen.answers.len() < MOST_ANSWERS;
        match seen.answers.iter_mut().find(|(known, _)| *known == summary) {
            Some((_, times)) => *times += 1,
            None if room => seen.answers.push((summary, 1)),
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
        assert_eq!(unmet.answers, [("404 with no body".to_owned(), 2), ("200 from echo/v1".to_owned(), 1)]);
        assert_eq!((unmet.got.as_str(), unmet.sent.as_deref()), ("status: 404", Some("GET /")));
    }
}
