//! What a process has used, as Linux counts it.

use std::{fs, io, time::Duration};

/// The processor time of all threads that a process has.
pub(crate) fn cpu(pid: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let counts = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += first_number(&counts)?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The most memory that a process ever had resident (bytes).
pub(crate) fn peak(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(first_number(peak.unwrap_or_default())? * 1_024)
}

fn first_number(text: &str) -> io::Result<u64> {
    let number = text.split_whitespace().next().and_then(|word| word.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("no number in {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_memory_are_counted() {
        let me = std::process::id();
        let much = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(peak(me).unwrap() >= 64 << 20);
        let sum: u64 = much.iter().map(|byte| u64::from(*byte)).sum();
        assert_eq!(sum, 64 << 20);
        assert!(cpu(me).unwrap() > Duration::ZERO);
    }
}
