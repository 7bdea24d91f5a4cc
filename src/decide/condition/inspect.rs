//! Reads the tree of a condition: unknown names, cost, and what can never be true.

use std::fmt;

use cel::common::ast::{Expr, IdedExpr};

use super::{ConditionProblem, literal};
use crate::classify::Label;
use crate::decide::facts::{Facts, MAX_LIST, NAMES};
use crate::mail::Language;

/// Most steps that a condition may take.
pub(super) const MAX_COST: u64 = 100_000;

/// Steps that a search with a pattern counts for.
const PATTERN_COST: u64 = 50;

/// What conditions may call, operators aside.
const FUNCTIONS: [&str; 16] = [
    "header",
    "capture",
    "lower",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "size",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "has",
    "dyn",
    "type",
];

struct Inspector {
    /// Names bound by `exists`, `all` and their like.
    bound: Vec<String>,
}

/// Names, functions, patterns and cost.
pub(super) fn inspect(root: &IdedExpr) -> Result<(), ConditionProblem> {
    let cost = Inspector { bound: Vec::new() }.cost(root)?;
    if cost > MAX_COST { Err(ConditionProblem::Cost(cost)) } else { Ok(()) }
}

impl Inspector {
    fn cost(&mut self, node: &IdedExpr) -> Result<u64, ConditionProblem> {
        let mut cost = 1_u64;
        let mut add = |steps: u64| cost = cost.saturating_add(steps);
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.name(name)?,
            Expr::Select(select) => {
                if let Expr::Ident(name) = &select.operand.expr {
                    self.field(name, &select.field)?;
                }
                add(self.cost(&select.operand)?);
            }
            Expr::Call(call) => {
                function(call)?;
                for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                    add(self.cost(part)?);
                }
                if call.func_name == "matches" {
                    add(PATTERN_COST);
                }
            }
            Expr::List(list) => {
                for element in &list.elements {
                    add(self.cost(element)?);
                }
            }
            Expr::Comprehension(walk) => {
                add(self.cost(&walk.iter_range)?);
                add(self.cost(&walk.accu_init)?);
                let before = self.bound.len();
                self.bound.extend([walk.iter_var.clone(), walk.accu_var.clone()]);
                self.bound.extend(walk.iter_var2.clone());
                let round = self.cost(&walk.loop_cond)?.saturating_add(self.cost(&walk.loop_step)?);
                add(round.saturating_mul(MAX_LIST as u64));
                add(self.cost(&walk.result)?);
                self.bound.truncate(before);
            }
            Expr::Map(_) | Expr::Struct(_) => {
                return Err(ConditionProblem::Syntax("maps and messages cannot be written here".into()));
            }
        }
        Ok(cost)
    }

    fn name(&self, name: &str) -> Result<(), ConditionProblem> {
        let known = NAMES.iter().any(|(fact, _)| *fact == name) || self.bound.iter().any(|b| b == name);
        if known { Ok(()) } else { Err(unknown(name)) }
    }

    fn field(&self, name: &str, field: &str) -> Result<(), ConditionProblem> {
        if self.bound.iter().any(|bound| bound == name) {
            return Ok(());
        }
        let wrong = match NAMES.iter().find(|(fact, _)| *fact == name) {
            Some((_, fields)) if !fields.is_empty() => !fields.contains(&field),
            Some(_) => name == "scores" && Label::from_word(field).is_none(),
            None => false,
        };
        if wrong { Err(unknown(&format!("{name}.{field}"))) } else { Ok(()) }
    }
}

fn function(call: &cel::common::ast::CallExpr) -> Result<(), ConditionProblem> {
    let name = call.func_name.as_str();
    let operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !operator && !FUNCTIONS.contains(&name) {
        return Err(ConditionProblem::Function(name.to_owned(), FUNCTIONS.join(", ")));
    }
    let given = call.args.len() + usize::from(call.target.is_some());
    if ["header", "capture", "lower"].contains(&name) && given != 1 {
        return Err(ConditionProblem::Syntax(format!("`{name}` takes one text, not {given}")));
    }
    if name == "matches" {
        let Some(pattern) = call.args.last().and_then(|arg| literal(&arg.expr)) else {
            let why = "the pattern of `matches` must be written out, not put together";
            return Err(ConditionProblem::Pattern(why.into()));
        };
        regex::Regex::new(pattern)
            .map_err(|error| ConditionProblem::Pattern(format!("the pattern {pattern:?}: {error}")))?;
    }
    Ok(())
}

fn unknown(name: &str) -> ConditionProblem {
    let known: Vec<String> =
        NAMES
            .iter()
            .map(|(fact, fields)| {
                if fields.is_empty() {
                    (*fact).to_owned()
                } else {
                    format!("{fact}.{{{}}}", fields.join(","))
                }
            })
            .collect();
    ConditionProblem::Unknown(name.to_owned(), format!("{}, header(\"…\"), capture(\"…\")", known.join(", ")))
}

/// Why a condition can never be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Never {
    /// It asks nothing, and is false.
    False,
    /// It compares with a word that does not occur.
    Word {
        /// The fact.
        fact: String,
        /// The word.
        word: String,
    },
    /// It asks for a fact that no earlier rule adds.
    Fact(String),
}

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::False => f.write_str("it is false for every mail"),
            Self::Word { fact, word } => write!(f, "{word:?} is no value of `{fact}`"),
            Self::Fact(fact) => write!(f, "no earlier rule adds the fact {fact:?}"),
        }
    }
}

/// Walks through what must all be true, and both sides of what may be either.
pub(super) fn never(node: &IdedExpr, added: &[&str]) -> Option<Never> {
    let Expr::Call(call) = &node.expr else {
        let plain = matches!(&node.expr, Expr::Literal(_));
        return (plain && !constant(node)).then_some(Never::False);
    };
    let mut parts = call.target.iter().map(AsRef::as_ref).chain(&call.args);
    match (call.func_name.as_str(), parts.next(), parts.next()) {
        ("_&&_", Some(left), Some(right)) => never(left, added).or_else(|| never(right, added)),
        ("_||_", Some(left), Some(right)) => {
            let first = never(left, added)?;
            never(right, added).map(|_| first)
        }
        ("@in", Some(left), Some(right)) => {
            let (word, Expr::Ident(list)) = (literal(&left.expr)?, &right.expr) else { return None };
            match list.as_str() {
                "facts" if !added.contains(&word) => Some(Never::Fact(word.to_owned())),
                "labels" if Label::from_word(word).is_none() => wrong("labels", word),
                _ => None,
            }
        }
        ("_==_", Some(left), Some(right)) => {
            let (fact, word) = match (literal(&left.expr), literal(&right.expr)) {
                (Some(word), None) => (path(right)?, word),
                (None, Some(word)) => (path(left)?, word),
                _ => return None,
            };
            let fits = match fact.as_str() {
                "primary" | "ticket.gravest" => word.is_empty() || Label::from_word(word).is_some(),
                "language" => {
                    Language::ALL.iter().any(|l| l.as_str() == word) || word == Language::Other.as_str()
                }
                "customer.conduct" => crate::decide::customer::State::from_word(word).is_some(),
                "ticket.state" => {
                    word.is_empty() || crate::decide::ticket::TicketState::from_word(word).is_some()
                }
                _ => true,
            };
            if fits { None } else { wrong(&fact, word) }
        }
        _ => (!asks(node) && !constant(node)).then_some(Never::False),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the answer of every arm above")]
fn wrong(fact: &str, word: &str) -> Option<Never> {
    Some(Never::Word { fact: fact.to_owned(), word: word.to_owned() })
}

/// `customer.conduct` of an expression that spells it.
fn path(node: &IdedExpr) -> Option<String> {
    match &node.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        _ => None,
    }
}

fn asks(node: &IdedExpr) -> bool {
    let references = node.references();
    NAMES.iter().any(|(name, _)| references.has_variable(name))
        || ["header", "capture"].iter().any(|name| references.has_function(name))
}

fn constant(node: &IdedExpr) -> bool {
    super::context(&Facts::empty())
        .is_ok_and(|context| cel::Value::resolve(node, &context) != Ok(cel::Value::Bool(false)))
}
