//! Made-up files to import, the same for the same seed.

use std::io::{self, Write};

use fastrand::Rng;

use crate::import::ImportKind;

/// What to make up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// What the file holds.
    pub kind: ImportKind,
    /// How many rows it has, without the header.
    pub rows: u64,
    /// The same seed makes the same file.
    pub seed: u64,
    /// How many of a hundred rows are bad, spread evenly.
    pub bad_percent: f64,
    /// For scores: how many users there are, with the ids from 1.
    pub users: u32,
    /// For scores: how many jobs there are, with the ids from 1.
    pub jobs: u32,
}

const TITLES: [&str; 8] = [
    "Data Engineer",
    "Public Health Nurse",
    "Site Reliability Engineer",
    "Executive Agency Counsel",
    "Electrician",
    "Product Designer",
    "Übersetzer",
    "データサイエンティスト",
];
const LEVELS: [&str; 3] = ["Junior", "Experienced", "Senior"];
const COMPANIES: [&str; 6] = [
    "Dept of Health/Mental Hygiene",
    "Harbour & Sons, Ltd.",
    "NYC Housing Authority",
    "\"Quoted\" Industries",
    "Müller GmbH",
    "Northwind",
];
const PLACES: [&str; 5] = ["New York", "Berlin", "São Paulo", "Tokyo", "Remote"];
const TYPES: [&str; 4] = ["Full time", "Part time", "Contract", "Internship"];
const INDUSTRIES: [&str; 5] = ["Health", "Legal", "Technology", "Energy", "Education"];
const NAMES: [&str; 6] = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald"];

impl Sample {
    /// Writes the file.
    ///
    /// # Errors
    /// What writing failed with.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut rng = Rng::with_seed(self.seed);
        let mut out = csv::Writer::from_writer(out);
        out.write_record(header(self.kind))?;
        for row in 0..self.rows {
            let bad = self.is_bad(row);
            let record = match self.kind {
                ImportKind::Jobs => job(&mut rng, bad),
                ImportKind::Users => user(&mut rng, row, bad),
                ImportKind::Scores => self.score(&mut rng, row, bad),
            };
            out.write_record(record)?;
        }
        out.flush()
    }

    /// The file as a text.
    pub fn text(&self) -> String {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("memory can be written");
        String::from_utf8(bytes).expect("all of it is text")
    }

    /// How many of the rows are bad.
    pub fn bad_rows(&self) -> u64 {
        (0..self.rows).filter(|row| self.is_bad(*row)).count() as u64
    }

    fn is_bad(&self, row: u64) -> bool {
        let before = (row as f64 * self.bad_percent / 100.0).floor();
        ((row + 1) as f64 * self.bad_percent / 100.0).floor() > before
    }

    fn score(&self, rng: &mut Rng, row: u64, bad: bool) -> Vec<String> {
        let (users, jobs) = (u64::from(self.users.max(1)), u64::from(self.jobs.max(1)));
        let component = |rng: &mut Rng| match rng.u8(0..20) {
            0 => String::from("NaN"),
            _ => format!("{:.1}", 30.0 + rng.f64() * 70.0),
        };
        let total = if bad { 140.0 } else { 40.0 + rng.f64() * 60.0 };
        let mut record = vec![
            (row % users + 1).to_string(),
            (row / users % jobs + 1).to_string(),
            format!("{total:.2}"),
        ];
        record.extend((0..5).map(|_| component(rng)));
        record.push(format!("{}.0", row / users / jobs + 1));
        record
    }
}

fn header(kind: ImportKind) -> &'static [&'static str] {
    match kind {
        ImportKind::Jobs => &[
            "title",
            "company_name",
            "description",
            "location",
            "salary_min",
            "salary_max",
            "employment_type",
            "experience_level",
            "industry",
            "is_active",
            "posted_date",
        ],
        ImportKind::Users => &["email", "hashed_password", "full_name", "is_active"],
        ImportKind::Scores => &[
            "user_id",
            "job_id",
            "total_score",
            "skill_match_score",
            "experience_score",
            "location_score",
            "salary_score",
            "culture_fit_score",
            "scoring_algorithm_version",
        ],
    }
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

fn job(rng: &mut Rng, bad: bool) -> Vec<String> {
    let level = pick(rng, &LEVELS);
    let title = pick(rng, &TITLES);
    let hourly = rng.u8(0..10) == 0;
    let min = match hourly {
        true => f64::from(rng.u32(1500..6000)) / 100.0,
        false => f64::from(rng.u32(30..150)) * 1000.0,
    };
    let max = min * (1.0 + rng.f64() / 2.0);
    let location = match rng.u8(0..12) {
        0 => "NaN",
        _ => pick(rng, &PLACES),
    };
    let posted = (2020 + rng.u32(0..6), rng.u32(1..13), rng.u32(1..29));
    let mut record = vec![
        format!("{level} {title}"),
        pick(rng, &COMPANIES).to_owned(),
        format!(
            "We look for a {level} {title}, no. {}.\nApply now.",
            rng.u32(..)
        ),
        location.to_owned(),
        format!("{min:.2}"),
        format!("{max:.2}"),
        pick(rng, &TYPES).to_owned(),
        level.to_owned(),
        pick(rng, &INDUSTRIES).to_owned(),
        (rng.u8(0..8) != 0).to_string(),
        format!("{}-{:02}-{:02}", posted.0, posted.1, posted.2),
    ];
    if bad {
        let (field, value) = match rng.u8(0..6) {
            0 => (0, String::new()),
            1 => (1, "NaN".into()),
            2 => (4, "-1.00".into()),
            3 => (5, "0.01".into()),
            4 => (6, "x".repeat(51)),
            _ => (10, "2024-02-30".into()),
        };
        record[field] = value;
    }
    record
}

/// The hash is of nothing: nobody can log in with it.
fn user(rng: &mut Rng, row: u64, bad: bool) -> Vec<String> {
    let digits =
        |rng: &mut Rng, count| -> String { (0..count).map(|_| rng.alphanumeric()).collect() };
    // The last character of a base64 text of 43 has two bits to spare, which must be 0.
    let hash = format!(
        "$argon2id$v=19$m=19456,t=2,p=1${}A${}A",
        digits(rng, 21),
        digits(rng, 42)
    );
    let name = pick(rng, &NAMES);
    let mut record = vec![
        format!("{}.{row}@example.com", name.to_lowercase()),
        hash,
        format!("{name} {row}"),
        (rng.u8(0..10) != 0).to_string(),
    ];
    if bad {
        let (field, value) = match rng.bool() {
            true => (0, String::new()),
            false => (1, "hunter2".into()),
        };
        record[field] = value;
    }
    record
}
