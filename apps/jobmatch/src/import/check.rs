//! Whether a field fits its column: what the schema would refuse is found here, before the
//! server sees it.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher};
use underpin::value::{Date, Timestamp};

use super::batch::{Batch, Cell};
use super::column::{Column, Rule};
use super::money::{Cents, NoAmount};

/// Reads a field as the column's type; the error is a full sentence.
pub(super) fn check(column: &Column, field: &[u8], batch: &mut Batch) -> Result<Cell, String> {
    if field.is_empty() || field == b"NaN" {
        return match column.required {
            true => Err("It is empty, but the column must have a value.".into()),
            false => Ok(Cell::Null),
        };
    }
    let Ok(text) = std::str::from_utf8(field) else {
        return Err("It is not UTF-8.".into());
    };
    let cell = match column.rule {
        Rule::Text(most) => return fitting(text, most, batch),
        Rule::LongText => return fitting(text, usize::MAX, batch),
        Rule::Phc => return phc(text, batch),
        Rule::Password => return hash(text, batch),
        Rule::Salary => salary(column, text.trim()),
        Rule::Bool => truth(text.trim()).map(Cell::Bool),
        Rule::Date => date(text.trim()).map(Cell::Date),
        Rule::Timestamp => timestamp(text.trim()).map(Cell::Timestamp),
        Rule::Integer => integer(text.trim()).map(Cell::I32),
        Rule::Float => float(text.trim()).map(Cell::F64),
        Rule::Percent => percent(text.trim()).map(Cell::F64),
    };
    cell.map_err(|why| format!("{:?} {why}.", shown(text)))
}

/// Whether the values of a row fit each other.
pub(super) fn check_salaries(min: Cell, max: Cell) -> Result<(), String> {
    match (min, max) {
        (Cell::Money(min), Cell::Money(max)) if max < min => Err(format!(
            "{} is less than the salary_min of {} (check_salary_max_greater_than_min).",
            max.to_numeric(),
            min.to_numeric()
        )),
        _ => Ok(()),
    }
}

/// The beginning of a value, for a message.
fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn fitting(text: &str, most: usize, batch: &mut Batch) -> Result<Cell, String> {
    // As many bytes as characters are allowed are never too many characters.
    if text.len() > most {
        let count = text.chars().count();
        if count > most {
            return Err(format!(
                "{:?} has {count} characters, but the maximum is {most}.",
                shown(text)
            ));
        }
    }
    if text.contains('\0') {
        return Err("It contains a NUL character, which a text cannot.".into());
    }
    Ok(batch.keep(text))
}

fn phc(text: &str, batch: &mut Batch) -> Result<Cell, String> {
    let is_phc = PasswordHash::new(text).is_ok_and(|hash| hash.hash.is_some());
    match is_phc && text.len() <= 255 {
        true => Ok(batch.keep(text)),
        false => Err("It is not a PHC string of at most 255 characters, such as \
             $argon2id$v=19$m=19456,t=2,p=1$….$…."
            .into()),
    }
}

fn hash(password: &str, batch: &mut Batch) -> Result<Cell, String> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    match hashed {
        Ok(hashed) => Ok(batch.keep(&hashed.to_string())),
        Err(error) => Err(format!("It cannot be hashed: {error}.")),
    }
}

fn salary(column: &Column, text: &str) -> Result<Cell, &'static str> {
    match Cents::read(text) {
        Ok(cents) if cents.0 < 0 && column.name == "salary_min" => {
            Err("is less than 0 (check_salary_min_positive)")
        }
        Ok(cents) => Ok(Cell::Money(cents)),
        Err(NoAmount::NoNumber) => Err("is not a decimal number"),
        Err(NoAmount::TooLarge) => Err("is more than numeric(10,2) can store"),
    }
}

fn truth(text: &str) -> Result<bool, &'static str> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["true", "t", "yes", "y", "on", "1"]) {
        Ok(true)
    } else if is(&["false", "f", "no", "n", "off", "0"]) {
        Ok(false)
    } else {
        Err("is neither true nor false")
    }
}

/// The years that both engines can keep.
fn is_common(date: Date) -> bool {
    !date.is_infinite() && (1..=9999).contains(&date.ymd().0)
}

fn date(text: &str) -> Result<Date, &'static str> {
    let date = text.parse().ok().filter(|date| is_common(*date));
    date.ok_or("is not a date such as 2024-01-31")
}

fn timestamp(text: &str) -> Result<Timestamp, &'static str> {
    let parsed: Option<Timestamp> = text.parse().ok();
    let timestamp = parsed.filter(|at| !at.is_infinite() && is_common(at.date()));
    timestamp.ok_or("is not a date and time without zone such as 2024-01-31 12:00:00")
}

fn integer(text: &str) -> Result<i32, &'static str> {
    // Programs that know no missing integers write them as floats.
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits.parse().map_err(|_| "is not an integer of 32 bits")
}

fn float(text: &str) -> Result<f64, &'static str> {
    let float = text.parse().ok().filter(|float: &f64| float.is_finite());
    float.ok_or("is not a finite number")
}

fn percent(text: &str) -> Result<f64, &'static str> {
    match float(text)? {
        score if (0.0..=100.0).contains(&score) => Ok(score),
        _ => Err("is not from 0 to 100 (check_total_score_range)"),
    }
}
