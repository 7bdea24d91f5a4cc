//! Plots as inline SVG, without scripts: one shape for all, horizontal bars with their numbers.

use std::fmt::Write as _;

/// A row of the plot.
pub(super) struct Bar {
    /// What is counted.
    pub(super) name: String,
    /// How many.
    pub(super) value: f64,
    /// As it stands at the end of the bar.
    pub(super) shown: String,
}

impl Bar {
    pub(super) fn count(name: impl Into<String>, count: usize) -> Self {
        let value = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        Self { name: name.into(), value, shown: count.to_string() }
    }
}

const WIDTH: f64 = 320.0;
const ROW: f64 = 18.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 104.0;
const LONGEST: f64 = 164.0;

/// Horizontal bars, the longest as wide as there is room.
pub(super) fn bars(title: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let rows = f64::from(u32::try_from(bars.len()).unwrap_or(u32::MAX));
    let height = ROW * rows + 4.0;
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

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            other => other.to_string(),
        })
        .collect()
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
    }
}
