//! Connections reach the workers of unmodified programs, in turn.

use std::fs;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG, portcrew, run};

#[test]
fn one_after_another_every_worker_gets_the_same_number() {
    let _node = require_node!();
    let crew = run(["-w".as_ref(), "2".as_ref(), fixture("hello.js").as_os_str()]);
    let report = Load::new(crew.serving(2)).requests(400).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("1".to_owned(), 200), ("2".to_owned(), 200)].into());
}

#[test]
fn a_script_with_a_primary_branch_of_its_own_takes_the_other_and_that_is_said_once() {
    let _node = require_node!();
    let crew = run(["-w".as_ref(), "2".as_ref(), fixture("cluster_branch.js").as_os_str()]);
    let report = Load::new(crew.serving(2)).requests(100).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("1".to_owned(), 50), ("2".to_owned(), 50)].into());
    let told = crew.said().iter().filter(|line| line.contains("own cluster primary")).count();
    assert_eq!(told, 1, "{:?}", crew.said());
    let lines = crew.process.lines();
    assert!(!lines.iter().any(|line| line.text.contains("PRIMARY")), "{lines:?}");
}

#[test]
fn with_the_shared_policy_the_workers_accept_themselves() {
    let _node = require_node!();
    let script = fixture("hello.js");
    let args = ["-w".as_ref(), "2".as_ref(), "--policy".as_ref(), "shared".as_ref()];
    let crew = run(args.into_iter().chain([script.as_os_str()]));
    Load::new(crew.serving(2)).clients(8).requests(200).run().assert_all_ok();
    assert!(crew.said()[0].contains("2 workers, shared"), "{:?}", crew.said());
}

#[test]
fn a_rust_program_serves_and_its_keep_alive_clients_stay_with_their_workers() {
    let demo = [env!("CARGO_BIN_EXE_portcrew"), "demo", "--port", "0"];
    let crew = run(["-w", "2"].into_iter().chain(demo));
    let address = crew.address();
    crew.pids_when(2);
    let report = Load::new(address).clients(4).requests(200).keep_alive(1_000).run();
    report.assert_all_ok();
    assert_eq!(report.connections, 4, "{report}");
}

#[test]
fn a_script_of_a_package_runs_without_npm_in_the_packages_directory_and_with_the_variables_given() {
    let _node = require_node!();
    let package = tempfile::tempdir().unwrap();
    let directory = package.path().canonicalize().unwrap();
    fs::create_dir(directory.join("deep")).unwrap();
    fs::write(directory.join("package.json"), r#"{"scripts":{"start":"node server.js 0"}}"#)
        .unwrap();
    let server = fs::read_to_string(fixture("hello.js")).unwrap();
    let server =
        format!("{server}\nconsole.log(`AT ${{process.cwd()}} ${{process.env.GREETING}}`);");
    fs::write(directory.join("server.js"), server).unwrap();
    let program = portcrew("run").args(["-w", "1", "--env", "GREETING=hi", "npm", "start"]);
    let crew = Crew { process: program.cwd(directory.join("deep")).start() };
    let line = format!("1 | AT {} hi", directory.display());
    crew.process.wait_line(|it| it == line, HANG);
    Load::new(crew.serving(1)).requests(10).run().assert_all_ok();
}

#[test]
fn an_option_behind_the_program_is_the_programs_and_that_is_said_unless_two_dashes_say_so() {
    let _node = require_node!();
    let script = fixture("hello.js");
    let behind = [script.as_os_str(), "0".as_ref(), "--raw".as_ref()];
    let one = ["-w".as_ref(), "1".as_ref()];
    let crew = run(one.into_iter().chain(behind));
    crew.says("`--raw` stands behind");
    crew.serving(1);
    let crew = run(one.into_iter().chain(["--".as_ref()]).chain(behind));
    crew.serving(1);
    assert!(!crew.said().iter().any(|line| line.contains("stands behind")), "{:?}", crew.said());
}

#[test]
fn a_script_whose_first_line_names_nothing_is_run_by_its_extension_and_that_is_said() {
    let _node = require_node!();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("server.js");
    let text = format!("#!/no/such/node\nrequire({:?});\n", fixture("hello.js"));
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let crew = run(["-w".as_ref(), "1".as_ref(), script.as_os_str()]);
    crew.says("its first line asks for `/no/such/node`, which does not exist or is no program");
    Load::new(crew.serving(1)).requests(2).run().assert_all_ok();
}
