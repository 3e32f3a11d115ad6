//! The words of `--help`.

/// What the command is.
pub(crate) const ABOUT: &str = "Run any server as a crew of processes behind one port.";

/// Below the list of commands.
pub(crate) const AFTER: &str = "\
Examples:
  portcrew demo                     a crew of a built-in server, nothing else needed
  portcrew run server.js            an unmodified Node.js server, one worker per CPU
  portcrew run -w 4 ./api --verbose four workers of a program of your own
  portcrew start --name api server.js
  portcrew list                     what runs; reload, scale, stop, why by name

`portcrew run --help` lists the signals and the exit statuses.";

/// What `run` does.
pub(crate) const RUN: &str = "Run a program as a crew, in the foreground";

/// The shape of a `run` command line.
pub(crate) const RUN_USAGE: &str = "portcrew run [OPTIONS] [--] PROGRAM [ARGS]...";

/// Below the options of `run`, with `-h`.
pub(crate) const RUN_AFTER: &str = "\
Examples:
  portcrew run server.js
  portcrew run -w 4 ./target/release/api --verbose
  portcrew run -w -1 --name shop --env NODE_ENV=production npm start

`portcrew run --help` also lists what is said of readiness, health, limits and leaving,
the signals and the exit statuses.";

/// Below the options of `run`, with `--help`.
pub(crate) const RUN_AFTER_LONG: &str = "\
Examples:
  portcrew run server.js
  portcrew run -w 4 ./target/release/api --verbose
  portcrew run -w -1 --name shop --env NODE_ENV=production npm start

Signals to the primary:
  INT, TERM  drain, then stop; a second one stops at once
  HUP        replace all workers one by one, new before old;
             when the terminal itself has gone away: stop
  TTIN       one worker more
  TTOU       one worker fewer, never below one
A signal that is ignored at the start (nohup) stays ignored.

Exit status:
  0    stopped as asked
  1    the crew failed: workers died too often or never started
  2    the command line is wrong; nothing was started
  3    the address belongs to another process
  4    stopped by force: workers were killed
  5    another crew has the name; nothing was started
  6    there is no such crew, or it does not answer
  70   portcrew itself failed
  74   the answer of a command could not be written
  126  the program cannot be executed
  127  the program was not found";

/// What `demo` does.
pub(crate) const DEMO: &str = "Run a crew of the built-in hello server";

/// Below the options of `demo`.
pub(crate) const DEMO_AFTER: &str = "\
Each answer names the worker that gave it:
  portcrew demo -w 4
  curl http://127.0.0.1:8000/";

pub(crate) const WORKERS: &str = "How many workers: a number; `max`, one for each CPU that this process may use \
    (affinity and cgroup quota counted); or -N, that many fewer than `max`";
pub(crate) const NAME: &str = "What to call the crew [default: the program's name]";
pub(crate) const POLICY: &str = "Who gets a connection: round-robin, least-connections, sticky, shared or kernel; for \
    one listener LISTENER=POLICY, several joined by commas [default: $NODE_CLUSTER_SCHED_POLICY, else round-robin]";
pub(crate) const POLICY_LONG: &str = "\
Who gets a connection [default: $NODE_CLUSTER_SCHED_POLICY, else round-robin]

  round-robin        the primary accepts; the free worker that was given fewest,
                     one that owes an answer for long last
  least-connections  the primary accepts; the free worker with the fewest open
  sticky             the primary accepts; each client goes to its own worker
  shared             all workers accept from one socket
  kernel             each worker accepts from a socket of its own, and the
                     kernel spreads connections over them (SO_REUSEPORT): the
                     highest rate; what a stuck worker lets wait is handed to
                     the others

For one listener write LISTENER=POLICY: its TCP port, its Unix path with a slash in it, or fd:N. Several are joined by \
commas: sticky,8080=least-connections,./app.sock=shared

A client of `sticky` is known by its address; behind a proxy that is the proxy's, so say by what else. Parameters \
follow a `=` and are joined by `+`, as in sticky=cookie:session+wait:2s

  cookie:NAME   by this cookie of the first request on the connection,
  header:NAME   or this header, such as X-Real-IP where the proxy sets it,
  query:NAME    or this parameter of the query; by the address without it
  turn          without it in turn, not by the address
  proxy         by the address in a PROXY header (v1, v2), which the server
                reads too; only where nobody but the proxy can connect
  v4:BITS       addresses with so many leading bits in common are one client,
  v6:BITS       so are these [32 and 64]
  wait:TIME     how long a busy worker is waited for, before another is taken
                [1s]";
pub(crate) const EXPLAIN: &str = "Say of each listener who accepts, who gets its connections and why, and how each worker is spoken to";
pub(crate) const ENV: &str = "Set a variable for the workers; may be repeated";
pub(crate) const INTERPRETER: &str =
    "Run PROGRAM by this interpreter [default: by its #! line, else by its extension]";
pub(crate) const GRACE: &str = "How long a worker may take to finish its connections before it gets SIGTERM: \
    10, 10s, 500ms, 2m";
pub(crate) const START_DEADLINE: &str =
    "How long a new worker may take until it is ready; beyond it a reload is rolled back";
pub(crate) const REGISTER: &str = "Have Node.js workers load portcrew-register: while they leave, their HTTP servers \
    announce `Connection: close`, so that clients which keep connections lose nothing";
pub(crate) const INIT: &str = "Wait for orphans that workers leave behind, and pass signals on to the workers, as \
    is done anyway where this is process 1 of a container";
pub(crate) const RAW: &str = "Pass the workers' output on as it is, without prefixes";
pub(crate) const EVENTS: &str =
    "Print events as JSON lines on stdout; the workers' output then goes to stderr";
pub(crate) const START_JSON: &str = "With `start`: answer with the status of the crew as one JSON object, as `describe --json` does";
pub(crate) const COLOR: &str =
    "Colour the prefixes; `auto` is: on a terminal, unless NO_COLOR is set";
pub(crate) const PROGRAM: &str = "The server: an executable, or a script (.js .mjs .cjs .ts .py .rb .sh .pl .php), and its arguments";
pub(crate) const DEMO_PORT: &str = "The port on 127.0.0.1; 0 for any free one";
