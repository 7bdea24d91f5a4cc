//! What is wrong with playbooks, all at once.

use std::collections::BTreeSet;

use super::{Book, FEWEST_WORDINGS, PlaybookProblem, Playbooks, SLOTS, Script, Wording, folder};
use crate::mail::Language;
use crate::reply::company::Address;
use crate::reply::guard::{self, Rule};
use crate::reply::lexicon;

pub(super) fn problems(books: &Playbooks) -> Vec<PlaybookProblem> {
    let mut found = Vec::new();
    for (language, book) in &books.books {
        for (name, script) in &book.scripts {
            let file = format!("{}/{name}.toml", folder(*language));
            moves(book, &file, name, script, &mut found);
            ending(*language, book, &file, script, &mut found);
            wordings(*language, &file, script, &mut found);
        }
        for matter in &book.matters {
            let file = format!("{}/matters.toml ({})", folder(*language), matter.name);
            wordings(*language, &file, &matter.script, &mut found);
        }
        for outcome in &book.outcomes {
            let file = format!("{}/outcomes.toml ({})", folder(*language), outcome.name);
            wordings(*language, &file, &outcome.script, &mut found);
        }
    }
    found
}

/// Moves named in the sequence that nothing is said for.
fn moves(book: &Book, file: &str, name: &str, script: &Script, found: &mut Vec<PlaybookProblem>) {
    if script.moves.is_empty() && !matches!(name, "common" | "matters" | "outcomes") {
        found.push(PlaybookProblem {
            file: file.to_owned(),
            wanted: String::new(),
            what: "has no sequence of moves".to_owned(),
            fix: "add `moves = [[\"greet\"], …]`".to_owned(),
        });
    }
    for wanted in script.moves.iter().flatten() {
        let plain = wanted.trim_end_matches('?');
        let said = plain == "ask"
            || plain == "wish" && !book.outcomes.is_empty()
            || script.say.contains_key(plain)
            || book.script("common").is_some_and(|common| common.say.contains_key(plain))
            || book.script("outcomes").is_some_and(|outcomes| outcomes.say.contains_key(plain))
            || book.matters.iter().any(|matter| matter.script.say.contains_key(plain));
        if !said {
            found.push(PlaybookProblem {
                file: file.to_owned(),
                wanted: plain.to_owned(),
                what: "stands in the sequence, but nothing is said for it".to_owned(),
                fix: format!("add `{plain} = […]` under [say], or take it out of `moves`"),
            });
        }
    }
}

fn wordings(language: Language, file: &str, script: &Script, found: &mut Vec<PlaybookProblem>) {
    for (name, wordings) in &script.say {
        if wordings.len() < FEWEST_WORDINGS {
            found.push(PlaybookProblem {
                file: file.to_owned(),
                wanted: name.clone(),
                what: format!("has {} wordings, at least {FEWEST_WORDINGS} are needed", wordings.len()),
                fix: "add wordings, so that no customer reads one twice".to_owned(),
            });
        }
        for wording in wordings {
            one(language, file, name, wording, found);
        }
    }
    for ask in &script.ask {
        one(language, file, "ask", &ask.wording, found);
    }
}

fn one(language: Language, file: &str, wanted: &str, wording: &Wording, found: &mut Vec<PlaybookProblem>) {
    let mut push = |what: String, fix: &str| {
        found.push(PlaybookProblem {
            file: file.to_owned(),
            wanted: wanted.to_owned(),
            what,
            fix: fix.to_owned(),
        });
    };
    for slot in wording.slots.iter().filter(|slot| !SLOTS.contains(&slot.as_str())) {
        push(format!("`{{{{ {slot} }}}}` is no slot"), &format!("use one of {}", SLOTS.join(", ")));
    }
    let mut told: Vec<String> = Vec::new();
    // most wordings are the same in every form of address
    let forms = [Address::Formal, Address::Informal, Address::Voseo];
    let templates: BTreeSet<_> = forms.into_iter().map(|address| wording.template(address)).collect();
    for template in templates {
        if let Err(error) = minijinja::Environment::new().template_from_str(&template) {
            push(format!("is no template: {error}"), "close every `{{` with `}}`");
            break;
        }
        for broken in guard::check_wording(language, &template) {
            let what = format!("breaks the rule {broken} in “{}”", wording.text);
            // the forms of address share most of their words
            if !told.contains(&what) {
                push(what.clone(), "say it differently");
                told.push(what);
            }
        }
    }
}

/// The last paragraph before the signature has a move that says what happens next in every wording,
/// in every form of address.
fn ending(language: Language, book: &Book, file: &str, script: &Script, found: &mut Vec<PlaybookProblem>) {
    let Some(last) = script.moves.len().checked_sub(2).and_then(|at| script.moves.get(at)) else { return };
    let must = |name: &&String| !name.ends_with('?') && *name != "ask";
    let next = &lexicon::of(language).next;
    let silent = |wording: &Wording| {
        [Address::Formal, Address::Informal, Address::Voseo].into_iter().any(|address| {
            let said = lexicon::fold(&wording.template(address));
            !lexicon::has(&said, next)
        })
    };
    let common = book.script("common");
    let of = |name: &String| script.say.get(name).or_else(|| common.and_then(|script| script.say.get(name)));
    let moves: Vec<(&String, &Vec<Wording>)> =
        last.iter().filter(must).filter_map(|name| of(name).map(|wordings| (name, wordings))).collect();
    let spoken = moves.iter().any(|(_, wordings)| !wordings.iter().any(silent));
    // what is said instead of a move, such as `plan-inquiry` for `plan`, ends the draft as well
    let instead = last.iter().filter(must).flat_map(|name| {
        let variant = format!("{name}-");
        script.say.iter().filter(move |(wanted, _)| wanted.starts_with(&variant))
    });
    let ending = moves.last().copied().filter(|_| !spoken).into_iter().chain(instead);
    for (name, wording) in ending.flat_map(|(name, all)| all.iter().map(move |wording| (name, wording))) {
        if !silent(wording) {
            continue;
        }
        found.push(PlaybookProblem {
            file: file.to_owned(),
            wanted: (*name).clone(),
            what: format!(
                "breaks the rule {}: it ends the draft and does not say what happens next in “{}”",
                Rule::NoNextStep.as_str(),
                wording.text
            ),
            fix: "say what we do, and by when".to_owned(),
        });
    }
}
