//! The server in the documents is the one that these tests run.

use super::world::script;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/any-language.md");

#[test]
fn the_python_server_of_the_page_is_the_one_that_is_tested() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let blocks: Vec<_> = page.split("```python\n").skip(1).collect();
    let programs: Vec<_> = blocks.iter().filter_map(|it| it.split("```").next()).collect();
    let tested = std::fs::read_to_string(script("prefork.py")).unwrap();
    assert!(programs.contains(&tested.as_str()), "{programs:?}");
}
