//! `istioctl waypoint`, by the very release's istioctl, on the case's own namespace.

use std::process::Stdio;

use tokio::process::Command;

use super::Ctx;
use crate::case::{Broken, Failure, Unmet, Verdict};
use crate::istio::last_lines;

/// What istioctl printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    command: String,
    text: String,
}

impl Ctx {
    /// Runs `istioctl waypoint` with these arguments, in the case's namespace, and waits for its end.
    ///
    /// # Errors
    /// A case without a namespace of its own; no istioctl; one that ends with an error is a promise broken.
    pub async fn istioctl_waypoint<const N: usize>(&self, arguments: [&str; N]) -> Result<Said, Failure> {
        self.own_only("use istioctl")?;
        let (istioctl, kubeconfig) = self.stage.istioctl()?;
        let command = format!("istioctl waypoint {}", arguments.join(" "));
        let ended = Command::new(istioctl)
            .arg("waypoint")
            .args(arguments)
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .arg(format!("--namespace={}", self.place.namespace))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|why| Broken::with(format!("run {}", istioctl.display()), why))?;
        let text = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        if ended.status.success() {
            return Ok(Said { command, text });
        }
        let got = format!("{}: {}", ended.status, last_lines(&text));
        Err(Unmet { want: format!("{command}: ends well"), got, ..Unmet::default() }.into())
    }
}

impl Said {
    /// A line has these words, in this order; other words may stand between them.
    ///
    /// # Errors
    /// What was printed instead.
    pub fn must_say<const N: usize>(&self, words: [&str; N]) -> Verdict {
        let has = |line: &str| {
            let mut all = line.split_whitespace();
            words.iter().all(|word| all.any(|it| it == *word))
        };
        if self.text.lines().any(has) {
            return Ok(());
        }
        let want = format!("{}: a line with {}", self.command, words.join(" … "));
        let got = format!("{}: {}", self.command, last_lines(&self.text).replace('\n', " / "));
        Err(Unmet { want, got, decided_by: Some("istioctl".into()), ..Unmet::default() }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_words_in_order() {
        let text = "NAME      REVISION  PROGRAMMED\nwaypoint  default   True\n".to_owned();
        let said = Said { command: "istioctl waypoint list".into(), text };
        said.must_say(["waypoint", "True"]).unwrap();
        said.must_say(["True", "waypoint"]).unwrap_err();
        let why = said.must_say(["waypoint", "False"]).unwrap_err().to_string();
        assert!(why.contains("waypoint  default   True"), "{why}");
    }
}
