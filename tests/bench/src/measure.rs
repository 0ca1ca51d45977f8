//! Rounds, medians, ratios, and the table of them.

use std::time::{Duration, Instant};

/// Something to time: gives how long its measured part took.
pub struct Contender<'a> {
    name: String,
    /// Bytes it works on, for a rate.
    bytes: usize,
    run: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Contender<'a> {
    /// Times all of `run`.
    pub fn new<T>(name: &str, bytes: usize, mut run: impl FnMut() -> T + 'a) -> Self {
        Self::timed(name, bytes, move || {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed()
        })
    }

    /// `run` says itself how long its measured part took.
    pub fn timed(name: &str, bytes: usize, run: impl FnMut() -> Duration + 'a) -> Self {
        Self { name: name.into(), bytes, run: Box::new(run) }
    }
}

/// One line of the table.
struct Row {
    group: String,
    name: String,
    milliseconds: f64,
    megabytes_per_second: f64,
    /// Time of the peer divided by this one's: above 1 is faster than the peer.
    speed: f64,
    note: String,
}

/// All figures of a run.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Measures contenders against the first of them, the peer.
    pub fn group(&mut self, name: &str, rounds: usize, mut contenders: Vec<Contender<'_>>) {
        for contender in &mut contenders {
            (contender.run)(); // warm
        }
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut times = vec![Vec::new(); contenders.len()];
        for _ in 0..rounds {
            let mut order: Vec<usize> = (0..contenders.len()).collect();
            for place in (1..order.len()).rev() {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                order.swap(place, (random % (place as u64 + 1)) as usize);
            }
            for index in order {
                times[index].push((contenders[index].run)().as_secs_f64());
            }
        }
        for (contender, own) in contenders.iter().zip(&times) {
            let ratios = times[0].iter().zip(own).map(|(peer, own)| peer / own).collect();
            let seconds = median(own.clone());
            self.rows.push(Row {
                group: name.into(),
                name: contender.name.clone(),
                milliseconds: seconds * 1e3,
                megabytes_per_second: contender.bytes as f64 / 1e6 / seconds,
                speed: median(ratios),
                note: String::new(),
            });
        }
    }

    /// A figure that is no time.
    pub fn note(&mut self, group: &str, name: &str, note: String) {
        let (group, name) = (group.into(), name.into());
        let nothing = f64::NAN;
        self.rows.push(Row {
            group,
            name,
            milliseconds: nothing,
            megabytes_per_second: nothing,
            speed: nothing,
            note,
        });
    }

    /// The table for people.
    pub fn print(&self) {
        let mut group = "";
        for row in &self.rows {
            if row.group != group {
                group = &row.group;
                println!("\n{group:<52} {:>10} {:>9} {:>9}", "ms", "MB/s", "x peer");
            }
            if row.milliseconds.is_nan() {
                println!("  {:<50} {}", row.name, row.note);
            } else {
                println!(
                    "  {:<50} {:>10.3} {:>9.1} {:>9.2}",
                    row.name, row.milliseconds, row.megabytes_per_second, row.speed
                );
            }
        }
    }

    /// The table for programs.
    pub fn to_json(&self) -> String {
        let number = |value: f64| serde_json::Number::from_f64(value);
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|row| {
                serde_json::json!({
                    "group": row.group,
                    "name": row.name,
                    "ms": number(row.milliseconds),
                    "mb_s": number(row.megabytes_per_second),
                    "x_peer": number(row.speed),
                    "note": row.note,
                })
            })
            .collect();
        serde_json::json!({ "schema_version": 1, "rows": rows }).to_string()
    }
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
