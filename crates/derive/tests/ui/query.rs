use underpin_derive::query;

fn main() {
    let _ = query!("queries/nowhere.sql");
    let _ = query!(recent);
    let _ = query!("queries/a.sql", recent);
    let _ = query!("queries/a.sql", "recent", krate = "underpin");
}
