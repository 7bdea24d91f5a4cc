//! Figures as one HTML page with plots in SVG, no script, nothing loaded.

use std::fmt::Write;

use super::evaluate::{Figures, Judged};

/// Side of a small plot, in pixels.
const SIDE: f64 = 200.0;

/// The page for judged mails.
#[must_use]
pub fn html(title: &str, labels: &[String], judged: &[Judged<'_>]) -> String {
    html_with(title, labels, judged, "")
}

/// The page for judged mails, with more HTML before the plots.
#[must_use]
pub fn html_with(title: &str, labels: &[String], judged: &[Judged<'_>], more: &str) -> String {
    let figures = Figures::of(labels, judged);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}}pre{{font:12px/1.4 ui-monospace,monospace;overflow-x:auto}}figure{{display:inline-block;margin:0 1rem 1rem 0}}figcaption{{font-size:13px}}svg{{background:#fafafa;border:1px solid #ddd}}text{{font:10px system-ui,sans-serif}}</style>\n<h1>{title}</h1>\n"
    );
    let _ = write!(
        page,
        "<p>{} mails, macro F1 {:.3}, primary label right {}.</p><pre>{}</pre>",
        figures.mails,
        figures.macro_f1(),
        figures.primary,
        figures.text()
    );
    page.push_str(more);
    page.push_str("<h2>Primary label: true by row, decided by column</h2>");
    page.push_str(&confusion(&figures));
    page.push_str("<h2>Calibration: mean probability across, share present up</h2>");
    for (number, name) in labels.iter().enumerate() {
        page.push_str(&plot(name, &calibration(number, judged), true, None));
    }
    page.push_str("<h2>Precision up by recall across; the ring is the threshold in force</h2>");
    for (number, name) in labels.iter().enumerate() {
        let tally = figures.each.get(number).map(|label| label.tally);
        let ring = tally.map(|tally| (tally.recall(), tally.precision()));
        page.push_str(&plot(name, &precision_recall(number, judged), false, ring));
    }
    page.push_str("</html>\n");
    page
}

#[expect(clippy::cast_precision_loss, reason = "counts of mails and labels")]
fn confusion(figures: &Figures) -> String {
    let size = figures.labels.len() + 1;
    let (cell, left, top) = (42.0, 90.0, 80.0);
    let mut svg = format!(
        "<svg width=\"{0}\" height=\"{1}\">",
        left + cell * size as f64 + 10.0,
        top + cell * size as f64 + 10.0
    );
    let name = |number: usize| figures.labels.get(number).map_or("none", String::as_str);
    for row in 0..size {
        let y = top + cell * row as f64;
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            y + 25.0,
            name(row)
        );
        let x = left + cell * row as f64 + 20.0;
        let _ =
            write!(svg, "<text transform=\"translate({x},{}) rotate(-60)\">{}</text>", top - 6.0, name(row));
        let all: usize = (0..size).filter_map(|column| figures.confusion.get(&(row, column))).sum();
        for column in 0..size {
            let count = figures.confusion.get(&(row, column)).copied().unwrap_or(0);
            let share = count as f64 / all.max(1) as f64;
            let colour = if row == column { "46,125,50" } else { "198,40,40" };
            let x = left + cell * column as f64;
            let _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{cell}\" height=\"{cell}\" fill=\"rgba({colour},{share:.3})\" stroke=\"#ddd\"/>"
            );
            if count > 0 {
                let _ = write!(
                    svg,
                    "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{count}</text>",
                    x + cell / 2.0,
                    y + 25.0
                );
            }
        }
    }
    svg + "</svg>"
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

/// A plot of points between 0 and 1, joined by a line, with a ring around one.
#[must_use]
pub fn plot(name: &str, points: &[(f64, f64)], diagonal: bool, ring: Option<(f64, f64)>) -> String {
    let mut svg = format!("<figure><svg width=\"{SIDE}\" height=\"{SIDE}\">");
    if diagonal {
        let _ = write!(svg, "<line x1=\"0\" y1=\"{SIDE}\" x2=\"{SIDE}\" y2=\"0\" stroke=\"#bbb\"/>");
    }
    svg.push_str("<polyline fill=\"none\" stroke=\"#1565c0\" stroke-width=\"2\" points=\"");
    for (x, y) in points {
        let _ = write!(svg, "{:.1},{:.1} ", x * SIDE, (1.0 - y) * SIDE);
    }
    svg.push_str("\"/>");
    if let Some((x, y)) = ring {
        let _ = write!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"none\" stroke=\"#c62828\" stroke-width=\"2\"/>",
            x * SIDE,
            (1.0 - y) * SIDE
        );
    }
    let _ = write!(svg, "</svg><figcaption>{name}</figcaption></figure>");
    svg
}
