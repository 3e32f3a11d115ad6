//! Bar charts as plain SVG text, readable on light and dark pages.
//!
//! A picture that a page embeds cannot know the page's colours, so each has a card of its own, dark where the reader
//! prefers that. `chart` is what is drawn, `scale` turns values into places, `style` has the colours.

mod chart;
mod scale;
mod style;

pub(crate) use chart::{Bar, Chart, Group};
pub(crate) use scale::Axis;
