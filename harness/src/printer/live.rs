//! The block at the bottom of a terminal: how far the run is, and which cases have been running longest.

use std::collections::VecDeque;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Glyphs;

/// How many running cases have a line of their own.
const LINES: usize = 4;
/// A clock that moves shows that the process lives.
const TICK: Duration = Duration::from_millis(200);

/// Redraws itself; everything else that prints goes through [`Live::above`].
pub(super) struct Live {
    block: MultiProgress,
    total: ProgressBar,
    ascii: bool,
    counting: bool,
    shown: Vec<(String, ProgressBar)>,
    /// Cases that run without a line, with a bar that keeps their time.
    waiting: VecDeque<(String, ProgressBar)>,
}

impl Live {
    pub(super) fn new(glyphs: Glyphs) -> Self {
        Self::on(glyphs, ProgressDrawTarget::stderr())
    }

    fn on(glyphs: Glyphs, target: ProgressDrawTarget) -> Self {
        let block = MultiProgress::with_draw_target(target);
        let total = block.add(ProgressBar::new(0));
        let ascii = glyphs == Glyphs::Ascii;
        total.set_style(style("{spinner} {elapsed:>4}  {wide_msg}", ascii));
        total.enable_steady_tick(TICK);
        Self { block, total, ascii, counting: false, shown: Vec::new(), waiting: VecDeque::new() }
    }

    /// Prints above the block.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.block.suspend(print);
    }

    /// What is being done.
    pub(super) fn say(&self, what: &str) {
        self.total.set_message(what.to_owned());
    }

    /// How many cases are done, and how they came out.
    pub(super) fn count(&mut self, done: usize, all: usize, counts: &str) {
        if !self.counting {
            self.counting = true;
            self.total.reset(); // the estimate is about cases, not about what came before them
        }
        let template = match done {
            0 => "{spinner} [{bar:24}] {pos}/{len}  {elapsed}  {wide_msg}",
            _ if done == all => "{spinner} {pos}/{len}  {elapsed}  {wide_msg}",
            _ => "{spinner} [{bar:24}] {pos}/{len}  {elapsed}, about {eta} left  {wide_msg}",
        };
        self.total.set_style(style(template, self.ascii));
        self.total.set_length(all as u64);
        self.total.set_position(done as u64);
        self.total.set_message(counts.to_owned());
    }

    /// A case begins.
    pub(super) fn begin(&mut self, name: &str) {
        let clock = ProgressBar::new_spinner();
        clock.set_style(style("    {elapsed:>4}  {wide_msg}", self.ascii));
        clock.set_message(name.to_owned());
        self.waiting.push_back((name.to_owned(), clock));
        self.fill();
    }

    /// A case is done; the one that has run longest without a line gets its.
    pub(super) fn end(&mut self, name: &str) {
        self.waiting.retain(|(waiting, _)| waiting != name);
        if let Some(index) = self.shown.iter().position(|(shown, _)| shown == name) {
            let (_, line) = self.shown.remove(index);
            line.finish_and_clear();
            self.block.remove(&line);
        }
        self.fill();
    }

    /// Takes the block away.
    pub(super) fn clear(self) {
        for (_, line) in &self.shown {
            line.finish_and_clear();
        }
        self.total.finish_and_clear();
    }

    fn fill(&mut self) {
        while self.shown.len() < LINES
            && let Some((name, clock)) = self.waiting.pop_front()
        {
            let line = self.block.add(clock);
            line.enable_steady_tick(TICK);
            self.shown.push((name, line));
        }
    }
}

fn style(template: &str, ascii: bool) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    if ascii { style.tick_chars("|/-\\ ").progress_chars("##-") } else { style }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::{LINES, Live};
    use crate::printer::Glyphs;

    #[test]
    fn those_that_run_longest_have_a_line() {
        let mut live = Live::on(Glyphs::Ascii, ProgressDrawTarget::hidden());
        for name in ["a", "b", "c", "d", "e", "f"] {
            live.begin(name);
        }
        let shown =
            |live: &Live| live.shown.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join("");
        assert_eq!((shown(&live).as_str(), live.shown.len()), ("abcd", LINES));
        live.end("f");
        live.end("b");
        assert_eq!(shown(&live), "acde");
        live.count(2, 6, "2 pass");
        assert_eq!(live.total.position(), 2);
        live.clear();
    }
}
