'use strict';
// A client of one of our servers: commands on standard input, one JSON object each on standard output.
//
//   node main.js http2|ws|socket.io|socket.io-polling PORT
//
//   sessions S R   S sessions one after another, R requests in each: { sessions: [session…] }
//   crowd S R      the same, all sessions at once
//   begin S R      S clients, each with one session after another, until `end`: { begun: S }
//   progress N     waits until N more sessions are over: { over: all so far }
//   end            finishes them: { over: N, failed: [text], pids: [pid…] }
//   open N         opens so many sessions to keep, one after another: { opened: [pid of each] }
//   ask            one request in each that is open: { answers: [[pid at first, pid now]], failed: [text] }
//   lost N         waits until N of them are closed: { lost: [pid of each], open: how many are left }
//   close          closes all: { closed: N }
//
// A session is { protocol, pids: [who answered each request] }, or { failed: text }.
const readline = require('node:readline');

const [, , kind, port] = process.argv;
const { connect } = require(kind === 'http2' ? './http2.js' : './websocket.js');

const describe = (error) => `${error.code ?? ''} ${error.message}`.trim();

async function session(requests) {
  let connection;
  try {
    connection = await connect(kind, port);
    const { protocol } = connection;
    const pids = await Promise.all(Array.from({ length: requests }, () => connection.ask()));
    return { protocol, pids };
  } catch (error) {
    return { failed: describe(error) };
  } finally {
    connection?.close();
    await connection?.closed;
  }
}

const load = { on: false, clients: [], over: 0, failed: [], pids: new Set(), wake: () => {} };

async function client(requests) {
  while (load.on) {
    const { failed, pids } = await session(requests);
    load.over += 1;
    if (failed === undefined) pids.forEach((pid) => load.pids.add(pid));
    else load.failed.push(failed);
    load.wake();
  }
}

const kept = new Set();

async function keep() {
  const connection = await connect(kind, port);
  connection.pid = await connection.ask();
  connection.isOpen = true;
  connection.closed.then(() => { connection.isOpen = false; });
  kept.add(connection);
  return connection.pid;
}

const open = () => [...kept].filter((it) => it.isOpen);

const commands = {
  async sessions(count, requests) {
    const sessions = [];
    for (let done = 0; done < count; done += 1) sessions.push(await session(requests));
    return { sessions };
  },
  async crowd(count, requests) {
    return { sessions: await Promise.all(Array.from({ length: count }, () => session(requests))) };
  },
  begin(count, requests) {
    load.on = true;
    load.clients = Array.from({ length: count }, () => client(requests));
    return { begun: count };
  },
  async progress(more) {
    const wanted = load.over + more;
    while (load.over < wanted) await new Promise((resolve) => { load.wake = resolve; });
    return { over: load.over };
  },
  async end() {
    load.on = false;
    await Promise.all(load.clients);
    return { over: load.over, failed: load.failed, pids: [...load.pids] };
  },
  async open(count) {
    const opened = [];
    for (let done = 0; done < count; done += 1) opened.push(await keep());
    return { opened };
  },
  async ask() {
    const asked = open();
    const heard = await Promise.allSettled(asked.map((it) => it.ask()));
    const answers = heard.flatMap(({ status, value }, at) => (status === 'fulfilled' ? [[asked[at].pid, value]] : []));
    const failed = heard.flatMap(({ reason }) => (reason === undefined ? [] : [describe(reason)]));
    return { answers, failed };
  },
  async lost(count) {
    const closed = () => [...kept].filter((it) => !it.isOpen);
    while (closed().length < count) await Promise.race(open().map((it) => it.closed));
    return { lost: closed().map((it) => it.pid), open: open().length };
  },
  async close() {
    const closing = open();
    for (const it of closing) it.close();
    await Promise.all(closing.map((it) => it.closed));
    return { closed: closing.length };
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...numbers] = line.split(' ');
    console.log(JSON.stringify(await commands[command](...numbers.map(Number))));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
