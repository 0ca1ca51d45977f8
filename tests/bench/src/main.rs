//! `cargo xtask bench`: how fast turnkeep is, beside peers measured in the same run.
//!
//! Contenders of a group take turns in random order, round after round. A contender's figure is the
//! median of its rounds; its ratio is the median of the rounds' ratios to the peer, so that a slow
//! moment of the machine hits both.

mod append;
mod archive;
mod data;
mod flush;
mod live;
mod measure;
mod node;
mod tail;
mod verify;

use std::path::PathBuf;

use measure::Table;

/// What the command line asks for.
pub struct Options {
    /// Rounds of each group.
    pub rounds: usize,
    /// Also measure an archive of 1 GiB.
    pub has_gigabyte: bool,
    /// Only groups whose name contains this.
    pub only: Option<String>,
    /// Where to write the figures as JSON.
    pub json: Option<PathBuf>,
    /// Where files are written while measuring.
    pub folder: PathBuf,
}

fn main() {
    let options = parse(std::env::args().skip(1));
    let _ = std::fs::remove_dir_all(&options.folder);
    std::fs::create_dir_all(&options.folder).expect("a folder to measure in");
    let mut table = Table::default();
    let groups: [(&str, fn(&Options, &mut Table)); 13] = [
        ("append", append::whole_session),
        ("append flat", append::flat),
        ("append node", node::append),
        ("verify", verify::native),
        ("verify wasm", node::verify),
        ("archive", archive::run),
        ("flush", flush::run),
        ("load", verify::load),
        ("tail", tail::run),
        ("live load", live::load),
        ("live recent", live::recent),
        ("live turn", live::turn),
        ("size", node::sizes),
    ];
    for (name, run) in groups {
        if options.only.as_ref().is_none_or(|only| name.contains(only.as_str())) {
            eprintln!("measuring: {name} …");
            run(&options, &mut table);
        }
    }
    table.print();
    if let Some(path) = &options.json {
        std::fs::write(path, table.to_json()).expect("the JSON file can be written");
        eprintln!("figures written to {}", path.display());
    }
    let _ = std::fs::remove_dir_all(&options.folder);
}

fn parse(mut args: impl Iterator<Item = String>) -> Options {
    let mut options = Options {
        rounds: 9,
        has_gigabyte: false,
        only: None,
        json: None,
        folder: PathBuf::from("target/bench-files"),
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--full" => options.has_gigabyte = true,
            "--rounds" => options.rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(9),
            "--only" => options.only = args.next(),
            "--json" => options.json = args.next().map(PathBuf::from),
            "--folder" => options.folder = args.next().map(PathBuf::from).unwrap_or_default(),
            other => panic!(
                "unknown option {other}; there are --full, --rounds N, --only GROUP, --json FILE, --folder DIR"
            ),
        }
    }
    options
}
