//! Questions on a terminal; elsewhere an answer is a flag or a default.

use std::io::{self, BufRead, IsTerminal};

use anyhow::bail;

use crate::cli::output;

/// Who asks.
#[derive(Debug)]
pub struct Asker {
    terminal: bool,
}

impl Default for Asker {
    fn default() -> Self {
        Self::new()
    }
}

impl Asker {
    /// Asks where a person is.
    #[must_use]
    pub fn new() -> Self {
        Self { terminal: io::stdin().is_terminal() && io::stderr().is_terminal() }
    }

    /// What must be known: the flag, the answer, or the default.
    ///
    /// # Errors
    /// When nobody can be asked and there is no default.
    pub fn need(
        &mut self,
        question: &str,
        given: Option<&str>,
        default: Option<&str>,
        flag: &str,
    ) -> anyhow::Result<String> {
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        if self.terminal {
            loop {
                let shown = default.map_or_else(String::new, |default| format!(" [{default}]"));
                let answer = line(&format!("{question}{shown}: "))?;
                match (answer.is_empty(), default) {
                    (true, Some(default)) => return Ok(default.to_owned()),
                    (true, None) => {}
                    (false, _) => return Ok(answer),
                }
            }
        }
        match default {
            Some(default) => Ok(default.to_owned()),
            None => bail!("{question} is not known: name it with {flag}"),
        }
    }

    /// What may stay open.
    ///
    /// # Errors
    /// When the terminal goes away.
    pub fn may(&mut self, question: &str, given: Option<String>) -> anyhow::Result<Option<String>> {
        if given.is_some() || !self.terminal {
            return Ok(given);
        }
        let answer = line(&format!("{question}: "))?;
        Ok(Some(answer).filter(|answer| !answer.is_empty()))
    }

    /// A secret, not shown; `None` where nobody can be asked.
    ///
    /// # Errors
    /// When the terminal goes away.
    pub fn secret(&mut self, question: &str) -> anyhow::Result<Option<String>> {
        if self.terminal { Ok(Some(rpassword::prompt_password(format!("{question}: "))?)) } else { Ok(None) }
    }
}

fn line(question: &str) -> anyhow::Result<String> {
    output::ask(question);
    let mut text = String::new();
    if io::stdin().lock().read_line(&mut text)? == 0 {
        bail!("the terminal is gone: nothing was written");
    }
    Ok(text.trim().to_owned())
}
