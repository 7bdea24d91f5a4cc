//! Plots as inline SVG, without scripts, styles or colours of their own: the sheet of the page
//! (`style.css` of the window, which reports carry, too) colours them, light and dark.

use std::fmt::Write as _;

/// A row of [`bars`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What is counted.
    pub name: String,
    /// How many.
    pub value: f64,
    /// As it stands at the end of the bar.
    pub shown: String,
}

impl Bar {
    /// A bar as long as `count`.
    #[must_use]
    pub fn count(name: impl Into<String>, count: usize) -> Self {
        Self { name: name.into(), value: number(count), shown: count.to_string() }
    }
}

const WIDTH: f64 = 320.0;
const ROW: f64 = 18.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 104.0;
const LONGEST: f64 = 164.0;

/// Horizontal bars, the longest as wide as there is room.
#[must_use]
pub fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let height = ROW * number(bars.len()) + 4.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\"><line class=\"base\" x1=\"{LEFT}\" y1=\"0\" x2=\"{LEFT}\" y2=\"{height}\"/>",
        escaped(title)
    );
    let mut y = 2.0;
    for bar in bars {
        let length = (bar.value / most * LONGEST).max(0.0);
        let (text, end) = (y + ROW * 0.68, LEFT + length + 4.0);
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{text:.1}\" text-anchor=\"end\">{}</text><rect x=\"{LEFT}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"{:.1}\"/><text x=\"{end:.1}\" y=\"{text:.1}\">{}</text>",
            LEFT - 6.0,
            escaped(&bar.name),
            y + 2.0,
            ROW - 5.0,
            escaped(&bar.shown),
        );
        y += ROW;
    }
    svg.push_str("</svg>");
    svg
}

/// Points between 0 and 1, joined by a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The points.
    pub points: Vec<(f64, f64)>,
    /// Whether the diagonal is drawn, on which they should lie.
    pub diagonal: bool,
    /// A point with a ring around it.
    pub ring: Option<(f64, f64)>,
    /// What is across, and what is up.
    pub axes: (&'static str, &'static str),
}

/// Side of a curve's square, and the room for what is written beside it.
const SIDE: f64 = 160.0;
const EDGE: f64 = 18.0;

/// A square with a curve in it.
#[must_use]
pub fn curve(title: &str, curve: &Curve) -> String {
    let place =
        |(x, y): (f64, f64)| (EDGE + x.clamp(0.0, 1.0) * SIDE, 4.0 + (1.0 - y.clamp(0.0, 1.0)) * SIDE);
    let (left, bottom) = place((0.0, 0.0));
    let (right, top) = place((1.0, 1.0));
    let (width, height) = (right + 6.0, bottom + EDGE);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\"><path class=\"base\" d=\"M{left} {top}V{bottom}H{right}\"/>",
        escaped(title)
    );
    if curve.diagonal {
        let _ = write!(svg, "<path class=\"base\" d=\"M{left} {bottom}L{right} {top}\"/>");
    }
    let points = curve.points.iter().fold(String::new(), |mut all, point| {
        let (x, y) = place(*point);
        let _ = write!(all, "{x:.1},{y:.1} ");
        all
    });
    if curve.points.len() > 1 {
        let _ = write!(svg, "<polyline class=\"curve\" points=\"{}\"/>", points.trim_end());
    }
    // few points are told apart, and one alone is seen
    for point in curve.points.iter().filter(|_| curve.points.len() <= 12) {
        let (x, y) = place(*point);
        let _ = write!(svg, "<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>");
    }
    if let Some((x, y)) = curve.ring.map(place) {
        let _ = write!(svg, "<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>");
    }
    let (across, up) = curve.axes;
    let _ = write!(
        svg,
        "<text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><text transform=\"translate(12,{top}) rotate(-90)\" text-anchor=\"end\">{}</text></svg>",
        bottom + 13.0,
        escaped(across),
        escaped(up)
    );
    svg
}

/// Side of a cell, and the room for names.
const CELL: f64 = 34.0;
const NAMES: f64 = 84.0;

/// What was decided (across) for what is true (down): `count` of the row and column with these numbers.
#[must_use]
pub fn confusion(title: &str, names: &[&str], count: impl Fn(usize, usize) -> usize) -> String {
    let side = NAMES + CELL * number(names.len()) + 4.0;
    let mut svg = format!(
        "<svg class=\"confusion\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{}\">",
        escaped(title)
    );
    for (row, name) in names.iter().enumerate() {
        let at = NAMES + CELL * number(row);
        let name = escaped(name);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text><text transform=\"translate({:.1},{:.1}) rotate(-60)\">{name}</text>",
            NAMES - 5.0,
            at + 21.0,
            at + 18.0,
            NAMES - 5.0
        );
        let all: usize = (0..names.len()).map(|column| count(row, column)).sum();
        for column in 0..names.len() {
            let found = count(row, column);
            let share = number(found) / number(all.max(1));
            let x = NAMES + CELL * number(column);
            let kind = if row == column { "right" } else { "wrong" };
            let _ = write!(svg, "<path class=\"cell\" d=\"M{x} {at}h{CELL}v{CELL}h-{CELL}z\"/>");
            if found > 0 {
                let _ = write!(
                    svg,
                    "<rect class=\"{kind}\" x=\"{x}\" y=\"{at}\" width=\"{CELL}\" height=\"{CELL}\" fill-opacity=\"{:.2}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{found}</text>",
                    share * 0.6,
                    x + CELL / 2.0,
                    at + 21.0
                );
            }
        }
    }
    svg + "</svg>"
}

/// A text in markup.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
        out
    })
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup_and_no_bar_leaves_the_picture() {
        let drawn = bars("a \"b\"", &[Bar::count("<script>", 5), Bar::count("b", 0)]);
        assert!(
            !drawn.contains("<script>")
                && drawn.contains("&lt;script&gt;")
                && drawn.contains("a &quot;b&quot;")
        );
        assert!(drawn.contains("width=\"164.0\"") && drawn.contains("width=\"0.0\""), "{drawn}");
        assert!(bars("none", &[]).ends_with("</svg>"));
        assert!(!confusion("<b>", &["<i>"], |_, _| 1).contains("<i>"));
    }

    #[test]
    fn a_curve_stays_in_its_square_and_shows_the_ring() {
        let points = vec![(0.0, 1.0), (0.5, 2.0), (1.0, -1.0)];
        let drawn = curve("x", &Curve { points, diagonal: true, ring: Some((1.0, 0.0)), axes: ("a", "b") });
        assert!(drawn.contains("points=\"18.0,4.0 98.0,4.0 178.0,164.0\""), "{drawn}");
        assert!(drawn.contains("class=\"ring\" cx=\"178.0\" cy=\"164.0\""), "{drawn}");
        assert!(!curve("x", &Curve::default()).contains("polyline"));
    }

    #[test]
    fn a_confusion_colours_by_the_share_of_its_row() {
        let drawn = confusion("x", &["a", "b"], |row, column| if row == column { 3 } else { row });
        assert_eq!(drawn.matches("class=\"right\"").count(), 2);
        assert_eq!(drawn.matches("class=\"wrong\"").count(), 1, "{drawn}");
        assert!(
            drawn.contains("fill-opacity=\"0.60\"") && drawn.contains("fill-opacity=\"0.45\""),
            "{drawn}"
        );
    }
}
