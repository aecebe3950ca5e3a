use underpin_derive::Model;

#[derive(Model)]
#[model(
    primary_key(id, nmae),
    unique(email, email, name = "one"),
    unique(email team),
    unique,
    index(name down, email nulls, team ops gin, name = "one"),
    index(name, color = "red", unique),
    index("", a::b, include = name, where = true),
    check(name = "empty"),
    check("a", "b"),
    check = 1,
    foreign_key(name),
    foreign_key(references = Team),
    foreign_key(name, email, references = "teams(id)"),
    partition_by(range(name)),
)]
struct Keys {
    #[model(primary_key)]
    id: i64,
    #[model(unique(name), index = 1)]
    name: String,
    #[model(references = "teams", check(on_delete = "cascade"))]
    email: String,
    #[model(references(Team, on_delete = "set null", on_update = "cascde", deferrable = "late"))]
    team: i64,
    #[model(references)]
    other: i64,
    #[model(references = 7)]
    third: i64,
    #[model(references(Team, Player))]
    fourth: i64,
}

#[derive(Model)]
#[model(partition_by(year(at)))]
struct Split {
    at: i64,
}

fn main() {}
