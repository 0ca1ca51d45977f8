//! Durations and sizes as people write them.

use std::time::Duration;

/// A number, or the word that says there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrNone(pub(crate) Option<u64>);

const DURATIONS: [(&str, u64); 5] =
    [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];
const SIZES: [(&str, u64); 10] = [
    ("", 1),
    ("b", 1),
    ("kb", 1000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads a duration, such as `7d` or `90m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = number(text, &DURATIONS);
    let bad = || format!("{text:?} is no duration such as 7d, 12h, 90m or 30s");
    // So that it is a number of milliseconds too.
    let seconds = seconds.filter(|seconds| seconds.checked_mul(1000).is_some()).ok_or_else(bad)?;
    Ok(Duration::from_secs(seconds))
}

/// Reads how long to wait from one time to the next.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if every.is_zero() { Err("at least 1s".to_owned()) } else { Ok(every) }
}

/// Reads a duration as milliseconds, or `never`.
pub(crate) fn duration_or_never(text: &str) -> Result<OrNone, String> {
    if text == "never" {
        return Ok(OrNone(None));
    }
    let ms = duration(text).map_err(|error| format!("{error}, nor is it `never`"))?.as_millis();
    Ok(OrNone(u64::try_from(ms).ok()))
}

/// Reads a number of bytes, such as `2GiB` or `500MB`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is no size such as 2GiB, 500MB or 1000000");
    number(text, &SIZES).ok_or_else(bad)
}

/// Reads a number of bytes, or `none`.
pub(crate) fn size_or_none(text: &str) -> Result<OrNone, String> {
    if text == "none" {
        return Ok(OrNone(None));
    }
    Ok(OrNone(Some(size(text).map_err(|error| format!("{error}, nor is it `none`"))?)))
}

/// A whole number and its unit.
fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// A number of bytes in the largest unit that fits.
pub(crate) fn human(bytes: u64) -> String {
    let mut tenths = u128::from(bytes) * 10;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if tenths < 10_240 {
            let rest = tenths % 10;
            let whole = tenths / 10;
            return if rest == 0 {
                format!("{whole} {unit}")
            } else {
                format!("{whole}.{rest} {unit}")
            };
        }
        tenths = tenths.div_ceil(1024);
    }
    format!("{}.{} TiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read() {
        for (text, seconds) in
            [("0s", 0), ("30s", 30), ("90m", 5400), ("12h", 43_200), ("7d", 604_800)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration_or_never("never"), Ok(OrNone(None)));
        assert_eq!(duration_or_never("2w"), Ok(OrNone(Some(1_209_600_000))));
        for (text, bytes) in [
            ("0", 0),
            ("1000000", 1_000_000),
            ("12B", 12),
            ("500MB", 500_000_000),
            ("2GiB", 2 << 30),
            ("3kib", 3072),
            ("1TB", 1_000_000_000_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        assert_eq!(size_or_none("none"), Ok(OrNone(None)));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "7",
            "d",
            "1.5d",
            "-1d",
            "+1d",
            "7 d",
            "7days",
            "99999999999999999999s",
            "18446744073709551615s",
            "never",
            "٣d",
        ] {
            assert!(duration(text).is_err(), "{text:?}");
        }
        for text in
            ["", "GiB", "1.5GiB", "-1", "+1", "1 GiB", "2G", "99999999999TiB", "none", "0x10"]
        {
            assert!(size(text).is_err(), "{text:?}");
        }
        assert!(interval("0s").is_err());
        assert!(size_or_none("never").is_err() && duration_or_never("none").is_err());
    }

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (5 << 20, "5 MiB"),
            (2 << 30, "2 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
