use underpin_derive::embed_revisions;

fn main() {
    let _ = embed_revisions!("nowhere");
    let _ = embed_revisions!("src");
    let _ = embed_revisions!(revisions);
    let _ = embed_revisions!("revisions", krate = "underpin");
}
