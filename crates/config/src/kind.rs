use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use underpin_core::{
    ChannelBinding, Class, Engine, HealthCheck, ReadFrom, Recycling, Secret, SessionTarget,
    TimeForm, TlsMode, TlsNegotiation, TlsVersion, TwoPrimaries, UuidForm,
};

use crate::ahead::Ahead;
use crate::duration;
use crate::environment::Environment;
use crate::health_check;
use crate::hosts::{Addresses, Hosts, Ports};

/// The kind of value that a field has: how it is read, checked and shown.
pub(crate) trait Kind: Sized {
    /// Reads what a person wrote.
    fn read(text: &str) -> Result<Self, Misfit>;

    /// Whether the value may stand, wherever it comes from.
    fn check(&self) -> Result<(), Misfit> {
        Ok(())
    }

    /// Whether a text is a number that could be of more than one unit.
    fn lacks_unit(_text: &str) -> bool {
        false
    }

    /// The value as a person would write it.
    fn show(&self) -> String;
}

/// Why a text is not a value of a field, as a clause: `is not a whole number`.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) class: Class,
    pub(crate) problem: String,
}

impl<T: Into<String>> From<T> for Misfit {
    fn from(problem: T) -> Self {
        Misfit {
            class: Class::Config,
            problem: problem.into(),
        }
    }
}

/// Engines of the design that this version has no driver for.
const LATER: [&str; 3] = ["mssql", "sqlserver", "mongodb"];

impl Kind for Engine {
    fn read(text: &str) -> Result<Self, Misfit> {
        let name = text
            .split('+')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if LATER.contains(&name.as_str()) && text.parse::<Engine>().is_err() {
            let problem = format!(
                "is an engine without a driver in this build; available: {}",
                Engine::list()
            );
            return Err(Misfit {
                class: Class::Unsupported,
                problem,
            });
        }
        text.parse()
            .map_err(|_| format!("is not an engine; the engines are {}", Engine::list()).into())
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Kind for u32 {
    fn read(text: &str) -> Result<Self, Misfit> {
        text.parse()
            .map_err(|_| format!("is not a whole number from 0 to {}", u32::MAX).into())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A limit of number that can be absent.
impl Kind for Option<u32> {
    fn read(text: &str) -> Result<Self, Misfit> {
        match text {
            "off" | "none" => Ok(None),
            _ => u32::read(text).map(Some),
        }
    }

    fn check(&self) -> Result<(), Misfit> {
        match self {
            Some(0) => Err("is not greater than 0; write `off` for no limit".into()),
            _ => Ok(()),
        }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "off".to_owned(), |limit| limit.to_string())
    }
}

impl Kind for bool {
    fn read(text: &str) -> Result<Self, Misfit> {
        match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Ok(true),
            "off" | "false" | "no" | "0" => Ok(false),
            _ => Err("is neither on nor off".into()),
        }
    }

    fn show(&self) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

impl Kind for UuidForm {
    fn read(text: &str) -> Result<Self, Misfit> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(UuidForm::Text),
            "blob" => Ok(UuidForm::Blob),
            _ => Err("is neither text nor blob".into()),
        }
    }

    fn show(&self) -> String {
        let name = match self {
            UuidForm::Text => "text",
            UuidForm::Blob => "blob",
        };
        name.to_owned()
    }
}

impl Kind for TimeForm {
    fn read(text: &str) -> Result<Self, Misfit> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(TimeForm::Text),
            "offset" => Ok(TimeForm::Offset),
            "rfc3339" => Ok(TimeForm::Rfc3339),
            "unix" => Ok(TimeForm::UnixSeconds),
            _ => Err("is not one of text, offset, rfc3339 and unix".into()),
        }
    }

    fn show(&self) -> String {
        let name = match self {
            TimeForm::Text => "text",
            TimeForm::Offset => "offset",
            TimeForm::Rfc3339 => "rfc3339",
            TimeForm::UnixSeconds => "unix",
        };
        name.to_owned()
    }
}

impl Kind for Duration {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(duration::read(text)?)
    }

    fn lacks_unit(text: &str) -> bool {
        duration::lacks_unit(text)
    }

    fn check(&self) -> Result<(), Misfit> {
        Ok(duration::check(*self)?)
    }

    fn show(&self) -> String {
        duration::show(*self)
    }
}

/// A limit of time that can be absent. `-1` is what SQLAlchemy and PostgreSQL write.
impl Kind for Option<Duration> {
    fn read(text: &str) -> Result<Self, Misfit> {
        match text {
            "off" | "none" | "never" | "-1" => Ok(None),
            _ => Duration::read(text).map(Some),
        }
    }

    fn lacks_unit(text: &str) -> bool {
        duration::lacks_unit(text)
    }

    fn check(&self) -> Result<(), Misfit> {
        match self {
            Some(Duration::ZERO) => Err("is not greater than 0; write `off` for no limit".into()),
            Some(duration) => Kind::check(duration),
            None => Ok(()),
        }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "off".to_owned(), duration::show)
    }
}

impl Kind for String {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(text.to_owned())
    }

    fn check(&self) -> Result<(), Misfit> {
        if self.trim().is_empty() {
            Err("is empty".into())
        } else if self.contains('\0') {
            Err("contains a NUL character".into())
        } else {
            Ok(())
        }
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Kind for Option<String> {
    fn read(text: &str) -> Result<Self, Misfit> {
        String::read(text).map(Some)
    }

    fn check(&self) -> Result<(), Misfit> {
        self.as_ref().map_or(Ok(()), Kind::check)
    }

    fn show(&self) -> String {
        self.clone().unwrap_or_else(|| "none".to_owned())
    }
}

impl Kind for Option<PathBuf> {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(Some(PathBuf::from(text)))
    }

    fn check(&self) -> Result<(), Misfit> {
        match self {
            Some(path) if path.as_os_str().is_empty() => Err("is empty".into()),
            _ => Ok(()),
        }
    }

    fn show(&self) -> String {
        self.as_ref()
            .map_or_else(|| "none".to_owned(), |path| path.display().to_string())
    }
}

impl Kind for Secret {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(Secret::new(text))
    }

    fn check(&self) -> Result<(), Misfit> {
        match self.expose().contains('\0') {
            true => Err("contains a NUL character".into()),
            false => Ok(()),
        }
    }

    fn show(&self) -> String {
        if self.is_empty() { "none" } else { "***" }.to_owned()
    }
}

impl Kind for Option<TlsMode> {
    fn read(text: &str) -> Result<Self, Misfit> {
        let mode = TlsMode::from_str(text);
        mode.map(Some).map_err(|_| {
            let names: Vec<_> = TlsMode::ALL.into_iter().map(TlsMode::name).collect();
            format!("is not one of {}", names.join(", ")).into()
        })
    }

    fn show(&self) -> String {
        self.map_or("none", TlsMode::name).to_owned()
    }
}

/// Reads one of the names that libpq has, which are few.
fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, Misfit> {
    all.iter()
        .copied()
        .find(|value| name(*value).eq_ignore_ascii_case(text))
        .ok_or_else(|| {
            let names: Vec<_> = all.iter().copied().map(name).collect();
            format!("is not one of {}", names.join(", ")).into()
        })
}

impl Kind for ChannelBinding {
    fn read(text: &str) -> Result<Self, Misfit> {
        named(&ChannelBinding::ALL, ChannelBinding::name, text)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Kind for TlsNegotiation {
    fn read(text: &str) -> Result<Self, Misfit> {
        named(&TlsNegotiation::ALL, TlsNegotiation::name, text)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Kind for Option<TlsVersion> {
    fn read(text: &str) -> Result<Self, Misfit> {
        named(&TlsVersion::ALL, TlsVersion::name, text).map(Some)
    }

    fn show(&self) -> String {
        self.map_or("none", TlsVersion::name).to_owned()
    }
}

impl Kind for Option<SessionTarget> {
    fn read(text: &str) -> Result<Self, Misfit> {
        named(&SessionTarget::ALL, SessionTarget::name, text).map(Some)
    }

    fn show(&self) -> String {
        self.map_or("none", SessionTarget::name).to_owned()
    }
}

impl Kind for Addresses {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(Addresses::read(text)?)
    }

    fn show(&self) -> String {
        Addresses::show(self)
    }
}

impl Kind for HealthCheck {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(health_check::read(text)?)
    }

    fn lacks_unit(text: &str) -> bool {
        duration::lacks_unit(text.strip_prefix("after ").unwrap_or(text))
    }

    fn check(&self) -> Result<(), Misfit> {
        match self {
            HealthCheck::AfterIdle(idle) => Kind::check(idle),
            HealthCheck::Always | HealthCheck::Never => Ok(()),
        }
    }

    fn show(&self) -> String {
        health_check::show(*self)
    }
}

impl Kind for ReadFrom {
    fn read(text: &str) -> Result<Self, Misfit> {
        let found = ReadFrom::ALL.into_iter().find(|from| from.name() == text);
        found.ok_or_else(|| "is not one of all, replicas, least_busy and nearest".into())
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Kind for TwoPrimaries {
    fn read(text: &str) -> Result<Self, Misfit> {
        let found = TwoPrimaries::ALL.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| "is neither refuse nor keep".into())
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Kind for Recycling {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(text.parse::<Recycling>()?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Kind for Ahead {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(text.parse::<Ahead>()?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Kind for Environment {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(text.parse::<Environment>()?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Kind for Hosts {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(Hosts::read(text)?)
    }

    fn check(&self) -> Result<(), Misfit> {
        Ok(Hosts::check(self)?)
    }

    fn show(&self) -> String {
        Hosts::show(self)
    }
}

impl Kind for Ports {
    fn read(text: &str) -> Result<Self, Misfit> {
        Ok(Ports::read(text)?)
    }

    fn check(&self) -> Result<(), Misfit> {
        Ok(Ports::check(self)?)
    }

    /// Not asked for: the ports are shown from the endpoints.
    fn show(&self) -> String {
        String::new()
    }
}
