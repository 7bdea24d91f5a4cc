//! Counts of right and wrong decisions, and what follows from them.

/// Right and wrong decisions on a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Present and found.
    pub hits: usize,
    /// Absent but found.
    pub false_alarms: usize,
    /// Present but not found.
    pub misses: usize,
}

impl Tally {
    /// Counts one decision.
    pub const fn count(&mut self, truth: bool, found: bool) {
        match (truth, found) {
            (true, true) => self.hits += 1,
            (false, true) => self.false_alarms += 1,
            (true, false) => self.misses += 1,
            (false, false) => {}
        }
    }

    /// Wrong decisions.
    #[must_use]
    pub const fn wrong(&self) -> usize {
        self.false_alarms + self.misses
    }

    /// How many mails have the label.
    #[must_use]
    pub const fn present(&self) -> usize {
        self.hits + self.misses
    }

    /// The share of findings that are right; 1 when nothing was found.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(self.hits, self.hits + self.false_alarms)
    }

    /// The share of present labels that are found; 1 when none is present.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.hits, self.present())
    }

    /// The harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> f64 {
        ratio(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// The interval of Wilson (1927) for a share, at 95 %.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
pub fn wilson(part: usize, whole: usize) -> (f64, f64) {
    if whole == 0 {
        return (0.0, 1.0);
    }
    let (z, n) = (1.96_f64, whole as f64);
    let p = part as f64 / n;
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// The mean of F1 over labels that occur.
#[must_use]
pub fn macro_f1<'t>(tallies: impl IntoIterator<Item = &'t Tally>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for tally in tallies {
        if tally.present() > 0 || tally.false_alarms > 0 {
            sum += tally.f1();
            count += 1.0;
        }
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_from_the_counts() {
        let mut tally = Tally::default();
        for (truth, found) in [(true, true), (true, true), (false, true), (true, false), (false, false)] {
            tally.count(truth, found);
        }
        assert!((tally.precision() - 2.0 / 3.0).abs() < 1e-9 && (tally.recall() - 2.0 / 3.0).abs() < 1e-9);
        assert!((tally.f1() - 2.0 / 3.0).abs() < 1e-9);
        let (low, high) = wilson(2, 3);
        assert!(low < 0.67 && high > 0.67 && low > 0.0 && high < 1.0);
    }
}
