//! What the other benchmarks have written, and where in it a figure is.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::parts::PARTS;
use crate::surroundings::Surroundings;

/// All of them.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) around: Surroundings,
    /// By the name of the benchmark; null where it was not run.
    pub(crate) all: Value,
    /// Its tables, by its name.
    pub(crate) tables: Vec<(&'static str, String)>,
}

/// The middle of a series and its quartiles.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Spread {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Figures {
    pub(crate) fn read(directory: &Path) -> Result<Self, Failure> {
        let mut all = Map::new();
        let mut tables = Vec::new();
        for part in &PARTS {
            let Ok(text) = fs::read_to_string(part.json(directory)) else { continue };
            let mut value: Value = serde_json::from_str(&text)?;
            shorten(&mut value);
            all.insert(part.name.to_owned(), value);
            let table = fs::read_to_string(part.markdown(directory)).unwrap_or_default();
            tables.push((part.name, table));
        }
        let around = Surroundings::again(directory)?;
        Ok(Self { around, all: Value::Object(all), tables })
    }

    /// The servers of `compare` under one kind of load.
    pub(crate) fn load(&self, load: &str) -> &Value {
        find(&self.all["compare"]["loads"], &[("load", load)])
    }

    /// A ratio of it.
    pub(crate) fn ratio(
        &self,
        load: &str,
        server: &str,
        against: &str,
        what: &str,
    ) -> Option<Spread> {
        let ratios = &self.load(load)["ratios"];
        spread(&find(ratios, &[("server", server), ("against", against)])[what])
    }

    /// A figure of one of its servers.
    pub(crate) fn of(&self, load: &str, server: &str, what: &str) -> Option<Spread> {
        spread(&find(&self.load(load)["servers"], &[("name", server)])[what])
    }

    /// What a part of `costs` has found.
    pub(crate) fn cost(&self, part: &str) -> &Value {
        &self.all["costs"][part]
    }
}

impl Spread {
    /// The middle, and in brackets the quartiles.
    pub(crate) fn text(self) -> String {
        let Self { lower, median, upper } = self;
        let digits = if median >= 1.0 { 2 } else { 3 };
        format!("{median:.digits$} ({lower:.digits$}..{upper:.digits$})")
    }
}

/// The element of a list whose fields are these; null where there is none.
pub(crate) fn find<'a>(list: &'a Value, fields: &[(&str, &str)]) -> &'a Value {
    let is_it = |it: &&Value| fields.iter().all(|(name, value)| it[*name] == **value);
    list.as_array().and_then(|list| list.iter().find(is_it)).unwrap_or(&Value::Null)
}

/// The one with so many workers.
pub(crate) fn sized<'a>(list: &'a Value, fields: &[(&str, &str)], workers: u64) -> &'a Value {
    let is_it = |it: &&Value| {
        it["workers"] == workers && fields.iter().all(|(name, value)| it[*name] == **value)
    };
    list.as_array().and_then(|list| list.iter().find(is_it)).unwrap_or(&Value::Null)
}

pub(crate) fn spread(value: &Value) -> Option<Spread> {
    Spread::deserialize(value).ok()
}

/// Single slices are for whoever runs a benchmark alone, and so is what stands behind the digits that count.
fn shorten(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("slices");
            fields.values_mut().for_each(shorten);
        }
        Value::Array(list) => list.iter_mut().for_each(shorten),
        Value::Number(number) => {
            let figure = number.as_f64().filter(|_| number.is_f64()).unwrap_or_default();
            if figure != 0.0 {
                *value = json!(rounded(figure));
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// To five digits.
fn rounded(figure: f64) -> f64 {
    format!("{figure:.4e}").parse().unwrap_or(figure)
}
