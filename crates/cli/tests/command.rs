//! The command `underpin` as a shell sees it: what it prints, and how it ends.

use std::process::{Command, Output, Stdio};

use underpin_testkit::{Postgres, SqliteFile, closed_port, or_skip, secrets};

/// The command with nothing in its environment that could name a database.
fn underpin(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_underpin"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("DB_") || name.contains("DATABASE_URL") {
            command.env_remove(name);
        }
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    let output = underpin(arguments).output().expect("the command starts");
    // To the test run's output, which is searched for secrets.
    print!("{}{}", text(&output.stdout), text(&output.stderr));
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("the command ends by itself")
}

#[test]
fn queries_print_as_table_json_and_csv() {
    let file = SqliteFile::new();
    let url = &file.url();
    let made = run(&[
        "--url",
        url,
        "query",
        "CREATE TABLE t (n INTEGER, word TEXT)",
    ]);
    assert_eq!(code(&made), 0);
    let insert = "INSERT INTO t VALUES ($1, $2)";
    assert_eq!(
        code(&run(&[
            "--url", url, "query", insert, "-p", "1", "-p", "a, b"
        ])),
        0
    );
    assert_eq!(
        code(&run(&[
            "--url",
            url,
            "query",
            "INSERT INTO t VALUES (-2, NULL)"
        ])),
        0
    );

    let select = "SELECT * FROM t ORDER BY n DESC";
    let table = run(&["--url", url, "query", select]);
    assert_eq!(
        text(&table.stdout),
        " n  │ word\n────┼──────\n  1 │ a, b\n -2 │ NULL\n2 rows\n"
    );
    let json = run(&["--url", url, "--format", "json", "query", select]);
    assert_eq!(
        text(&json.stdout),
        "[\n{\"n\":1,\"word\":\"a, b\"},\n{\"n\":-2,\"word\":null}\n]\n"
    );
    let csv = run(&["--url", url, "--format", "csv", "query", select]);
    assert_eq!(text(&csv.stdout), "n,word\n1,\"a, b\"\n-2,\n");
}

#[test]
fn a_parameter_that_is_a_number_compares_as_one() {
    let file = SqliteFile::new();
    let url = &file.url();
    for sql in [
        "CREATE TABLE t (n NUMERIC, code TEXT)",
        "INSERT INTO t VALUES (1.5, '007')",
    ] {
        assert_eq!(code(&run(&["--url", url, "query", sql])), 0);
    }
    let one = |sql: &str, value: &str| {
        let output = run(&["--url", url, "--format", "csv", "query", sql, "-p", value]);
        text(&output.stdout)
            .lines()
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(one("SELECT count(*) FROM t WHERE n * 2 > $1", "2"), "1");
    assert_eq!(one("SELECT count(*) FROM t WHERE n * 2 > $1", "3.5"), "0");
    assert_eq!(one("SELECT count(*) FROM t WHERE n = $1", "1.5"), "1");
    assert_eq!(one("SELECT count(*) FROM t WHERE code = $1", "007"), "1");
    for (value, kind) in [
        ("7", "integer"),
        ("-1.5", "real"),
        ("007", "text"),
        ("1.50", "text"),
        ("1e3", "text"),
        ("99999999999999999999", "text"),
        ("-", "text"),
    ] {
        assert_eq!(one("SELECT typeof($1)", value), kind, "{value}");
    }
}

#[test]
fn a_statement_comes_from_a_file_or_from_standard_input() {
    let file = SqliteFile::new();
    let path = file.directory().join("select.sql");
    std::fs::write(&path, "SELECT 40 + 2 AS answer").unwrap();
    let url = file.url();
    let from_file = run(&["--url", &url, "query", "--file", path.to_str().unwrap()]);
    assert!(text(&from_file.stdout).contains("42"));
    let mut piped = underpin(&["--url", &url, "query", "-"]);
    piped.stdin(std::fs::File::open(&path).unwrap());
    assert!(text(&piped.output().unwrap().stdout).contains("42"));
    let missing = run(&["--url", &url, "query", "--file", "/no/such/file.sql"]);
    assert_eq!(code(&missing), 2);
    assert!(text(&missing.stderr).contains("/no/such/file.sql"));
}

#[test]
fn exit_codes_are_as_documented() {
    let file = SqliteFile::new();
    let secret = secrets::password();
    let closed = format!("postgres://app:{secret}@127.0.0.1:{}/shop", closed_port());
    let empty = file.directory().to_path_buf();
    // To look does not create it, whatever the URL says.
    for look in ["ping", "health"] {
        let missing = run(&["--url", &file.url(), look]);
        assert_ne!(code(&missing), 0, "{look}");
        assert!(!file.path().exists(), "{look}");
    }
    assert_eq!(code(&run(&["--url", &file.url(), "query", "SELECT 1"])), 0);
    let cases: &[(&[&str], i32)] = &[
        (&["--url", &file.url(), "ping"], 0),
        (&["--url", &file.url(), "health"], 0),
        (&["--url", &closed, "health"], 1),
        (&["ping"], 2),
        (&["--url", "oracle://db/shop", "ping"], 2),
        (&["--no-such-option"], 2),
        (&["--url", &closed, "ping"], 3),
        (&["--url", &file.url(), "query", "SELEC 1"], 4),
    ];
    for (arguments, expected) in cases {
        let output = underpin(arguments).current_dir(&empty).output().unwrap();
        let said = text(&output.stderr) + &text(&output.stdout);
        println!("{said}");
        assert_eq!(code(&output), *expected, "{arguments:?}: {said}");
        assert!(!said.contains(&secret), "a secret is shown");
    }
}

#[test]
fn config_shows_each_value_with_its_source_and_no_secret() {
    let file = SqliteFile::new();
    let secret = secrets::password();
    let toml = file.directory().join("underpin.toml");
    std::fs::write(
        &toml,
        "pool_max_size = 7\n[databases.reports]\nurl = \"sqlite:reports.db\"\n",
    )
    .unwrap();
    let output = underpin(&["config"])
        .current_dir(file.directory())
        .env("DATABASE_URL", format!("postgres://app:{secret}@db1/shop"))
        .env("DB_MAX_RETRIES", "9")
        .output()
        .unwrap();
    let said = text(&output.stdout);
    println!("{said}{}", text(&output.stderr));
    let line = |key: &str| {
        said.lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .to_owned()
    };
    assert!(line("host").contains("db1") && line("host").contains("DATABASE_URL"));
    assert!(line("password").contains("***"));
    assert!(line("pool_max_size").contains("underpin.toml"));
    assert!(line("max_retries").contains("DB_MAX_RETRIES"));
    assert!(line("acquire_timeout").contains("default"));
    assert!(!said.contains(&secret));

    let named = underpin(&["config", "--database", "reports", "--format", "json"])
        .current_dir(file.directory())
        .output()
        .unwrap();
    assert!(
        text(&named.stdout).contains("\"reports.db\""),
        "{}",
        text(&named.stdout)
    );

    std::fs::write(&toml, "pool_max_sise = 7\n").unwrap();
    let wrong = underpin(&["config"])
        .current_dir(file.directory())
        .output()
        .unwrap();
    let said = text(&wrong.stderr);
    assert_eq!(code(&wrong), 2);
    for part in ["underpin.toml", "1", "pool_max_sise", "pool_max_size"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_large_result_streams_and_its_reader_may_leave() {
    let server = or_skip!(Postgres::shared());
    let url = server.url("postgres");
    let sql = "SELECT n, repeat('x', 100) AS pad FROM generate_series(1, 5000000) AS n";
    for format in ["table", "csv", "json"] {
        let mut child = underpin(&["--url", &url, "--format", format, "query", sql])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Read a little and hang up: it ends, quietly, long before half a gigabyte.
        let mut first = [0; 100];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn values_are_bound_not_pasted() {
    let server = or_skip!(Postgres::shared());
    let url = server.url("postgres");
    let sql = "SELECT $1::text AS quoted, $2::int4 + 1 AS sum, $3::date AS day";
    let output = run(&[
        "--url",
        &url,
        "--format",
        "csv",
        "query",
        sql,
        "-p",
        "'; DROP TABLE t",
        "-p",
        "-8",
        "-p",
        "2026-11-20",
    ]);
    assert_eq!(
        text(&output.stdout),
        "quoted,sum,day\n'; DROP TABLE t,-7,2026-11-20\n"
    );
}

#[test]
fn a_completion_script_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(text(&output.stdout).contains("underpin"));
    }
}

#[test]
fn a_statement_without_rows_says_how_many_it_changed() {
    let file = SqliteFile::new();
    let url = &file.url();
    let query = |format: &str, sql: &str| {
        let output = run(&["--url", url, "--format", format, "query", sql]);
        assert_eq!(code(&output), 0, "{sql}");
        text(&output.stdout)
    };
    assert_eq!(query("table", "CREATE TABLE t (n INTEGER)"), "done\n");
    let insert = "/* three */ INSERT INTO t VALUES (1), (2), (3)";
    assert_eq!(query("table", insert), "3 rows changed\n");
    assert_eq!(
        query("table", "UPDATE t SET n = 4 WHERE n = 1"),
        "1 row changed\n"
    );
    assert_eq!(
        query("table", "/* x */ delete from t where n = 9"),
        "0 rows changed\n"
    );
    assert_eq!(
        query("json", "UPDATE t SET n = n"),
        "{\"rows_changed\":3}\n"
    );
    assert_eq!(query("csv", "DELETE FROM t"), "rows_changed\n3\n");
    let returning = query("json", "INSERT INTO t VALUES (7) RETURNING n");
    assert!(returning.contains("\"n\":7"), "{returning}");
}

#[test]
fn json_has_times_in_rfc_3339() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("command_times");
    let sql = "SELECT '2026-11-30 07:51:27.5+02'::timestamptz AS at, \
        '2026-11-30 07:51:27'::timestamp AS plain, '2026-11-30'::date AS day, \
        'infinity'::timestamptz AS never, '0044-03-15 12:00:00 BC'::timestamp AS ides, \
        ARRAY['2026-01-01 00:00:00Z'::timestamptz] AS all";
    let sql = sql.replace(" AS all", " AS \"all\"");
    let output = run(&["--url", &database.url(), "--format", "json", "query", &sql]);
    let printed = text(&output.stdout);
    for part in [
        "\"at\":\"2026-11-30T05:51:27.5Z\"",
        "\"plain\":\"2026-11-30T07:51:27\"",
        "\"day\":\"2026-11-30\"",
        "\"never\":\"infinity\"",
        "\"all\":[\"2026-01-01T00:00:00Z\"]",
    ] {
        assert!(printed.contains(part), "{part} in {printed}");
    }
    assert!(!printed.contains("44-03-15T"), "{printed}");
}

#[test]
fn an_interrupt_cancels_the_statement_on_the_server() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("command_interrupt");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = || {
        runtime.block_on(async {
            let client = database.client().await;
            let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()";
            client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
        })
    };
    let wait_for = |count: i64| {
        for _ in 0..400 {
            if running() == count {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        panic!("there are never {count} statements running");
    };
    for sql in [
        "SELECT pg_sleep(60)",
        "DO $$ BEGIN PERFORM pg_sleep(60); END $$",
    ] {
        let mut child = underpin(&["--url", &database.url(), "query", sql])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for(1);
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130));
        wait_for(0);
    }
}

/// A listener on another address of this machine, before the server on this port.
async fn forward(listener: tokio::net::TcpListener, to: u16) {
    while let Ok((mut near, _)) = listener.accept().await {
        tokio::spawn(async move {
            let far = tokio::net::TcpStream::connect(("127.0.0.1", to)).await;
            if let Ok(mut far) = far {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

/// One name stands for two servers; then one of them leaves it. The name is in a hosts file that only
/// the command sees.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn each_address_of_a_name_is_a_member() {
    use std::io::{BufRead, BufReader};

    const NAME: &str = "each_address_of_a_name_is_a_member";
    let primary = or_skip!(Postgres::start());
    let replica = or_skip!(primary.replica().await);
    let listener = tokio::net::TcpListener::bind(("127.0.0.2", primary.port())).await;
    tokio::spawn(forward(listener.unwrap(), replica.port()));
    let directory = tempfile::tempdir().unwrap();
    let hosts = directory.path().join("hosts");
    let both = "127.0.0.1 localhost two-servers\n127.0.0.2 two-servers\n";
    std::fs::write(&hosts, both).unwrap();
    let shell = |script: &str| {
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
        shell.arg(&hosts);
        shell
    };
    let mount = "mount --bind \"$1\" /etc/hosts";
    let works = shell(mount)
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        let reason = "A hosts file of a process's own needs mount namespaces.";
        return underpin_testkit::skip::report_without_more(NAME, reason);
    }
    let url = format!(
        "postgres://{}:{}@two-servers:{}/postgres?sslmode=disable&target_session_attrs=primary\
         &discovery_interval=1s",
        primary.user(),
        primary.password(),
        primary.port()
    );
    let program = env!("CARGO_BIN_EXE_underpin");
    let script = format!("{mount} && exec '{program}' health --watch 1");
    let mut command = shell(&script)
        .env("DATABASE_URL", url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(command.stdout.take().unwrap()).lines();
    let (mut both_seen, mut one_left) = (false, false);
    let (first, second) = (
        format!(
            "two-servers:{} (127.0.0.1): primary, answers",
            primary.port()
        ),
        format!(
            "two-servers:{} (127.0.0.2): replica, answers",
            primary.port()
        ),
    );
    let (mut firsts, mut seconds) = (0, 0);
    for line in lines.map_while(Result::ok).take(1_000) {
        println!("{line}");
        firsts += u32::from(line.starts_with(&first));
        seconds += u32::from(line.starts_with(&second));
        if !both_seen && firsts > 0 && seconds > 0 {
            both_seen = true;
            // In place: the command sees the file, not its name.
            std::fs::write(&hosts, "127.0.0.1 localhost two-servers\n").unwrap();
        }
        // The name alone again, at whatever address it has.
        let alone = format!("two-servers:{}: primary, answers", primary.port());
        if both_seen && line.starts_with(&alone) {
            one_left = true;
            break;
        }
    }
    command.kill().unwrap();
    command.wait().unwrap();
    assert!(both_seen && one_left, "{firsts} and {seconds} lines");
}
