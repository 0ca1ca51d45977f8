//! Milliseconds since 1970 as a date.

/// `2026-11-01T08:00:04.052Z`
pub(crate) fn push_iso(out: &mut String, ms: u64) {
    let (year, month, day) = date(ms / 86_400_000);
    let mut field = |mut number: u64, digits: usize, after: char| {
        let mut text = [b'0'; 4];
        for at in (4 - digits..4).rev() {
            text[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        out.extend(text[4 - digits..].iter().map(|&digit| char::from(digit)));
        out.push(after);
    };
    field(year, 4, '-');
    field(month, 2, '-');
    field(day, 2, 'T');
    field(ms / 3_600_000 % 24, 2, ':');
    field(ms / 60_000 % 60, 2, ':');
    field(ms / 1000 % 60, 2, '.');
    field(ms % 1000, 3, 'Z');
}

/// Year, month and day, by counting from a 1st of March: then the leap day comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let in_era = days % 146_097;
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    match month {
        0..=9 => (era * 400 + year, month + 3, day),
        _ => (era * 400 + year + 1, month - 9, day),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn prints_dates() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z"),
            (1_793_520_004_052, "2026-11-01T08:00:04.052Z"),
            (1_798_761_599_999, "2026-12-31T23:59:59.999Z"),
        ] {
            let mut out = String::new();
            super::push_iso(&mut out, ms);
            assert_eq!(out, text);
        }
    }
}
