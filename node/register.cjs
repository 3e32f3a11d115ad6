// While this process leaves, its HTTP servers lose no request of a kept connection. To be preloaded:
//
//   node --require portcrew-register server.js      NODE_OPTIONS="--require portcrew-register"
//   node --import portcrew-register server.js       portcrew run --register server.js
//
// A process leaves when its cluster worker is told to disconnect or does so, and, where the program itself listens to
// SIGTERM, when that comes. From then on:
//
// - each HTTP/1 answer says `Connection: close`, and its connection ends with it (RFC 9112, section 9.6);
// - a server that is closed keeps its idle connections for the linger, so that a request which is on its way is
//   answered like that, and closes them after it. Node itself closes them at once from version 19 on, and one in 18
//   only by its keepAliveTimeout;
// - HTTP/2 sessions of a server that is closed get GOAWAY and finish their streams.
//
// Until then nothing is different. PORTCREW_LINGER_MS: the linger in milliseconds, 1000 by default.
'use strict';

const { isMainThread } = require('node:worker_threads');

const LOADED = Symbol.for('portcrew-register');
const DEFAULT_LINGER_MS = 1000;
// What a timer of Node can wait for.
const MOST_LINGER_MS = 2 ** 31 - 1;

// Signals and the cluster's messages reach the main thread alone. Loaded twice, by a path and by a name, it acts once.
if (isMainThread && !process[LOADED]) {
  Object.defineProperty(process, LOADED, { value: true });
  leaveNoTrace();
  register(require('node:http'), require('node:net'), require('node:cluster'));
}

function register(http, net, cluster) {
  const linger = lingerOf(process.env.PORTCREW_LINGER_MS);
  let leaving = false;
  const leave = () => {
    leaving = true;
  };
  whenToldToLeave(cluster, leave);

  wrap(http.ServerResponse.prototype, 'writeHead', (original) => function writeHead(...args) {
    if (leaving && !this.headersSent) announceClose(this, args);
    return Reflect.apply(original, this, args);
  });
  wrap(net.Server.prototype, 'listen', (original) => function listen(...args) {
    prepare(this, () => leaving);
    return Reflect.apply(original, this, args);
  });
  // The servers of http, https and http2 end here too.
  wrap(net.Server.prototype, 'close', (original) => function close(...args) {
    if (leaving) endConnections(this, linger);
    return Reflect.apply(original, this, args);
  });
}

// Calls back before anything else learns of it: the servers are closed in the same turn.
function whenToldToLeave(cluster, leave) {
  if (cluster.isWorker) {
    process.prependListener('internalMessage', (message) => {
      if (message?.cmd === 'NODE_CLUSTER' && message.act === 'disconnect') leave();
    });
    wrap(cluster.worker, 'disconnect', (original) => function disconnect(...args) {
      leave();
      return Reflect.apply(original, this, args);
    });
  }
  // A listener of ours alone would keep the signal from ending the process, so it comes with the program's first.
  const onTerminate = () => leave();
  const follow = (event, listener) => {
    if (event !== 'SIGTERM' || listener === onTerminate) return;
    process.removeListener('newListener', follow);
    process.prependListener('SIGTERM', onTerminate);
  };
  process.on('newListener', follow);
}

// What it says of the connection itself, by setHeader or in writeHead, gives way; an upgrade does not.
function announceClose(response, args) {
  const status = args[0];
  if (status >= 100 && status < 200) return;
  response.shouldKeepAlive = false;
  if (isKeepAlive(response.getHeader('connection'))) response.removeHeader('connection');
  const last = args.length - 1;
  const headers = args[last];
  if (last < 1 || headers === null || typeof headers !== 'object') return;
  if (Array.isArray(headers)) args[last] = withoutKeepAlive(headers);
  else args[last] = Object.fromEntries(Object.entries(headers).filter((it) => !isPersistent(...it)));
}

// Node takes names and values in turn, and pairs of them too.
function withoutKeepAlive(list) {
  if (Array.isArray(list[0])) return list.filter(([name, value]) => !isPersistent(name, value));
  const kept = [];
  for (let at = 0; at + 1 < list.length; at += 2) {
    if (!isPersistent(list[at], list[at + 1])) kept.push(list[at], list[at + 1]);
  }
  return list.length % 2 === 0 ? kept : list;
}

function isPersistent(name, value) {
  return String(name).toLowerCase() === 'connection' && isKeepAlive(value);
}

function isKeepAlive(value) {
  return String(value).trim().toLowerCase() === 'keep-alive';
}

const SESSIONS = Symbol('portcrew-register sessions');
const LINGERS = Symbol('portcrew-register lingers');

// Once for each server, whatever its kind.
function prepare(server, isLeaving) {
  if (SESSIONS in server) return;
  hide(server, SESSIONS, new Set());
  hide(server, LINGERS, false);
  // Only servers of http2 have sessions to tell of. One that is made over a server of net is nobody's here.
  if (/^Http2(Secure)?Server$/.test(server.constructor.name)) {
    server.on('session', (session) => {
      server[SESSIONS].add(session);
      session.once('close', () => server[SESSIONS].delete(session));
    });
  }
  const closeIdle = server.closeIdleConnections;
  if (typeof closeIdle !== 'function') return;
  hide(server, 'closeIdleConnections', function closeIdleConnections() {
    // Closing the server asks for it before net hears of the close.
    if (!isLeaving() || server[LINGERS] === 'over') Reflect.apply(closeIdle, server, []);
  });
}

function endConnections(server, linger) {
  if (!(SESSIONS in server)) return;
  for (const session of server[SESSIONS]) session.close();
  if (server[LINGERS] || typeof server.closeIdleConnections !== 'function') return;
  server[LINGERS] = 'going on';
  // An answer that had begun before has announced nothing: its connection has the same time from its own end on.
  server.keepAliveTimeout = Math.min(server.keepAliveTimeout || linger, linger);
  // It holds nothing up: the connections do, and without any the process may end.
  setTimeout(() => {
    server[LINGERS] = 'over';
    server.closeIdleConnections();
  }, linger).unref();
}

// What `portcrew run --register` added is for this process, and not for the programs that it starts.
function leaveNoTrace() {
  const options = process.env.NODE_OPTIONS;
  const own = process.env.PORTCREW_REGISTER;
  delete process.env.PORTCREW_REGISTER;
  if (!options || !own) return;
  const rest = options.replace(own, () => '').trim();
  if (rest === '') delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = rest;
}

function lingerOf(text) {
  const linger = Number(text || DEFAULT_LINGER_MS);
  return linger >= 0 && linger <= MOST_LINGER_MS ? linger : DEFAULT_LINGER_MS;
}

function wrap(object, name, make) {
  const before = Object.getOwnPropertyDescriptor(object, name);
  const value = make(object[name]);
  Object.defineProperty(object, name, { configurable: true, enumerable: true, writable: true, ...before, value });
}

function hide(object, name, value) {
  Object.defineProperty(object, name, { value, configurable: true, writable: true, enumerable: false });
}
