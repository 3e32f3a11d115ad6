//! Settings in a log: everything but the values of variables, which may be secrets.

use std::fmt;

use super::Settings;

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Settings")
            .field("exec", &self.exec)
            .field("args", &self.args)
            .field("env", &names)
            .field("cwd", &self.cwd)
            .field("uid", &self.uid)
            .field("gid", &self.gid)
            .field("groups", &self.groups)
            .field("no_new_privs", &self.no_new_privs)
            .field("allow", &self.allow)
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .field("fds", &self.fds)
            .field("listen", &self.listen)
            .field("listen_nonblocking", &self.listen_nonblocking)
            .field("lane", &self.lane)
            .field("serialization", &self.serialization)
            .field("inspect_port", &self.inspect_port)
            .field("policy", &self.policy)
            .field("policies", &self.policies)
            .field("summary_every", &self.summary_every)
            .field("shed", &self.shed)
            .field("helper", &self.helper)
            .field("ready", &self.ready)
            .field("probing", &self.probing)
            .field("liveness", &self.liveness)
            .field("head_start", &self.head_start)
            .field("surge", &self.surge)
            .field("max_unavailable", &self.max_unavailable)
            .field("overlap", &self.overlap)
            .field("max_age", &self.max_age)
            .field("max_connections", &self.max_connections)
            .field("max_memory", &self.max_memory)
            .field("stop_exit_codes", &self.stop_exit_codes)
            .field("drain", &self.drain)
            .field("stop_signal", &self.stop_signal)
            .field("hang_signal", &self.hang_signal)
            .field("grace", &self.grace)
            .field("kill_after", &self.kill_after)
            .field("start_deadline", &self.start_deadline)
            .field("stable_for", &self.stable_for)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn a_variables_name_is_shown_and_its_value_is_not() {
        let text = format!("{:?}", Settings::default().env("TOKEN", "hidden"));
        assert!(text.contains("TOKEN") && !text.contains("hidden"), "{text}");
    }
}
