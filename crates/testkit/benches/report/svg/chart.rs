//! A chart of horizontal bars, in groups.

use std::fmt::Write as _;

use super::scale::{Axis, Scale};
use super::style::{Family, STYLE};

const WIDTH: f64 = 760.0;
/// Where bars begin, and how much room the value behind the longest needs.
const LEFT: f64 = 208.0;
const RIGHT: f64 = 84.0;
const TOP: f64 = 68.0;
const ROW: f64 = 23.0;
const BAR: f64 = 15.0;
const HEAD: f64 = 24.0;
const BOTTOM: f64 = 76.0;
const MARGIN: f64 = 16.0;

/// What is drawn.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// How it was measured, in one line.
    pub(crate) subtitle: String,
    /// What the axis counts, with its unit.
    pub(crate) unit: &'static str,
    /// `more` or `less`.
    pub(crate) better: &'static str,
    pub(crate) axis: Axis,
    pub(crate) groups: Vec<Group>,
    /// What the paler part of a bar is, where bars have one.
    pub(crate) first: Option<&'static str>,
}

/// Bars under a heading; none where it is empty.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) head: String,
    pub(crate) bars: Vec<Bar>,
}

/// One value.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// Quartiles, where there are any.
    pub(crate) spread: Option<(f64, f64)>,
    /// Of the value, what is drawn paler.
    pub(crate) first: Option<f64>,
}

impl Chart {
    /// As text; none without a bar.
    pub(crate) fn svg(&self) -> Option<String> {
        let bars = || self.groups.iter().flat_map(|group| &group.bars);
        bars().next()?;
        let values = bars().flat_map(|bar| [bar.value, bar.spread.map_or(bar.value, |it| it.1)]);
        let scale = Scale::of(self.axis, values);
        let heads = self.groups.iter().filter(|it| !it.head.is_empty()).count();
        let plot = count(bars().count()) * ROW + count(heads) * HEAD;
        let mut out = self.begin(TOP + plot + BOTTOM);
        self.grid(&mut out, &scale, TOP + plot);
        let mut y = TOP;
        for group in &self.groups {
            if !group.head.is_empty() {
                text(&mut out, MARGIN, y + HEAD - 7.0, "head", &group.head);
                y += HEAD;
            }
            for bar in &group.bars {
                draw(&mut out, bar, &scale, y);
                y += ROW;
            }
        }
        self.legend(&mut out, y + 58.0);
        out.push_str("</svg>\n");
        Some(out)
    }

    fn begin(&self, height: f64) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>\n{STYLE}</style>\n\
             <rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
            escaped(&self.title),
            WIDTH - 1.0,
            height - 1.0
        );
        text(&mut out, MARGIN, 28.0, "title", &self.title);
        text(&mut out, MARGIN, 47.0, "small quiet", &self.subtitle);
        out
    }

    fn grid(&self, out: &mut String, scale: &Scale, bottom: f64) {
        for tick in &scale.ticks {
            let x = place(scale, *tick);
            line(out, "grid", (x, TOP - 4.0), (x, bottom + 4.0));
            text(out, x, bottom + 19.0, "small quiet middle", &short(*tick));
        }
        let scaled = match self.axis {
            Axis::Linear => "",
            Axis::Logarithmic => ", logarithmic",
        };
        let (unit, better) = (self.unit, self.better);
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        text(
            out,
            middle,
            bottom + 37.0,
            "small quiet middle",
            &format!("{unit}{scaled}; {better} is better"),
        );
    }

    /// The families that are in it.
    fn legend(&self, out: &mut String, y: f64) {
        let mut bars = self.groups.iter().flat_map(|group| &group.bars);
        let families: Vec<_> = bars.by_ref().map(|bar| Family::of(&bar.label)).collect();
        let mut x = MARGIN;
        for family in Family::ALL.into_iter().filter(|it| families.contains(it)) {
            let class = family.class();
            rect(out, class, (x, y - 9.0), (11.0, 11.0));
            text(out, x + 16.0, y, "small", family.said());
            x += 34.0 + count(family.said().len()) * 6.7;
        }
        if let Some(first) = self.first {
            rect(out, "plain first", (x, y - 9.0), (11.0, 11.0));
            text(out, x + 16.0, y, "small", first);
        }
    }
}

fn draw(out: &mut String, bar: &Bar, scale: &Scale, y: f64) {
    let class = Family::of(&bar.label).class();
    let base = y + BAR - 3.0;
    text(out, LEFT - 10.0, base, "label end", &bar.label);
    let end = place(scale, bar.value).max(LEFT + 1.0);
    match bar.first {
        Some(first) => {
            let middle = place(scale, first);
            rect(out, &format!("{class} first"), (LEFT, y), (middle - LEFT, BAR));
            rect(out, class, (middle, y), ((end - middle).max(0.0), BAR));
        }
        None => rect(out, class, (LEFT, y), (end - LEFT, BAR)),
    }
    let mut behind = end;
    if let Some((lower, upper)) = bar.spread.filter(|(lower, upper)| upper > lower) {
        let (from, to) = (place(scale, lower).max(LEFT), place(scale, upper));
        let middle = y + BAR / 2.0;
        line(out, "spread", (from, middle), (to, middle));
        for x in [from, to] {
            line(out, "spread", (x, middle - 3.0), (x, middle + 3.0));
        }
        behind = behind.max(to);
    }
    text(out, behind + 6.0, base, "value", &short(bar.value));
}

fn place(scale: &Scale, value: f64) -> f64 {
    LEFT + scale.place(value) * (WIDTH - RIGHT - LEFT)
}

fn text(out: &mut String, x: f64, y: f64, class: &str, content: &str) {
    let content = escaped(content);
    // Writing into a string cannot fail.
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{content}</text>");
}

fn rect(out: &mut String, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
    );
}

fn line(out: &mut String, class: &str, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) {
    let _ = writeln!(
        out,
        "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{to_x:.1}\" y2=\"{to_y:.1}\" class=\"{class}\"/>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// With three digits that count, thousands apart.
fn short(value: f64) -> String {
    if value >= 1000.0 {
        let whole = format!("{value:.0}");
        let split = whole.len() - 3;
        return format!("{} {}", &whole[..split], &whole[split..]);
    }
    let digits = match value {
        it if it >= 100.0 || it == 0.0 => 0,
        it if it >= 10.0 => 1,
        it if it >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[allow(clippy::cast_precision_loss)]
fn count(number: usize) -> f64 {
    number as f64
}
