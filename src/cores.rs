//! Independent pieces of work, done on several cores; what they give is in their order,
//! so how many cores there are changes nothing but the time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does `count` pieces of work on all cores; the results are in order.
pub fn on_all<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    on_some(thread::available_parallelism().map_or(1, usize::from), count, work)
}

/// The same on so many threads: for work that waits more than it computes.
pub fn on_some<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if threads < 2 || count < 2 {
        return on_one(count, work);
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= count {
                        break;
                    }
                    let result = work(nth);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((nth, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(nth, _)| *nth);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does `count` pieces of work one after the other: for what is too little to be shared.
pub fn on_one<T>(count: usize, work: impl Fn(usize) -> T) -> Vec<T> {
    (0..count).map(work).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_are_in_order() {
        let square = |nth: usize| nth * nth;
        assert_eq!(super::on_all(1000, square), super::on_one(1000, square));
        assert_eq!(super::on_some(16, 1000, square), super::on_one(1000, square));
    }
}
