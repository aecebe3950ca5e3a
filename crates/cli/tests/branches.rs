//! Branches of revisions as a person at a shell starts, continues, follows and merges them.

use std::process::{Command, Stdio};

use underpin_testkit::Place;

struct Project {
    directory: tempfile::TempDir,
    place: Place,
}

impl Project {
    fn each(name: &str) -> Vec<Project> {
        let project = |place| Project {
            directory: tempfile::tempdir().unwrap(),
            place,
        };
        let projects: Vec<Project> = Place::each(name).into_iter().map(project).collect();
        for project in &projects {
            std::fs::create_dir(project.directory.path().join("revisions")).unwrap();
        }
        projects
    }

    /// Runs `underpin migrate`, expects its exit code, and gives what it prints.
    fn run(&self, code: i32, arguments: &str) -> String {
        let url = self.place.url();
        let output = Command::new(env!("CARGO_BIN_EXE_underpin"))
            .args(["--url", &url, "--format", "csv", "migrate"])
            .args(arguments.split(' '))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .output()
            .expect("the command starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        print!("{text}");
        assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
        text
    }

    /// Makes a revision with `new`, and gives it the statement.
    fn revision(&self, id: &str, options: &str, up: &str, down: &str) {
        let options = format!("new -m the_{id} --id {id} {options}");
        let path = self.run(0, options.trim());
        let path = self.directory.path().join(path.trim());
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("-- up\n", &format!("-- up\n{up};\n"));
        std::fs::write(
            &path,
            text.replace("-- down\n", &format!("-- down\n{down};\n")),
        )
        .unwrap();
    }

    fn ids(&self, arguments: &str) -> String {
        let text = self.run(0, arguments);
        let ids = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split(',').next());
        ids.collect::<Vec<_>>().join(" ")
    }
}

/// A trunk, a branch `shop` from it, and a branch `mail` of its own that needs the shop.
fn branched(name: &str) -> Vec<Project> {
    let projects = Project::each(name);
    for project in &projects {
        project.revision(
            "a",
            "",
            "CREATE TABLE users (n integer)",
            "DROP TABLE users",
        );
        project.revision(
            "b",
            "",
            "ALTER TABLE users ADD COLUMN b integer",
            "ALTER TABLE users DROP COLUMN b",
        );
        let refused = project.run(2, "new -m x --parent a");
        assert!(refused.contains("--splice"), "{refused}");
        project.revision(
            "s1",
            "--parent a --splice --branch-label shop",
            "CREATE TABLE orders (n integer)",
            "DROP TABLE orders",
        );
        project.revision(
            "s2",
            "--parent shop@head",
            "CREATE INDEX users_n ON users (n)",
            "DROP INDEX users_n",
        );
        project.revision(
            "m1",
            "--head base --branch-label mail --depends-on shop",
            "CREATE VIEW mails AS SELECT n FROM orders",
            "DROP VIEW mails",
        );
    }
    projects
}

#[test]
fn branches_are_followed_each_by_itself() {
    for project in branched("branches") {
        assert_eq!(project.ids("heads"), "b m1 s2");
        let branches = project.run(0, "branches");
        for line in [
            "branch,from,first,message,heads",
            "shop,a,s1,the_s1,s2",
            "mail,base,m1,the_m1,m1",
        ] {
            assert!(branches.contains(line), "{branches}");
        }
        let refused = project.run(2, "up");
        assert!(
            refused.contains("There are 3 heads, and `head` could mean any"),
            "{refused}"
        );
        let refused = project.run(2, "up +2");
        assert!(
            refused.contains("`+2` could mean any of them: `b`"),
            "{refused}"
        );

        assert_eq!(
            project.ids("up mail@head"),
            "a s1 m1",
            "what it depends on, too"
        );
        assert_eq!(project.ids("up shop@+1"), "s2");
        let current = project.run(0, "current");
        assert!(current.contains("s2,the_s2,head,shop"), "{current}");
        assert!(
            project
                .run(2, "down -1")
                .contains("`m1` (the_m1), `s2` (the_s2)")
        );
        assert_eq!(project.ids("down shop@-1"), "s2");
        assert_eq!(
            project.ids("down shop@a"),
            "m1 s1",
            "the mail depends on it"
        );
        assert_eq!(project.ids("up heads"), "b s1 m1 s2");
        assert!(project.run(0, "show shop@head").contains("branch,shop"));
        assert_eq!(project.ids("down base"), "s2 m1 s1 b a");
    }
}

#[test]
fn a_merge_names_what_both_sides_touch_and_makes_one_head() {
    for project in branched("merge") {
        let said = project.run(0, "merge -m together b shop@head");
        let b = "`b` (revisions/b_the_b.sql, line 7)";
        let s2 = "`s2` (revisions/s2_the_s2.sql, line 7)";
        assert!(
            said.contains(&format!(
                "Both sides change the table `users`: {b} and {s2}."
            )),
            "{said}"
        );
        let merge = project.ids("show shop@head");
        assert!(!merge.is_empty());
        assert_eq!(project.ids("heads").split(' ').count(), 2);
        project.run(0, "merge");
        let one = project.ids("heads");
        assert!(
            project
                .run(2, "merge")
                .contains("There is nothing to merge")
        );
        project.run(0, "up");
        assert_eq!(project.ids("current"), one);
        project.run(0, "validate");
        project.run(0, "down base");
    }
}
