use underpin_derive::FromRow;

#[derive(FromRow)]
#[row(crate = "underpin_core", renam_all = "camelCase", flatten)]
struct All {
    #[row(renam = "a", color, skip = true)]
    a: i32,
    #[row(rename)]
    b: i32,
    #[row(rename = 1)]
    c: i32,
    #[row(rename("d"))]
    d: i32,
    #[row(default("e"))]
    e: i32,
    #[row(rename_all = "camelCase")]
    f: i32,
    #[row(skip, skip)]
    g: i32,
    #[row(rename = "")]
    h: i32,
    #[row(try_from = "i32 i32")]
    i: i32,
    #[row]
    j: i32,
    #[row(rename = )]
    k: i32,
}

#[derive(FromRow)]
#[row(rename_all = "camelcase")]
struct Near {
    id: i32,
}

#[derive(FromRow)]
#[row(rename_all = "reverse", crate = "not a path")]
struct Far {
    id: i32,
}

fn main() {}
