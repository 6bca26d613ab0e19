//! Time taken, and how it is shown.
//!
//! What one thread computes is measured in that thread's time on the processor, so that
//! other work on the machine does not count; what waits for disks and other processes is
//! measured by the clock on the wall.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time this thread has had on a processor.
pub fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The median of `runs` runs.
pub fn median<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = used();
            black_box(work());
            used() - start
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// A duration with three digits that mean something.
pub fn show(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 0.1 => format!("{:.0} ms", s * 1e3),
        s if s >= 0.01 => format!("{:.1} ms", s * 1e3),
        s if s >= 0.001 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} us", s * 1e6),
    }
}

/// How often `unit` goes into `time`.
pub fn ratio(time: Duration, unit: Duration) -> String {
    let ratio = time.as_secs_f64() / unit.as_secs_f64();
    match ratio {
        r if r >= 100.0 => format!("{r:.0}x"),
        r if r >= 10.0 => format!("{r:.1}x"),
        r => format!("{r:.2}x"),
    }
}
