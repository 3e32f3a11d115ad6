//! Numbers as people read them.

/// A number with its thousands set apart: `1,234`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 worker`, `2 workers`.
pub(crate) fn of(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in
            [(0, "0"), (12, "12"), (123, "123"), (1_234, "1,234"), (12_345_678, "12,345,678")]
        {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(of(1, "worker"), "1 worker");
        assert_eq!(of(0, "worker"), "0 workers");
        assert_eq!(of(2_000, "line"), "2,000 lines");
    }
}
