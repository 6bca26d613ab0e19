//! Amounts of resources as a person reads them at a glance: `1900m`, `7.9Gi`, `110`.
//!
//! [`super::amount_text`] is exact; here what is too long is cut to a tenth of its unit.

use super::{Round, amount_text, bytes_text};

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
        return if exact.len() <= LONGEST { exact } else { cores(amount) };
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
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", bytes_text(amount.abs(), Round::Down))
}

/// Thousandths of a CPU to a tenth of one.
fn cores(thousandths: i128) -> String {
    let (tenths, sign) = (thousandths.abs() / 100, if thousandths <= -100 { "-" } else { "" });
    match tenths % 10 {
        0 => format!("{sign}{}", tenths / 10),
        rest => format!("{sign}{}.{rest}", tenths / 10),
    }
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
