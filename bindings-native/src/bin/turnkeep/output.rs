//! Where results and messages go: results to stdout, messages to stderr.

use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::args::{Color, Globals};
use crate::json::Object;
use crate::{Failed, Failure, Outcome};

/// What commands write with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) out: Output,
}

/// Stdout, buffered.
pub(crate) struct Output {
    out: BufWriter<Box<dyn Write>>,
    is_coloured: bool,
}

impl Context {
    pub(crate) fn new(globals: Globals) -> Self {
        let out = Output::new(globals.color);
        Self { globals, out }
    }

    /// A message for people, which no program should need.
    pub(crate) fn note(&self, text: &str) {
        if !self.globals.quiet && !self.globals.json {
            write_stderr(&format!("{text}\n"));
        }
    }

    /// Says what failed.
    pub(crate) fn tell(&self, failed: &Failed) {
        if self.globals.json {
            return write_stderr(&failed.json().line());
        }
        let is_coloured = colours(self.globals.color, &io::stderr());
        let style = if is_coloured { AnsiColor::Red.on_default().bold() } else { Style::new() };
        write_stderr(&format!("{style}turnkeep:{style:#} {}\n", failed.text()));
    }
}

impl Output {
    fn new(color: Color) -> Self {
        let stdout = io::stdout().lock();
        let is_coloured = colours(color, &stdout);
        let out: Box<dyn Write> = if is_coloured {
            Box::new(AutoStream::always(stdout)) // translates for consoles that need it
        } else {
            Box::new(stdout)
        };
        Self { out: BufWriter::with_capacity(64 << 10, out), is_coloured }
    }

    /// Writes text that is safe to show. Session text goes through [`crate::visible`] first.
    pub(crate) fn text(&mut self, text: &str) -> Outcome<()> {
        self.raw(text.as_bytes())
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.out.write_all(bytes).map_err(|error| Failure::output(&error))
    }

    /// Writes a document on a line of its own.
    pub(crate) fn json(&mut self, object: Object) -> Outcome<()> {
        self.text(&object.line())
    }

    /// Text in a style, where there is colour.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.is_coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Sends off what was written.
    pub(crate) fn flush(&mut self) -> Outcome<()> {
        self.out.flush().map_err(|error| Failure::output(&error))
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("is_coloured", &self.is_coloured).finish_non_exhaustive()
    }
}

fn colours(color: Color, stream: &impl anstream::stream::RawStream) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
}

/// Where stderr is closed, there is nobody to tell.
pub(crate) fn write_stderr(text: &str) {
    let mut stderr = anstream::AutoStream::always(io::stderr().lock());
    stderr.write_all(text.as_bytes()).ok();
}
