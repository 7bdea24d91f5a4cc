//! Figures with plots, as a page of their own or as a part of the window's.

use std::fmt::Write;

use super::evaluate::{Figures, Judged};
use crate::plot::{Curve, confusion, curve, escaped};

/// The look of the window, which a page of its own carries with it.
const STYLE: &str = include_str!("../edge/http/window/pages/style.css");

/// What is shown, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What it is about.
    pub title: String,
    markup: String,
}

impl Report {
    /// Without anything yet.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), markup: String::new() }
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        let _ = writeln!(self.markup, "<h2>{}</h2>", escaped(text));
    }

    /// A paragraph; what stands between backticks is a command.
    pub fn say(&mut self, text: &str) {
        self.markup.push_str("<p>");
        for (place, part) in text.split('`').enumerate() {
            let part = escaped(part);
            let _ = if place.is_multiple_of(2) {
                write!(self.markup, "{part}")
            } else {
                write!(self.markup, "<code>{part}</code>")
            };
        }
        self.markup.push_str("</p>\n");
    }

    /// Lines as they stand.
    pub fn table(&mut self, text: &str) {
        let _ = write!(self.markup, "<div class=\"wide\"><pre class=\"table\">{}</pre></div>", escaped(text));
    }

    /// Plots side by side, each an SVG of [`crate::plot`] with its caption.
    pub fn plots(&mut self, kind: &str, all: impl IntoIterator<Item = (String, String)>) {
        let _ = write!(self.markup, "<div class=\"{}\">", escaped(kind));
        for (caption, svg) in all {
            let _ =
                write!(self.markup, "<figure><figcaption>{}</figcaption>{svg}</figure>", escaped(&caption));
        }
        self.markup.push_str("</div>\n");
    }

    /// Figures of judged mails: how many are right.
    pub fn figures(&mut self, labels: &[String], judged: &[Judged<'_>]) -> Figures {
        let figures = Figures::of(labels, judged);
        self.say(&format!(
            "{} mails, macro F1 {:.3}, primary label right {}.",
            figures.mails,
            figures.macro_f1(),
            figures.primary
        ));
        self.table(&figures.text());
        figures
    }

    /// Plots of judged mails: confusion, calibration, precision and recall.
    pub fn judged(&mut self, labels: &[String], judged: &[Judged<'_>], figures: &Figures) {
        self.heading("Primary label: true by row, decided by column");
        let names: Vec<&str> = figures.labels.iter().map(String::as_str).chain(["none"]).collect();
        let count = |row, column| figures.confusion.get(&(row, column)).copied().unwrap_or(0);
        let drawn = confusion("Primary label: true by row, decided by column", &names, count);
        self.plots("wide", [(String::new(), drawn)]);
        self.heading("Reliability: on the diagonal a probability is what it says");
        let drawn = labels.iter().enumerate().map(|(number, name)| {
            let plot = Curve {
                points: calibration(number, judged),
                diagonal: true,
                ring: None,
                axes: ("mean probability", "share present"),
            };
            (name.clone(), curve(&format!("Reliability of {name}"), &plot))
        });
        self.plots("plots small", drawn);
        self.heading("Precision and recall; the ring is the threshold in force");
        let drawn = labels.iter().enumerate().map(|(number, name)| {
            let tally = figures.each.get(number).map(|label| label.tally);
            let plot = Curve {
                points: precision_recall(number, judged),
                diagonal: false,
                ring: tally.map(|tally| (tally.recall(), tally.precision())),
                axes: ("recall", "precision"),
            };
            (name.clone(), curve(&format!("Precision and recall of {name}"), &plot))
        });
        self.plots("plots small", drawn);
    }

    /// What is shown, as a part of a page.
    #[must_use]
    pub fn markup(&self) -> &str {
        &self.markup
    }

    /// A page of its own: nothing is loaded, nothing runs.
    #[must_use]
    pub fn page(&self) -> String {
        let title = escaped(&self.title);
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\n<style>\n{STYLE}</style></head>\n<body><main><h1>{title}</h1>\n{}</main></body></html>\n",
            self.markup
        )
    }
}

/// The report on judged mails.
#[must_use]
pub fn of_judged(title: &str, labels: &[String], judged: &[Judged<'_>]) -> Report {
    let mut report = Report::new(title);
    let figures = report.figures(labels, judged);
    report.judged(labels, judged, &figures);
    report
}

/// Mean probability and share present in ten bins.
#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
fn calibration(label: usize, judged: &[Judged<'_>]) -> Vec<(f64, f64)> {
    let points = (0..10).filter_map(|bin| {
        let (low, high) = (f64::from(bin) / 10.0, f64::from(bin + 1) / 10.0);
        let inside = judged.iter().filter_map(|one| {
            Some((f64::from(*one.probabilities.get(label)?), *one.example.labels.get(label)?))
        });
        let inside: Vec<(f64, bool)> = inside.filter(|(p, _)| *p >= low && (*p < high || bin == 9)).collect();
        let count = inside.len() as f64;
        let mean = inside.iter().map(|(p, _)| p).sum::<f64>() / count;
        let share = inside.iter().filter(|(_, is)| *is).count() as f64 / count;
        (count >= 3.0).then_some((mean, share))
    });
    points.collect()
}

/// Recall and precision at every threshold.
#[expect(clippy::cast_precision_loss, reason = "counts of mails")]
fn precision_recall(label: usize, judged: &[Judged<'_>]) -> Vec<(f64, f64)> {
    let scored = judged
        .iter()
        .filter_map(|one| Some((*one.probabilities.get(label)?, *one.example.labels.get(label)?)));
    let mut scored: Vec<(f32, bool)> = scored.collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let present = scored.iter().filter(|(_, is)| *is).count().max(1) as f64;
    let mut hits = 0.0;
    let points = (1..).zip(&scored).filter_map(|(found, (_, is))| {
        hits += f64::from(u8::from(*is));
        is.then_some((hits / present, hits / f64::from(found)))
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Example;

    #[test]
    fn a_page_holds_every_plot_and_nothing_of_it_is_loaded_or_run() {
        let example = |present| Example {
            id: "1".into(),
            language: crate::mail::Language::En,
            mail: crate::mail::Mail::default(),
            labels: vec![present],
            kind: String::new(),
        };
        let examples = [example(true), example(false)];
        let judged: Vec<Judged<'_>> = examples
            .iter()
            .map(|example| Judged {
                example,
                probabilities: vec![0.7],
                decided: vec![example.labels == [true]],
            })
            .collect();
        let page = of_judged("a <b>", &["<i>".to_owned()], &judged).page();
        assert_eq!(page.matches("<svg").count(), 3, "{page}");
        assert!(page.contains("class=\"ring\" cx=\"178.0\" cy=\"4.0\""), "everything is right: {page}");
        for bad in ["<i>", "a <b>", "<script", "style=", "http", "src="] {
            assert!(!page.contains(bad), "{bad} in {page}");
        }
        assert!(page.contains("prefers-color-scheme: dark"));
    }
}
