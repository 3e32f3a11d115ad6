'use strict';
// A worker for every runtime that reads JavaScript as Node does. It does what messages say and tells what came of it.
//
//   {"op":"serve","name":N,"options":O,"set":S}   an HTTP server; O goes to `listen`, S are properties of the server
//   {"op":"close","name":N}                       closes it
//   {"op":"udp","name":N,"type":T,"options":O}    a UDP socket; O goes to `bind`
//   {"op":"give","kind":"server"|"socket"|"udp"}  makes one on loopback and sends it to the primary
//   {"op":"leave"}                                leaves of its own will
//   anything else                                 comes back; a socket that came with it serves one client
//
// SERVE (a port or a path): a server named "first" at once, without a message; `PRINT` writes its address to stdout.
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const http = require('node:http');
const net = require('node:net');

const id = cluster.worker?.id ?? 0;
const open = new Map();

function tell(message, handle, then) {
  process.send(message, handle, undefined, then);
}

function failed(name, error) {
  const { code, errno, syscall, address, port } = error;
  tell({ failed: name, code, errno, syscall, address, port });
}

function serve(name, options, set = {}, ready = () => {}) {
  const server = http.createServer((request, response) => {
    response.setHeader('x-worker', id);
    response.end(`worker ${id} pid ${process.pid}\n`);
  });
  Object.assign(server, set);
  open.set(name, server);
  server.on('error', (error) => failed(name, error));
  server.on('drop', () => tell({ dropped: name }));
  server.listen(options, () => {
    const address = server.address();
    ready(address);
    tell({ listening: name, address });
  });
}

function bind(name, type, options) {
  const socket = dgram.createSocket({ type, ...options });
  open.set(name, socket);
  socket.on('error', (error) => failed(name, error));
  socket.on('message', (_, client) => socket.send(`worker ${id}`, client.port, client.address));
  socket.bind(options, () => tell({ listening: name, address: socket.address() }));
}

function close(name) {
  const closed = open.get(name);
  open.delete(name);
  closed.close(() => tell({ closed: name }));
}

function give(kind) {
  if (kind === 'udp') {
    const socket = dgram.createSocket('udp4');
    socket.bind({ address: '127.0.0.1', port: 0, exclusive: true }, () => {
      tell({ given: kind, port: socket.address().port });
      tell('here', socket, () => socket.close());
    });
    return;
  }
  const server = net.createServer({ pauseOnConnect: true });
  server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
    tell({ given: kind, port: server.address().port });
    if (kind === 'server') tell('here', server, () => server.close());
  });
  server.on('connection', (socket) => {
    tell('here', socket);
    server.close();
  });
}

function use(handle) {
  if (handle instanceof net.Server) {
    handle.on('connection', (socket) => {
      socket.end(`worker ${id}`);
      handle.close();
    });
  } else if (handle instanceof net.Socket) {
    handle.end(`worker ${id}`);
  } else if (handle instanceof dgram.Socket) {
    handle.on('message', (_, client) => {
      handle.send(`worker ${id}`, client.port, client.address, () => handle.close());
    });
  }
}

process.on('message', (message, handle) => {
  try {
    switch (message?.op) {
      case 'serve': return serve(message.name, message.options, message.set);
      case 'close': return close(message.name);
      case 'udp': return bind(message.name, message.type, message.options);
      case 'give': return give(message.kind);
      case 'leave': return cluster.worker.disconnect();
      default:
        use(handle);
        return tell({ echo: message, handle: handle?.constructor.name ?? null });
    }
  } catch (error) {
    return tell({ threw: message?.op ?? 'echo', error: String(error) });
  }
});

if (process.env.SERVE !== undefined) {
  const { SERVE } = process.env;
  const place = SERVE.startsWith('/') ? { path: SERVE } : { host: '127.0.0.1', port: Number(SERVE) };
  serve('first', place, {}, (address) => {
    const text = typeof address === 'string' ? address : `${address.address}:${address.port}`;
    if (process.env.PRINT !== undefined) console.log(`LISTENING ${text}`);
  });
}
