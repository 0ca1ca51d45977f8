//! The embedded text all transcripts are made from.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::template::Template;

pub(crate) static POOL: LazyLock<Pool> = LazyLock::new(Pool::load);

pub(crate) struct Pool {
    pub(crate) nouns: Vec<&'static str>,
    pub(crate) verbs: Vec<&'static str>,
    pub(crate) adjectives: Vec<&'static str>,
    pub(crate) languages: [Language; 4],
    pub(crate) prose: Prose,
    pub(crate) commands: Vec<Command>,
}

/// Source code of one language.
pub(crate) struct Language {
    pub(crate) extension: &'static str,
    pub(crate) primitives: Vec<Template>,
    pub(crate) heads: Vec<Template>,
    pub(crate) blocks: Vec<Template>,
    pub(crate) statements: Vec<Template>,
}

pub(crate) struct Prose {
    pub(crate) openers: Vec<Template>,
    pub(crate) clauses: Vec<Template>,
    pub(crate) joiners: Vec<Template>,
    pub(crate) headings: Vec<Template>,
    pub(crate) bullets: Vec<Template>,
    pub(crate) requests: Vec<Template>,
    pub(crate) remarks: Vec<Template>,
    pub(crate) comments: Vec<Template>,
    pub(crate) errors: Vec<Template>,
    pub(crate) descriptions: Vec<Template>,
}

/// A kind of shell command and what it prints.
pub(crate) struct Command {
    pub(crate) lines: Vec<Template>,
    pub(crate) head: Vec<Template>,
    pub(crate) rows: Vec<Template>,
    pub(crate) tail: Vec<Template>,
}

impl Pool {
    fn load() -> Self {
        let mut output = Sections::parse(include_str!("../pool/output.txt"));
        Self {
            nouns: include_str!("../pool/nouns.txt").split_whitespace().collect(),
            verbs: include_str!("../pool/verbs.txt").split_whitespace().collect(),
            adjectives: include_str!("../pool/adjectives.txt").split_whitespace().collect(),
            languages: [
                Language::load("rs", include_str!("../pool/rust.txt")),
                Language::load("ts", include_str!("../pool/typescript.txt")),
                Language::load("py", include_str!("../pool/python.txt")),
                Language::load("go", include_str!("../pool/go.txt")),
            ],
            prose: Prose::load(include_str!("../pool/prose.txt"), &mut output),
            commands: COMMANDS.iter().map(|name| Command::load(name, &mut output)).collect(),
        }
    }
}

/// The sections of `pool/output.txt`, in the order of [`Pool::commands`].
const COMMANDS: [&str; 10] =
    ["log", "list", "test", "pytest", "build", "tsc", "stat", "json", "ansi", "tree"];

impl Language {
    fn load(extension: &'static str, text: &'static str) -> Self {
        let mut sections = Sections::parse(text);
        Self {
            extension,
            primitives: sections.take("prim"),
            heads: sections.take("head"),
            blocks: sections.take("block"),
            statements: sections.take("stmt"),
        }
    }
}

impl Prose {
    fn load(text: &'static str, output: &mut Sections) -> Self {
        let mut sections = Sections::parse(text);
        Self {
            openers: sections.take("opener"),
            clauses: sections.take("clause"),
            joiners: sections.take("joiner"),
            headings: sections.take("heading"),
            bullets: sections.take("bullet"),
            requests: sections.take("request"),
            remarks: sections.take("remark"),
            comments: sections.take("comment"),
            errors: output.take("error"),
            descriptions: output.take("description"),
        }
    }
}

impl Command {
    fn load(name: &str, output: &mut Sections) -> Self {
        let mut take = |part| output.take(&format!("{name}.{part}"));
        Self { lines: take("command"), head: take("head"), rows: take("row"), tail: take("tail") }
    }
}

/// A pool file by sections. `%= name` starts one where every line is a template, `%% name` one
/// where `--` on a line of its own parts the templates.
struct Sections(BTreeMap<&'static str, Vec<Template>>);

impl Sections {
    fn parse(text: &'static str) -> Self {
        let mut sections = BTreeMap::new();
        let mut lines = text.lines().peekable();
        while let Some(header) = lines.next() {
            let (mark, name) = header.split_once(' ').expect("a section header");
            let mut body = Vec::new();
            while let Some(line) = lines.next_if(|line| !is_header(line)) {
                body.push(line);
            }
            let templates = match mark {
                "%=" => body.iter().map(|line| Template::parse(&[line])).collect(),
                _ => body.split(|line| *line == "--").map(Template::parse).collect(),
            };
            sections.insert(name, templates);
        }
        Self(sections)
    }

    fn take(&mut self, name: &str) -> Vec<Template> {
        self.0.remove(name).unwrap_or_else(|| panic!("the pool has no section {name}"))
    }
}

fn is_header(line: &str) -> bool {
    line.starts_with("%= ") || line.starts_with("%% ")
}
