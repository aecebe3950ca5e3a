use underpin_derive::FromRow;

#[derive(FromRow)]
struct Together {
    #[row(skip, rename = "a", flatten)]
    a: i32,
    #[row(flatten, default)]
    #[row(json)]
    b: i32,
    #[row(json, try_from = "i32")]
    c: i32,
}

#[derive(FromRow)]
#[row(rename_all = "camelCase")]
struct Twice {
    user_id: i32,
    #[row(rename = "userId")]
    user: i32,
    #[allow(non_snake_case)]
    userId: i32,
    #[row(skip, rename_all = "x")]
    skipped: i32,
}

#[derive(FromRow)]
#[row(rename_all = "camelCase")]
struct Tuple(#[row(rename = "a")] i32, #[row(default)] i32, #[row(json)] i32);

#[derive(FromRow)]
struct Borrowed<'r> {
    name: &'r str,
    nick: Option<&'r str>,
    #[row(skip)]
    skipped: Option<&'r str>,
    cow: std::borrow::Cow<'r, str>,
    fixed: std::borrow::Cow<'static, str>,
}

fn main() {}
