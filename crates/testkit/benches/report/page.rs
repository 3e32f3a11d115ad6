//! The directory of a run: README.md, results.json and the plots.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::Failure;
use crate::columns::table;
use crate::figures::Figures;
use crate::plots::{self, Plot};
use crate::surroundings::Surroundings;
use crate::targets::{self, Target};

/// What the tables of each benchmark are about.
const TITLES: [(&str, &str); 4] = [
    ("compare", "Requests"),
    ("tail", "The heavy tail, and balance"),
    ("costs", "What a crew costs beside its requests"),
    ("ipc", "Messages and descriptors"),
];

pub(crate) fn write(directory: &Path, figures: &Figures) -> Result<(), Failure> {
    fs::create_dir_all(directory)?;
    let plots = plots::all(figures);
    for plot in &plots {
        fs::write(directory.join(plot.file), &plot.svg)?;
    }
    let targets = targets::all(figures);
    let all =
        json!({ "surroundings": figures.around, "targets": targets, "measured": figures.all });
    fs::write(
        directory.join("results.json"),
        format!("{}\n", serde_json::to_string_pretty(&all)?),
    )?;
    let mut page = Vec::new();
    print(&mut page, figures, &targets, &plots)?;
    fs::write(directory.join("README.md"), page)?;
    let out = &mut io::stdout().lock();
    summary(out, &targets)?;
    Ok(writeln!(out, "\nWritten into {}.", directory.canonicalize()?.display())?)
}

fn print(
    out: &mut impl Write,
    figures: &Figures,
    targets: &[Target],
    plots: &[Plot],
) -> io::Result<()> {
    let around = &figures.around;
    let quick = if around.quick { " -- --quick" } else { "" };
    writeln!(out, "# Benchmarks\n")?;
    writeln!(
        out,
        "Written by `just bench` (`cargo bench -p portcrew-testkit --bench report{quick}`)."
    )?;
    writeln!(
        out,
        "How it is measured, and what stands behind the figures: [method.md](method.md).\n"
    )?;
    writeln!(out, "**Read the ratios**: single figures belong to one machine and one moment.\n")?;
    machine(out, around, &figures.all["compare"])?;
    writeln!(out, "\n## Targets\n")?;
    writeln!(
        out,
        "Medians of ratios inside a round, with their quartiles. Lines without a target are shown beside.\n"
    )?;
    summary(out, targets)?;
    for plot in plots {
        writeln!(out, "\n![{}]({})", plot.what, plot.file)?;
    }
    for (name, tables) in figures.tables.iter().filter(|(_, tables)| !tables.is_empty()) {
        let title = TITLES.iter().find(|(its, _)| its == name).map_or(*name, |(_, title)| title);
        writeln!(out, "\n## {title}\n\n{}", tables.trim())?;
    }
    Ok(())
}

fn machine(out: &mut impl Write, around: &Surroundings, compare: &Value) -> io::Result<()> {
    let machine = &compare["machine"];
    let text = |value: &Value, absent: &str| value.as_str().unwrap_or(absent).to_owned();
    let cores = &machine["cores"];
    let processor = match around.processor.as_str() {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    let memory = around.memory / 1024;
    let loads = format!("{} before, {} after", around.load_before, around.load_after);
    let peers = &compare["peers"];
    let rows = [
        ["date".to_owned(), around.date.clone()],
        [
            "machine".to_owned(),
            format!("{cores} cores{processor}, {memory} GiB, {}", text(&machine["system"], "")),
        ],
        ["load average".to_owned(), loads],
        ["Rust".to_owned(), around.rustc.clone()],
        ["Node".to_owned(), text(&machine["node"], "not there: its rows are left out")],
        ["nginx".to_owned(), text(&peers["nginx"], "not there: its rows are left out")],
        ["PM2".to_owned(), text(&peers["pm2"], "not there: its rows are left out")],
    ];
    table(out, ["", ""], rows.into_iter())
}

fn summary(out: &mut impl Write, targets: &[Target]) -> io::Result<()> {
    let row = |it: &Target| {
        let reached = match it.reached {
            Some(true) => "reached",
            Some(false) => "**missed**",
            None => "",
        };
        [
            it.id.to_owned(),
            it.what.clone(),
            it.wanted.clone(),
            it.measured.clone(),
            reached.to_owned(),
        ]
    };
    table(out, ["", "what", "target", "measured", ""], targets.iter().map(row))
}
