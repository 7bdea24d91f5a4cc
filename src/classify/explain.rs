//! Why a mail got its scores: words, concepts, sentences and form whose shares add up to the
//! log-odds, and the rules that matched.

use std::collections::BTreeMap;

use super::features::{self, Block, Sense};
use super::form;
use super::label::Label;
use super::lexicon::Finder;
use super::mixed;
use super::model::{Model, Rows};
use super::rules::{Effect, Rules};
use super::score::Scratch;
use super::text::{Part, Sentence};
use super::thresholds::Thresholds;
use super::{Evidence, EvidenceKind, classify_with};
use crate::mail::Mail;

/// How many pieces of evidence are told for a label, apart from rules.
const MOST: usize = 12;
/// Longest text of a piece of evidence, in characters.
const LONGEST: usize = 160;

/// The evidence for every label found, strongest first, and for the likeliest when none is found.
/// What is too small to tell is summed up under the id `rest`, so that the weights of a label add
/// up to its log-odds.
#[must_use]
pub fn evidence(mail: &Mail, model: &Model, rules: &Rules, thresholds: &Thresholds) -> Vec<Evidence> {
    let mut scratch = Scratch::default();
    let verdict = classify_with(&mut scratch, mail, model, rules, thresholds);
    if let Some(reason) = mail.automated {
        let text = serde_json::to_value(reason).ok();
        let text = text.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let (label, kind) = (Label::Automated, EvidenceKind::Rule);
        return vec![Evidence { label, kind, id: "headers".into(), text, weight: Effect::CERTAIN }];
    }
    let likeliest = Label::ALL.into_iter().max_by(|a, b| verdict.score(*a).total_cmp(&verdict.score(*b)));
    let mut labels: Vec<Label> = verdict.labels.iter().map(|found| found.label).collect();
    if labels.is_empty() {
        labels.extend(likeliest);
    }
    labels.into_iter().flat_map(|label| short(of_label(label, mail, model, rules, &mut scratch))).collect()
}

/// All evidence for one label; the weights add up to its log-odds.
#[must_use]
pub fn full(label: Label, mail: &Mail, model: &Model, rules: &Rules) -> Vec<Evidence> {
    let mut scratch = Scratch::default();
    model.score(mail, &mut scratch);
    of_label(label, mail, model, rules, &mut scratch)
}

fn of_label(label: Label, mail: &Mail, model: &Model, rules: &Rules, scratch: &mut Scratch) -> Vec<Evidence> {
    let shares = Shares::of(label as usize, model, scratch);
    let mut logit = scratch.logits().get(label as usize).copied().unwrap_or(0.0);
    let evidence = |kind, id: &str, text: &str, weight| Evidence {
        label,
        kind,
        id: id.to_owned(),
        text: text.to_owned(),
        weight,
    };
    let mut all: Vec<Evidence> = shares
        .0
        .into_iter()
        .map(|((id, text), weight)| evidence(EvidenceKind::Model, id, &text, weight))
        .collect();
    let learnt = model.learnt_shares(label as usize, mail, scratch);
    all.extend(learnt.iter().map(|(word, weight)| evidence(EvidenceKind::Model, "learnt", word, *weight)));
    for rule in rules.matching(&scratch.text, mail.language).filter(|rule| rule.label == label) {
        let after = rule.effect.on(logit);
        let text = rule.find(scratch.text.folded()).unwrap_or_default();
        all.push(evidence(EvidenceKind::Rule, &rule.id, text, after - logit));
        logit = after;
    }
    all.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then_with(|| a.text.cmp(&b.text)));
    all
}

/// The strongest pieces and all rules; the others summed up.
fn short(all: Vec<Evidence>) -> Vec<Evidence> {
    let Some(label) = all.first().map(|first| first.label) else {
        return all;
    };
    let (mut told, mut rest, mut count) = (vec![], 0.0, 0);
    for one in all {
        let rule = one.kind == EvidenceKind::Rule;
        if rule || (count < MOST && one.id != "base") {
            count += usize::from(!rule);
            told.push(one);
        } else {
            rest += one.weight;
        }
    }
    told.push(Evidence {
        label,
        kind: EvidenceKind::Model,
        id: "rest".into(),
        text: String::new(),
        weight: rest,
    });
    told
}

/// What each word, concept, sentence and form adds to one log-odds.
struct Shares(BTreeMap<(&'static str, String), f32>);

impl Shares {
    fn of(label: usize, model: &Model, scratch: &mut Scratch) -> Self {
        let width = model.inputs();
        let stack = model.stack.weights.get(label * width..(label + 1) * width).unwrap_or_default();
        let base = model.stack.bias.get(label).copied().unwrap_or(0.0);
        let views = model.bias.len();
        let (whole, rest) = stack.split_at_checked(views).unwrap_or_default();
        let (most, rest) = rest.split_at_checked(views).unwrap_or_default();
        let (mean, forms) = rest.split_at_checked(views).unwrap_or_default();
        let mut shares = Self(BTreeMap::new());
        // a score and the same score between 0 and 1 are told as one
        let place = mixed::bounded(model.labels.len(), Block::VIEWS);
        let bounded = stack.get(place).unwrap_or_default();
        let (of_whole, of_most) = bounded.split_at_checked(views).unwrap_or_default();
        let base = base + bounded.iter().sum::<f32>() / 2.0;
        let (whole_scores, rest) = scratch.inputs.split_at_checked(views).unwrap_or_default();
        let whole = told(whole, of_whole, whole_scores);
        let most = told(most, of_most, rest);
        shares.add("base", String::new(), base + dot(&whole, &model.bias));
        shares.sentences(model, scratch, &most, mean);
        shares.words(model, scratch, &whole);
        let values = scratch.inputs.get(3 * views..).unwrap_or_default();
        for ((name, weight), value) in form::NAMES.iter().zip(forms).zip(values) {
            if *value != 0.0 {
                shares.add("form", (*name).to_owned(), weight * value);
            }
        }
        let told = mixed::bounded(model.labels.len(), Block::VIEWS);
        let rest = |at: &usize| *at >= form::COUNT && !told.contains(&(at + views * Model::POOLS));
        let pairs = forms.iter().zip(values).enumerate().filter(|(at, _)| rest(at));
        shares.add("together", String::new(), pairs.map(|(_, (weight, value))| weight * value).sum());
        shares
    }

    fn add(&mut self, id: &'static str, text: String, weight: f32) {
        *self.0.entry((id, text)).or_default() += weight;
    }

    /// What sentences add through the highest and the mean score.
    fn sentences(&mut self, model: &Model, scratch: &mut Scratch, most: &[f32], mean: &[f32]) {
        let Scratch { text, found, finder, sentence: sums, .. } = scratch;
        let mut lanes = vec![];
        let judged = text.sentences().iter().enumerate().filter(|(_, sentence)| sentence.part != Part::Name);
        let judged: Vec<(&Sentence, Vec<f32>)> = judged
            .map(|(number, sentence)| {
                let mut scores = vec![];
                sums.clear(model.lanes());
                model.add_sentence(text, found, number, finder, sums);
                model.finish(sums, &mut lanes);
                model.spread(&lanes, &mut scores);
                (sentence, scores)
            })
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "sentences of a mail")]
        let share = 1.0 / judged.len().max(1) as f32;
        // for each score the first of the sentences where it is highest
        let mut highest = vec![(f32::NEG_INFINITY, 0); most.len()];
        for (number, (_, scores)) in judged.iter().enumerate() {
            for (highest, score) in highest.iter_mut().zip(scores) {
                if *score > highest.0 {
                    *highest = (*score, number);
                }
            }
        }
        for (number, (sentence, scores)) in judged.iter().enumerate() {
            let places = scores.iter().zip(most).zip(mean).zip(&highest);
            let weights = places.map(|(((score, most), mean), (_, strongest))| {
                score * (mean * share + if *strongest == number { *most } else { 0.0 })
            });
            self.add("sentence", cut(&said(text, sentence)), weights.sum());
        }
    }

    /// What words and concepts add through the score of the whole mail.
    fn words(&mut self, model: &Model, scratch: &mut Scratch, whole: &[f32]) {
        let labels = model.labels.len();
        let factors = model.factors(&scratch.whole);
        let mut coefficients = factors.map(|factor| vec![factor; labels]);
        for (row, block) in coefficients.iter_mut().zip(Block::ALL) {
            for (cell, weight) in row.iter_mut().zip(whole.iter().skip(block.view() * labels)) {
                *cell *= weight;
            }
        }
        let text = &scratch.text;
        let mut finder = Finder::default();
        for sentence in text.sentences() {
            self.words_of(model, &coefficients, text, sentence);
            let hits = finder.find(&model.lexicon, text, sentence);
            self.concepts_of(model, &coefficients, text, sentence, hits);
        }
    }

    fn words_of(
        &mut self,
        model: &Model,
        coefficients: &[Vec<f32>; Block::COUNT],
        text: &super::text::Text,
        sentence: &Sentence,
    ) {
        let [words, pairs, grams, head, ..] = &model.blocks;
        let [of_word, of_pair, of_gram, of_head, ..] = coefficients;
        let of = text.of(sentence);
        let mut weights = vec![0.0; of.len()];
        if sentence.part != Part::Body {
            for (weight, word) in weights.iter_mut().zip(of) {
                *weight += head.dot(features::head_key(sentence.part, word.key), of_head);
            }
        }
        if sentence.part != Part::Name {
            for (weight, word) in weights.iter_mut().zip(of) {
                *weight += words.dot(word.key, of_word);
                features::grams(text.word(word), |key| *weight += grams.dot(key, of_gram));
            }
            let mut place = 0;
            features::pairs(of.iter().map(|word| word.key), sentence.question, |key| {
                // half to the word before, half to the word after; edges have one word only
                let whole = pairs.dot(key, of_pair);
                let both = [place - 1, place]
                    .into_iter()
                    .filter_map(|at| usize::try_from(at).ok())
                    .filter(|at| *at < of.len());
                let count = if place == 0 || usize::try_from(place) == Ok(of.len()) { 1.0 } else { 2.0 };
                for at in both {
                    if let Some(weight) = weights.get_mut(at) {
                        *weight += whole / count;
                    }
                }
                place += 1_i64;
            });
        }
        for (weight, word) in weights.into_iter().zip(of) {
            self.add("word", text.word(word).to_owned(), weight);
        }
    }

    fn concepts_of(
        &mut self,
        model: &Model,
        coefficients: &[Vec<f32>; Block::COUNT],
        text: &super::text::Text,
        sentence: &Sentence,
        hits: &[super::lexicon::Hit],
    ) {
        let [.., concepts, links, meanings] = &model.blocks;
        let [.., of_concept, of_link, of_meaning] = coefficients;
        for hit in hits {
            let key = model.lexicon.key(hit.concept);
            let (id, rows, coefficients): (_, &Rows, _) = if model.lexicon.is_meaning(hit.concept) {
                ("meaning", meanings, of_meaning)
            } else {
                ("concept", concepts, of_concept)
            };
            let words = text.of(sentence).get(usize::from(hit.from)..usize::from(hit.to)).unwrap_or_default();
            let words: Vec<&str> = words.iter().map(|word| text.word(word)).collect();
            let name = model.lexicon.name(hit.concept);
            self.add(id, format!("{name}: {}", words.join(" ")), rows.dot(key, coefficients));
        }
        let mut linked = 0.0;
        features::of_hits(hits, &model.lexicon, |sense| {
            if matches!(sense, Sense::Link(..)) {
                linked += links.dot(sense.key(&model.lexicon), of_link);
            }
        });
        if linked != 0.0 {
            self.add("link", cut(&said(text, sentence)), linked);
        }
    }
}

/// A sentence as folded words.
fn said(text: &super::text::Text, sentence: &Sentence) -> String {
    text.of(sentence).iter().map(|word| text.word(word)).collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The weights of scores with those of the scores between 0 and 1, as the line to where they stand.
fn told(weights: &[f32], bounded: &[f32], scores: &[f32]) -> Vec<f32> {
    let more = bounded.iter().chain(std::iter::repeat(&0.0));
    weights
        .iter()
        .zip(more)
        .zip(scores)
        .map(|((weight, more), score)| weight + more * mixed::slope(*score))
        .collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
