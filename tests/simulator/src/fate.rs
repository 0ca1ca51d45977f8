//! What becomes of requests.

use turnkeep_core::store::{Object, Reply, Request};

use crate::chance::Chance;
use crate::plan::Faults;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    FailsBefore,
    FailsAfter,
    /// Its host hears of a failure now, and it is carried out later.
    Late,
    /// It is carried out, and later once more.
    Resent,
    /// It is answered twice.
    Twice,
    Full,
    Short,
    /// What is written has another bit than what was to be written.
    Damaged,
}

impl Fate {
    #[must_use]
    pub(crate) fn of(request: &Request, faults: Faults, chance: &mut Chance) -> Self {
        let inner = match request {
            Request::Cold(inner) | Request::Bundle(inner) => inner,
            request => request,
        };
        let is_writing = matches!(
            inner,
            Request::Put { .. }
                | Request::Append { .. }
                | Request::StagePart { .. }
                | Request::Commit { .. }
        );
        let is_reading = matches!(inner, Request::Get { .. } | Request::GetStaged { .. });
        let is_read_back = is_read_back(inner);
        let rates = [
            (faults.fails_before, Self::FailsBefore, true),
            (faults.fails_after, Self::FailsAfter, true),
            (faults.late, Self::Late, true),
            (faults.resent, Self::Resent, true),
            (faults.answered_twice, Self::Twice, true),
            (faults.full, Self::Full, is_writing),
            (faults.short_read, Self::Short, is_reading),
            (faults.damaged, Self::Damaged, is_read_back),
        ];
        if matches!(inner, Request::Stamp { .. }) {
            return Self::Fine;
        }
        let met = rates.into_iter().find(|(rate, _, fits)| chance.happens(*rate) && *fits);
        met.map_or(Self::Fine, |(_, fate, _)| fate)
    }
}

/// Whether it writes what is read back before anything relies on it.
fn is_read_back(request: &Request) -> bool {
    match request {
        Request::StagePart { .. } => true,
        Request::Put { key, .. } => key.as_str().starts_with("segments/"),
        _ => false,
    }
}

/// What is written in the place of what was to be.
#[must_use]
pub(crate) fn damaged(request: &Request, chance: &mut Chance) -> Request {
    let mut request = request.clone();
    let mut inner = &mut request;
    while let Request::Cold(next) | Request::Bundle(next) = inner {
        inner = next;
    }
    if let Request::StagePart { bytes, .. } | Request::Put { bytes, .. } = inner {
        let bit = chance.below(bytes.len() as u64 * 8);
        if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
            *byte ^= 1 << (bit % 8);
        }
    }
    request
}

/// A read that ends too early, as the network lets it.
#[must_use]
pub(crate) fn short(reply: Reply) -> Reply {
    match reply {
        Reply::Object(Object { mut bytes, info }) => {
            bytes.truncate(bytes.len() / 2);
            Reply::Object(Object { bytes, info })
        }
        other => other,
    }
}

/// How long something takes.
#[must_use]
pub(crate) fn delay_ms(faults: Faults, chance: &mut Chance) -> u64 {
    match chance.happens(faults.slow) {
        true => *chance.one_of(&[200, 5000, 70_000, 3_700_000]),
        false => chance.below(4),
    }
}

/// How much later something arrives that the network kept.
#[must_use]
pub(crate) fn later_ms(chance: &mut Chance) -> u64 {
    *chance.one_of(&[2, 20, 200, 5000, 70_000])
}
