//! Times as opendev writes them: RFC 3339, or without an offset, which means UTC.

/// Milliseconds since 1970; `None` where the text is no time, or one before that.
pub(super) fn millis(text: &str) -> Option<u64> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    let month = rest.after(b"-")?.number(2)?;
    let day = rest.after(b"-")?.number(2)?;
    let hour = rest.after(b"Tt ")?.number(2)?;
    let minute = rest.after(b":")?.number(2)?;
    let second = rest.after(b":")?.number(2)?;
    let fraction = rest.fraction()?;
    let offset = rest.offset()?;
    // A leap second counts as the next one.
    let is_time = hour < 24 && minute < 60 && second <= 60;
    let is_date = (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    if !is_time || !is_date || !rest.0.is_empty() {
        return None;
    }
    let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offset;
    u64::try_from((minutes * 60 + second) * 1000 + fraction).ok()
}

/// Days from 1970 to that one, in the calendar that is used for all times.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let years_before = year - 1;
    let leap_days = years_before / 4 - years_before / 100 + years_before / 400;
    let months: i64 = (1..month).map(|month| month_days(year, month)).sum();
    // 719,162 days went by before 1970.
    years_before * 365 + leap_days + months + day - 1 - 719_162
}

fn month_days(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is yet to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
        })
    }

    /// Behind one of those bytes.
    fn after(&mut self, bytes: &[u8]) -> Option<&mut Self> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        bytes.contains(first).then_some(self)
    }

    /// Milliseconds of a fraction of a second, if there is one; smaller parts are cut off.
    fn fraction(&mut self) -> Option<i64> {
        let Some(rest) = self.0.strip_prefix(b".") else { return Some(0) };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at_checked(count)?;
        self.0 = rest;
        let digit = |at: usize| digits.get(at).map_or(0, |byte| i64::from(byte - b'0'));
        (count > 0).then(|| digit(0) * 100 + digit(1) * 10 + digit(2))
    }

    /// Minutes east of UTC.
    fn offset(&mut self) -> Option<i64> {
        match self.0 {
            [] => Some(0),
            [b'Z' | b'z', rest @ ..] => {
                self.0 = rest;
                Some(0)
            }
            [sign @ (b'+' | b'-'), rest @ ..] => {
                let sign = if *sign == b'-' { -1 } else { 1 };
                self.0 = rest;
                let hours = self.number(2)?;
                let minutes = self.after(b":")?.number(2)?;
                (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-06-15T10:30:00Z", Some(1_718_447_400_000)),
            ("2024-06-15T10:30:00.123456789+00:00", Some(1_718_447_400_123)),
            ("2024-06-15T12:30:00.5+02:00", Some(1_718_447_400_500)),
            ("2024-06-15T10:30:00.12", Some(1_718_447_400_120)),
            ("2024-06-15 05:00:00-05:30", Some(1_718_447_400_000)),
            ("2000-02-29T23:59:59Z", Some(951_868_799_000)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_800_000)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400_000)),
            ("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999)),
            ("1970-01-01T00:00:00+00:01", None),
            ("1969-12-31T23:59:59Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("2100-02-29T00:00:00Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024-00-01T00:00:00Z", None),
            ("2024-01-32T00:00:00Z", None),
            ("2024-01-01T24:00:00Z", None),
            ("2024-01-01T00:00:61Z", None),
            ("2024-01-01T00:00:00.Z", None),
            ("2024-01-01T00:00:00+24:00", None),
            ("2024-01-01T00:00:00+00:60", None),
            ("2024-01-01T00:00:00Zx", None),
            ("2024-01-01", None),
            ("+024-01-01T00:00:00Z", None),
            ("0000-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
