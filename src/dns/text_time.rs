//! Times and TTLs in text.

/// Days since 1970 of a date in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// YYYYMMDDHHmmSS of seconds since 1970 (RFC 4034 §3.2).
pub(super) fn show(seconds: u32) -> String {
    let (year, month, day) = date(i64::from(seconds / 86_400));
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

/// A moment in seconds since 1970, for people: `2026-11-26 10:00:00 UTC`.
pub fn show_date(seconds: u64) -> String {
    // The calendar goes as far as operators look.
    let seconds = seconds.min(253_402_300_799);
    let (year, month, day) = date((seconds / 86_400) as i64);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Reads YYYYMMDDHHmmSS, or seconds since 1970 of at most ten digits.
pub(super) fn parse(text: &str) -> Option<u32> {
    if !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    if text.len() != 14 {
        return text.parse().ok();
    }
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
    let of_day = hour * 3_600 + minute * 60 + second;
    let days = days(year, month, day);
    let exists = (1..=12).contains(&month) && date(days) == (year, month, day);
    let good = exists && hour < 24 && minute < 60 && second < 60;
    good.then(|| u32::try_from(days * 86_400 + of_day).ok())?
}

/// Reads seconds, or numbers with units: `1w2d3h4m5s`.
pub(super) fn parse_ttl(text: &str) -> Option<u32> {
    let (mut sum, mut number, mut units) = (0u64, None, false);
    for c in text.bytes() {
        if c.is_ascii_digit() {
            let longer = number.unwrap_or(0u64) * 10 + u64::from(c - b'0');
            number = (longer <= u64::from(u32::MAX)).then_some(longer);
            number?;
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        sum += number.take()? * unit;
        units = true;
    }
    match (number, units) {
        // A last number without a unit is seconds only if it stands alone.
        (Some(seconds), false) => u32::try_from(seconds).ok(),
        (None, true) => u32::try_from(sum).ok(),
        _ => None,
    }
}
