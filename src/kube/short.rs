//! Amounts of resources as a person reads them at a glance: `1900m`, `7.9Gi`, `110`.
//!
//! [`super::amount_text`] is exact; here what is too long is cut to a tenth of its unit.

use super::amount_text;

/// The longest text that is left as it is: `1536Mi`.
const LONGEST: usize = 6;

/// Whether a resource is counted in bytes, and so in powers of 1024.
#[must_use]
pub fn is_in_bytes(resource: &str) -> bool {
    ["memory", "ephemeral-storage", "storage"].contains(&resource) || resource.starts_with("hugepages-")
}

/// An amount of a resource: thousandths of a CPU, bytes, pieces. More than 64 bits, as a sum
/// over many nodes, is written too.
#[must_use]
pub fn short_amount(resource: &str, amount: i128) -> String {
    if resource == "cpu" {
        let exact = if amount % 1000 == 0 { (amount / 1000).to_string() } else { format!("{amount}m") };
        return if exact.len() <= LONGEST { exact } else { tenths(amount, 1000, "") };
    }
    if !is_in_bytes(resource) {
        return amount.to_string();
    }
    let exact = i64::try_from(amount).map(|amount| amount_text(resource, amount, true));
    if let Ok(exact) = exact
        && exact.trim_start_matches('-').len() <= LONGEST
    {
        return exact;
    }
    let units = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let steps = units.iter().enumerate().rev().map(|(step, unit)| (1_i128 << (10 * step), *unit));
    let fits = steps.into_iter().find(|(unit, _)| amount.abs() >= *unit);
    let (unit, suffix) = fits.unwrap_or((1, ""));
    tenths(amount, unit, suffix)
}

/// So many units with one place after the point, where it is not 0.
fn tenths(amount: i128, unit: i128, suffix: &str) -> String {
    let tenths = amount * 10 / unit;
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, rest) = (tenths.abs() / 10, tenths.abs() % 10);
    let rest = if rest == 0 { String::new() } else { format!(".{rest}") };
    format!("{sign}{whole}{rest}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_where_that_is_short() {
        for (resource, amount, text) in [
            ("cpu", 0, "0"),
            ("cpu", 100, "100m"),
            ("cpu", -300, "-300m"),
            ("cpu", 4000, "4"),
            ("cpu", 63_900, "63900m"),
            ("cpu", 1_234_567, "1234.5"),
            ("cpu", 4_000_000, "4000"),
            ("memory", 0, "0"),
            ("memory", 1000, "1k"),
            ("memory", 512 << 20, "512Mi"),
            ("memory", 1536 << 20, "1536Mi"),
            ("memory", 8 << 30, "8Gi"),
            ("memory", -(200 << 20), "-200Mi"),
            ("memory", (8 << 30) - 4096, "7.9Gi"),
            ("memory", 16_374_664 << 10, "15.6Gi"),
            ("memory", 1 << 80, "1048576Ei"),
            ("pods", 110, "110"),
            ("pods", 110_000, "110000"),
            ("nvidia.com/gpu", 2, "2"),
            ("hugepages-2Mi", 1 << 30, "1Gi"),
        ] {
            assert_eq!(short_amount(resource, amount), text, "{resource} {amount}");
        }
    }
}
