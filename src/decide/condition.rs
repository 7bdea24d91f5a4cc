//! Conditions of rules, in CEL (<https://cel.dev>): no assignments, no loops but over lists, and here
//! with limits on size and cost. Evaluated without any effect.

mod inspect;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::common::ast::Expr;
use cel::{Context, Env, Program, Value};
use serde::Deserialize;

use super::facts::{Facts, NAMES};
pub use inspect::Never;

/// Longest condition, in bytes.
pub const MAX_SOURCE: usize = 2_000;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A condition that was found good.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Condition {
    source: String,
    program: Arc<Program>,
}

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionProblem {
    /// Too long.
    #[error("the condition has {0} bytes, at most {MAX_SOURCE} are read: make it two rules")]
    TooLong(usize),
    /// Not CEL.
    #[error("the condition is no CEL: {0}")]
    Syntax(String),
    /// A name that means nothing.
    #[error("{0:?} is no fact; conditions know {1}")]
    Unknown(String, String),
    /// A function that does not exist here.
    #[error("{0:?} is no function here; there are {1}")]
    Function(String, String),
    /// It may cost too much.
    #[error("the condition may take {0} steps, at most {max} are allowed: look at fewer lists within lists", max = inspect::MAX_COST)]
    Cost(u64),
    /// A pattern that cannot be read, or is put together at run time.
    #[error("{0}")]
    Pattern(String),
    /// Tried on an empty mail, it fails or is neither true nor false.
    #[error("the condition {0}")]
    Trial(String),
}

/// Why a condition could not be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(pub String);

impl TryFrom<String> for Condition {
    type Error = ConditionProblem;

    fn try_from(source: String) -> Result<Self, Self::Error> {
        if source.len() > MAX_SOURCE {
            return Err(ConditionProblem::TooLong(source.len()));
        }
        let compiled = catch_unwind(|| Program::compile(&source));
        let program = match compiled {
            Ok(Ok(program)) => program,
            Ok(Err(errors)) => {
                let text = errors.to_string();
                let line = text.lines().next().unwrap_or_default().trim_start_matches("ERROR: ");
                return Err(ConditionProblem::Syntax(line.to_owned()));
            }
            Err(_) => return Err(ConditionProblem::Syntax("it cannot be read".into())),
        };
        inspect::inspect(program.expression())?;
        let condition = Self { source, program: Arc::new(program) };
        let trial = condition.holds(&Facts::empty());
        match trial {
            Ok(_) => Ok(condition),
            Err(why) => Err(ConditionProblem::Trial(why.0)),
        }
    }
}

impl Condition {
    /// The text of the condition.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// When it is neither true nor false, compares what cannot be compared, or reaches beyond a list.
    pub fn holds(&self, facts: &Facts) -> Result<bool, Unanswered> {
        self.ask(&context(facts)?)
    }

    /// As [`Condition::holds`], in a context that serves several conditions.
    ///
    /// # Errors
    /// See [`Condition::holds`].
    pub fn ask(&self, context: &Context<'_, '_>) -> Result<bool, Unanswered> {
        // the interpreter is not ours: a panic in it costs this answer, not the ledger's thread
        match catch_unwind(AssertUnwindSafe(|| self.program.execute(context))) {
            Ok(Ok(Value::Bool(answer))) => Ok(answer),
            Ok(Ok(_)) => Err(Unanswered("is neither true nor false: compare with something".into())),
            Ok(Err(error)) => Err(Unanswered(format!("cannot be answered: {error}"))),
            Err(_) => Err(Unanswered("makes the interpreter fail".into())),
        }
    }

    /// Whether it names this fact or function.
    #[must_use]
    pub fn names(&self, word: &str) -> bool {
        let references = self.program.references();
        references.has_variable(word) || references.has_function(word)
    }

    /// Why it can never be true, as far as can be told without a mail. `added` are the facts that
    /// some earlier rule adds.
    #[must_use]
    pub fn never(&self, added: &[&str]) -> Option<Never> {
        inspect::never(self.program.expression(), added)
    }

    /// Whether it holds for every mail, because it asks nothing.
    #[must_use]
    pub fn always(&self) -> bool {
        let references = self.program.references();
        let asks = NAMES.iter().any(|(name, _)| references.has_variable(name))
            || references.has_function("header")
            || references.has_function("capture");
        !asks && self.holds(&Facts::empty()) == Ok(true)
    }
}

/// What conditions are asked in.
///
/// # Errors
/// When the facts cannot be given to the interpreter.
pub fn context(facts: &Facts) -> Result<Context<'static, 'static>, Unanswered> {
    let failed = |error: &dyn fmt::Display| Unanswered(format!("cannot be asked: {error}"));
    let mut context = Context::with_env(ENV.clone());
    let all = cel::to_value(facts).map_err(|error| failed(&error))?;
    let Value::Map(map) = all else { return Err(Unanswered("cannot be asked: no facts".into())) };
    for (name, _) in NAMES {
        if let Some(value) = map.get(&cel::objects::Key::from(name)) {
            context.add_variable_from_value(name, value.clone());
        }
    }
    let (headers, captures) = (facts.headers.clone(), facts.captures.clone());
    let header = move |name: Arc<String>| headers.get(&name.to_lowercase()).cloned().unwrap_or_default();
    let capture = move |name: Arc<String>| captures.get(name.as_str()).cloned().unwrap_or_default();
    context.add_function("header", header).map_err(|error| failed(&error))?;
    context.add_function("capture", capture).map_err(|error| failed(&error))?;
    context.add_function("lower", |text: Arc<String>| text.to_lowercase()).map_err(|error| failed(&error))?;
    Ok(context)
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// The text of a literal, if the expression is one.
fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(cel::common::ast::LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Label;

    fn condition(text: &str) -> Result<Condition, ConditionProblem> {
        Condition::try_from(text.to_owned())
    }

    fn facts() -> Facts {
        let mut facts = Facts { labels: [Label::Complaint, Label::Panic].into(), ..Facts::default() };
        facts.subject = "Заказ 70155".into();
        facts.headers.insert("x-plan".into(), "Gold".into());
        facts.settle();
        facts
    }

    #[test]
    fn conditions_ask_labels_headers_and_text() {
        for (text, answer) in [
            ("\"panic\" in labels && primary == \"panic\"", true),
            ("header(\"X-Plan\") == \"Gold\"", true),
            ("header(\"x-nothing\") != \"\"", false),
            ("lower(subject).matches(\"заказ [0-9]+\")", true),
            ("scores.threat > 0.5 || customer.incidents > 1", false),
            ("attachments.exists(a, a.type == \"application/pdf\")", false),
            ("sender.domain.endsWith(\"example.org\") && authenticated", false),
        ] {
            let condition = condition(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(condition.holds(&facts()), Ok(answer), "{text}");
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_reason() {
        for (text, part) in [
            ("labels ==", "no CEL"),
            ("lables.size() > 0", "\"lables\" is no fact"),
            ("sender.adress == \"x\"", "\"sender.adress\""),
            ("now() > 3", "no function"),
            ("subject", "neither true nor false"),
            ("subject.matches(\"(\")", "pattern"),
            ("subject.matches(text)", "pattern"),
            ("attachments[7].name == \"x\"", "cannot be answered"),
            (
                "recipients.all(a, recipients.all(b, recipients.all(c, recipients.all(d, a == b && c == d))))",
                "steps",
            ),
        ] {
            let error = condition(text).map(|c| c.source().to_owned()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(condition(&format!("subject == \"{}\"", "x".repeat(2_000))).is_err());
        assert!(condition(&format!("{}true{}", "(".repeat(900), ")".repeat(900))).is_err());
    }

    #[test]
    fn what_can_never_be_true_is_told() {
        let never = |text: &str| condition(text).unwrap().never(&["vip"]).map(|never| never.to_string());
        assert!(never("\"thret\" in labels").unwrap().contains("thret"));
        assert!(never("language == \"english\" && review").unwrap().contains("english"));
        assert!(never("\"gold\" in facts").unwrap().contains("gold"));
        assert!(never("1 > 2").is_some());
        assert_eq!(never("\"vip\" in facts && \"threat\" in labels"), None);
        assert_eq!(never("\"gold\" in facts || review"), None);
        assert!(condition("true").unwrap().always() && !condition("review").unwrap().always());
    }
}
