//! Chooses thresholds from out-of-fold probabilities.

use crate::classify::model::LANGUAGES;
use crate::mail::Language;

/// How much a mail of another language counts when a threshold for one is chosen.
const NEIGHBOUR: f64 = 0.35;
/// The precision a threat's threshold keeps while it seeks recall: a threat missed is worse than one
/// too many, but legal must not stop reading. What lies below goes to review.
const THREAT_PRECISION: f64 = 0.75;
/// The precision that abuse's threshold keeps at the cost of recall: whoever only swears at a thing must not be
/// shown a boundary, nor be counted as abusive.
const ABUSE_PRECISION: f64 = 0.82;

/// One out-of-fold probability.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) probability: f32,
    pub(super) truth: bool,
    pub(super) language: Language,
}

/// The threshold of one label for each of [`LANGUAGES`].
pub(super) fn thresholds(label: &str, scored: &[Scored]) -> Vec<f32> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    LANGUAGES.iter().map(|language| best(&sorted, *language, Aim::of(label))).collect()
}

/// What is sought besides the best F1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// Nothing.
    Balance,
    /// More recall, down to [`THREAT_PRECISION`].
    Recall,
    /// [`ABUSE_PRECISION`] at least.
    Precision,
}

impl Aim {
    fn of(label: &str) -> Self {
        match label {
            "threat" => Self::Recall,
            "abuse" => Self::Precision,
            _ => Self::Balance,
        }
    }
}

/// Walks down the sorted probabilities; the best place is between two neighbours.
fn best(sorted: &[Scored], language: Language, aim: Aim) -> f32 {
    let weight = |scored: &Scored| {
        if language == Language::Other || scored.language == language { 1.0 } else { NEIGHBOUR }
    };
    let present: f64 = sorted.iter().filter(|scored| scored.truth).map(weight).sum();
    let (mut hits, mut alarms) = (0.0, 0.0);
    let mut best = (-1.0, 0.5_f32);
    let mut recalled: Option<f32> = None;
    let mut precise: Option<f32> = None;
    for (place, scored) in sorted.iter().enumerate() {
        if scored.truth {
            hits += weight(scored);
        } else {
            alarms += weight(scored);
        }
        let below = sorted.get(place + 1).map_or(0.0, |next| next.probability);
        let middle = f32::midpoint(scored.probability, below);
        let f1 = 2.0 * hits / (hits + alarms + present);
        if f1 > best.0 {
            best = (f1, middle);
        }
        if scored.truth && hits >= THREAT_PRECISION * (hits + alarms) {
            recalled = Some(middle);
        }
        if scored.truth && hits >= ABUSE_PRECISION * (hits + alarms) {
            precise = Some(middle);
        }
    }
    let chosen = match aim {
        Aim::Balance => best.1,
        Aim::Recall => recalled.map_or(best.1, |recalled| recalled.min(best.1)),
        Aim::Precision => precise.map_or(best.1, |precise| precise.max(best.1)),
    };
    chosen.clamp(0.03, 0.97)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(probability: f32, truth: bool) -> Scored {
        Scored { probability, truth, language: Language::En }
    }

    #[test]
    fn the_threshold_lies_where_f1_is_best() {
        let all = [scored(0.9, true), scored(0.6, true), scored(0.4, false), scored(0.1, false)];
        let [en, ..] = thresholds("idea", &all)[..] else { panic!() };
        assert!((en - 0.5).abs() < 1e-6);
    }

    #[test]
    fn a_threat_is_sought_below_the_best_f1() {
        let mut all: Vec<Scored> = [0.9, 0.88, 0.86, 0.84, 0.8].map(|p| scored(p, true)).to_vec();
        all.extend([scored(0.5, false), scored(0.4, false), scored(0.3, true)]);
        let [plain, ..] = thresholds("idea", &all)[..] else { panic!() };
        let [threat, ..] = thresholds("threat", &all)[..] else { panic!() };
        assert!(plain > 0.5 && threat < 0.3, "{plain} {threat}");
    }

    #[test]
    fn abuse_is_surer_than_the_best_f1_asks() {
        let mut all: Vec<Scored> = [0.9, 0.88, 0.86, 0.84, 0.8].map(|p| scored(p, true)).to_vec();
        all.extend([0.75, 0.7].map(|p| scored(p, false)));
        all.extend([0.6, 0.55, 0.5].map(|p| scored(p, true)));
        let [plain, ..] = thresholds("idea", &all)[..] else { panic!() };
        let [abuse, ..] = thresholds("abuse", &all)[..] else { panic!() };
        assert!(plain < 0.5 && abuse > 0.75, "{plain} {abuse}");
    }
}
