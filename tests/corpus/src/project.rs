//! The files the agent works on.

use std::ops::Range;

use crate::lines::Lines;
use crate::names::{Name, Vocabulary};
use crate::pool::{Language, POOL};
use crate::rng::{Rng, Sizes};
use crate::scene::Scene;
use crate::template::Bound;

/// Files older than this many are forgotten: it bounds the memory of a transcript of any length.
const FILES: usize = 256;

const SOURCE_BYTES: Sizes = Sizes([1500, 2500, 4000, 7000, 12_000, 19_000, 36_000, 48_000]);

pub(crate) struct Project {
    /// Names that many files share. They change as files come, as a code base does.
    shared: Vec<Name>,
    packages: Vec<String>,
    /// The last used first.
    files: Vec<File>,
}

pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) language: &'static Language,
    pub(crate) vocabulary: Box<Vocabulary>,
    pub(crate) lines: Lines,
}

impl Project {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let shared: Vec<Name> = (0..96).map(|_| Name::draw(rng, &POOL)).collect();
        let packages = shared[..12].iter().map(|name| package(*name, rng)).collect();
        let mut project = Self { shared, packages, files: Vec::new() };
        for _ in 0..8 {
            project.create(SOURCE_BYTES.draw(rng), rng);
        }
        project
    }

    /// The file used last.
    pub(crate) fn current(&self) -> &File {
        &self.files[0]
    }

    pub(crate) fn current_mut(&mut self) -> &mut File {
        &mut self.files[0]
    }

    /// The files, the last used first.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    pub(crate) fn any_path(&self, rng: &mut Rng) -> &str {
        &self.files[rng.skewed(self.files.len())].path
    }

    /// Turns to a file: one of the last few, an older one, or one not seen before.
    pub(crate) fn turn_to_some_file(&mut self, rng: &mut Rng) {
        match rng.below(100) {
            0..=11 => return self.create(SOURCE_BYTES.draw(rng), rng),
            12..=26 => return self.copy_some_file(rng),
            _ => {}
        }
        let reach = match rng.below(10) {
            0..=4 => 6,
            5..=6 => 40,
            _ => self.files.len(),
        };
        let at = rng.below(reach.min(self.files.len()));
        self.files[..=at].rotate_right(1);
    }

    /// Makes a new file of about `bytes` the current one.
    pub(crate) fn create(&mut self, bytes: usize, rng: &mut Rng) {
        let at = rng.below(self.shared.len());
        self.shared[at] = Name::draw(rng, &POOL);
        let language = &POOL.languages[rng.weighted(&[45, 25, 15, 15])];
        let vocabulary = Box::new(Vocabulary::draw(rng, &self.shared));
        let path = self.path(&vocabulary, language, rng);
        let mut file = File { path, language, vocabulary, lines: Lines::default() };
        file.fill(bytes, rng);
        self.add(file);
    }

    /// Makes another version of some file the current one.
    fn copy_some_file(&mut self, rng: &mut Rng) {
        let file = self.files[rng.below(self.files.len())].next_version(rng);
        self.add(file);
    }

    fn add(&mut self, file: File) {
        self.files.truncate(FILES - 1);
        self.files.insert(0, file);
    }

    fn path(&mut self, vocabulary: &Vocabulary, language: &Language, rng: &mut Rng) -> String {
        if rng.chance(4) {
            let at = rng.below(self.packages.len());
            self.packages[at] = package(*rng.pick(&self.shared), rng);
        }
        let mut path = self.packages[rng.skewed(self.packages.len())].clone();
        path.push_str("/src/");
        if rng.chance(60) {
            path.push_str(rng.word(&vocabulary.topics));
            path.push('/');
        }
        vocabulary.types[0].snake(&mut path);
        path.push('.');
        path.push_str(language.extension);
        path
    }
}

fn package(name: Name, rng: &mut Rng) -> String {
    let mut path = String::from("/home/dev/work/");
    name.snake(&mut path);
    versioned(&path.replace('_', "-"), rng)
}

fn versioned(package: &str, rng: &mut Rng) -> String {
    format!("{package}-{}.{}.{}", rng.below(3), rng.below(20), rng.below(10))
}

impl File {
    fn fill(&mut self, bytes: usize, rng: &mut Rng) {
        let mut lines = Lines::default();
        let mut scene = self.scene(None, 0);
        let head = rng.pick(&self.language.heads);
        scene.block(head, "", 0, &mut Bound::new(), rng, &mut lines);
        while lines.bytes() < bytes {
            lines.end_line();
            scene.focus = rng.below(20);
            let block = scene.habitual(&self.language.blocks, rng);
            let mut again = rng.clone();
            scene.block(block, "", 0, &mut Bound::new(), rng, &mut lines);
            if rng.chance(60) {
                // Code has siblings: the same once more about other things.
                scene.focus += 1;
                lines.end_line();
                scene.block(block, "", 0, &mut Bound::new(), &mut again, &mut lines);
            }
        }
        self.lines = lines;
    }

    /// The same file in another version of its package: a few statements differ.
    fn next_version(&self, rng: &mut Rng) -> Self {
        let (package, rest) = self.path.split_once("/src/").unwrap_or((&self.path, ""));
        let name = package.rsplit_once('-').map_or(package, |(name, _)| name);
        let path = format!("{}/src/{rest}", versioned(name, rng));
        let Self { language, vocabulary, lines, .. } = self;
        let (vocabulary, lines) = (vocabulary.clone(), lines.clone());
        let mut file = Self { path, language, vocabulary, lines };
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(file.lines.len());
            let mut new = Lines::default();
            self.scene(None, 0).body("    ", 1, rng, &mut new);
            file.lines.replace(at..at, &new);
        }
        file
    }

    pub(crate) fn scene<'a>(&'a self, project: Option<&'a Project>, now: u64) -> Scene<'a> {
        Scene {
            vocabulary: &self.vocabulary,
            language: self.language,
            path: &self.path,
            lines: (self.lines.len() > 0).then_some(&self.lines),
            project,
            now,
            focus: 0,
        }
    }

    /// Somewhere in the file, lines that fill `bytes` if there are so many.
    pub(crate) fn some_lines(&self, bytes: usize, rng: &mut Rng) -> Range<usize> {
        let whole = self.lines.bytes();
        let slack = whole.saturating_sub(bytes) * self.lines.len() / whole;
        self.lines.span(rng.below(slack + 1).min(self.lines.len() - 1), bytes)
    }
}
