//! What a verification found, for people and programs.

use anstyle::{AnsiColor, Style};
use turnkeep::core::log::Torn;
use turnkeep::{Error, ErrorKind, Report};

use crate::exit::Exit;
use crate::json::{Object, error_object, head_object, torn_object};
use crate::visible::visible;

/// A report in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Whole,
    Torn,
    Broken,
    Newer,
}

impl Verdict {
    pub(crate) fn of(report: &Report) -> Self {
        match fault(report).map(Error::kind) {
            Some(ErrorKind::UnsupportedVersion) => Self::Newer,
            Some(_) => Self::Broken,
            None if report.torn.is_some() => Self::Torn,
            None => Self::Whole,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Torn => "torn",
            Self::Broken => "broken",
            Self::Newer => "newer",
        }
    }

    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Whole => Exit::Ok,
            Self::Torn => Exit::Torn,
            Self::Broken => Exit::Integrity,
            Self::Newer => Exit::Newer,
        }
    }

    pub(crate) fn style(self) -> Style {
        let color = match self {
            Self::Whole => AnsiColor::Green,
            Self::Torn | Self::Newer => AnsiColor::Yellow,
            Self::Broken => AnsiColor::Red,
        };
        color.on_default().bold()
    }
}

/// The first thing that does not hold. Where a line's content is wrong before the chain breaks,
/// that is first.
pub(crate) fn fault(report: &Report) -> Option<&Error> {
    report.entry_fault.as_ref().or(report.fault.as_ref())
}

/// The members that every document on a report has.
pub(crate) fn members(object: Object, report: &Report) -> Object {
    let error = |error: &Error| error_object(error, error.kind().hint());
    object
        .put("verdict", Verdict::of(report).name())
        .object("head", report.head.map(head_object))
        .put("withheld", report.withheld)
        .object("torn", report.torn.map(torn_object))
        .object("fault", report.fault.as_ref().map(error))
        .object("entry_fault", report.entry_fault.as_ref().map(error))
}

/// What is wrong, on one line.
pub(crate) fn problem(report: &Report) -> String {
    match (fault(report), report.torn) {
        (Some(fault), _) => visible(&fault.to_string()).into_owned(),
        (None, Some(torn)) => torn_text(torn),
        (None, None) => String::new(),
    }
}

/// How much of what holds cannot be read, after what is said of it.
pub(crate) fn withheld_text(report: &Report) -> String {
    match report.withheld {
        0 => String::new(),
        count => format!(", {count} withheld"),
    }
}

pub(crate) fn torn_text(torn: Torn) -> String {
    let Torn { offset, bytes } = torn;
    format!("torn_tail: {bytes} bytes of an unfinished write (byte offset {offset})")
}
