//! The kinds of entries and the fields each one needs (`docs/format.md` §4).

/// What an entry says. Kinds that this version does not know are [`Kind::Other`]: kept, verified,
/// and skipped by the fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Opens a log.
    SessionStart,
    /// What the user said.
    UserInput,
    /// What the model answered: a message, its reasoning, a tool call.
    AssistantItem,
    /// What a tool gave back.
    ToolResult,
    /// What the program itself put into the history.
    SystemItem,
    /// A turn is over.
    TurnEnd,
    /// A run begins.
    RunStarted,
    /// A run ended, or stopped by design.
    RunCompleted,
    /// A run failed.
    RunErrored,
    /// A new configuration holds from here on.
    ConfigChanged,
    /// Tokens used.
    LlmUsage,
    /// A framework's own record.
    Extension,
    /// The thread's state slice; the last one holds.
    State,
    /// The history's end was dropped.
    Truncated,
    /// The history was replaced.
    Replaced,
    /// The history became a summary and a kept tail.
    Compaction,
    /// From here on the log is another session's.
    Fork,
    /// An entry whose content was withheld.
    Redacted,
    /// A kind of a later version.
    Other,
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldType {
    Value,
    Text,
    ItemId,
    SessionId,
    Count,
    Items,
    Point,
    RunResult,
}

/// A field of a kind: its name, type, and whether it must be there.
pub(crate) type Field = (&'static str, FieldType, Presence);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

use FieldType::{Count, ItemId, Items, Point, RunResult, Text, Value};
use Presence::{Optional, Required};

const ITEM: &[Field] =
    &[("item", Value, Required), ("id", ItemId, Optional), ("parent", ItemId, Optional)];

impl Kind {
    /// Every kind in the order of its bit in an archive's index, [`Kind::Other`] last.
    pub const ALL: [Self; 19] = [
        Self::UserInput,
        Self::AssistantItem,
        Self::ToolResult,
        Self::TurnEnd,
        Self::LlmUsage,
        Self::RunStarted,
        Self::RunCompleted,
        Self::SystemItem,
        Self::RunErrored,
        Self::ConfigChanged,
        Self::Extension,
        Self::State,
        Self::Truncated,
        Self::Replaced,
        Self::Compaction,
        Self::Fork,
        Self::SessionStart,
        Self::Redacted,
        Self::Other,
    ];

    /// The kind of that name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.unwrap_or(Self::Other)
    }

    /// Its name in a log; for [`Kind::Other`], nothing.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SessionStart => "session_start",
            Self::UserInput => "user_input",
            Self::AssistantItem => "assistant_item",
            Self::ToolResult => "tool_result",
            Self::SystemItem => "system_item",
            Self::TurnEnd => "turn_end",
            Self::RunStarted => "run_started",
            Self::RunCompleted => "run_completed",
            Self::RunErrored => "run_errored",
            Self::ConfigChanged => "config_changed",
            Self::LlmUsage => "llm_usage",
            Self::Extension => "extension",
            Self::State => "state",
            Self::Truncated => "truncated",
            Self::Replaced => "replaced",
            Self::Compaction => "compaction",
            Self::Fork => "fork",
            Self::Redacted => "redacted",
            Self::Other => "",
        }
    }

    /// The name of a kind of items, as it stands in JSON.
    pub(crate) fn quoted_name(self) -> &'static str {
        match self {
            Self::UserInput => r#""user_input""#,
            Self::AssistantItem => r#""assistant_item""#,
            Self::ToolResult => r#""tool_result""#,
            _ => r#""system_item""#,
        }
    }

    /// Whether its entries are items of the history.
    #[must_use]
    pub fn is_item(self) -> bool {
        matches!(self, Self::UserInput | Self::AssistantItem | Self::ToolResult | Self::SystemItem)
    }

    /// Its bit in an archive's index (§6.2).
    #[must_use]
    pub fn bit(self) -> u32 {
        Self::ALL.iter().zip(0..).find(|(kind, _)| **kind == self).map_or(0, |(_, n)| 1 << n)
    }

    /// The fields it knows, beyond the envelope.
    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::SessionStart => &[
                ("system_prompt", Text, Optional),
                ("config", Value, Optional),
                ("history", Items, Optional),
                ("turns", Count, Optional),
                ("state", Value, Optional),
                ("forked_from", Point, Optional),
                ("compacted_from", Point, Optional),
            ],
            Self::UserInput | Self::AssistantItem | Self::ToolResult | Self::SystemItem => ITEM,
            Self::TurnEnd => &[("turn", Count, Required)],
            Self::RunStarted => &[("run", Text, Optional)],
            Self::RunCompleted => &[("result", RunResult, Required), ("run", Text, Optional)],
            Self::RunErrored => &[("message", Text, Required), ("run", Text, Optional)],
            Self::ConfigChanged => &[("config", Value, Required)],
            Self::LlmUsage => &[
                ("history_len", Count, Optional),
                ("input_total_tokens", Count, Optional),
                ("cache_read_tokens", Count, Optional),
                ("cache_write_tokens", Count, Optional),
                ("output_tokens", Count, Optional),
            ],
            Self::Extension => &[("domain", Text, Required), ("payload", Value, Required)],
            Self::State => &[("state", Value, Required)],
            Self::Truncated => &[("keep", Count, Required)],
            Self::Replaced => &[("history", Items, Required)],
            Self::Compaction => &[
                ("summary", Items, Required),
                ("keep_last", Count, Required),
                ("system_prompt", Text, Optional),
                ("config", Value, Optional),
                ("turns", Count, Optional),
                ("run", Text, Optional),
                ("state", Value, Optional),
            ],
            Self::Fork => {
                &[("session", FieldType::SessionId, Required), ("parent", Point, Required)]
            }
            Self::Redacted | Self::Other => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_kinds() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.name()), kind);
        }
        assert_eq!(Kind::of("later_kind"), Kind::Other);
        assert_eq!((Kind::UserInput.bit(), Kind::Other.bit()), (1, 1 << 18));
    }
}
