'use strict';
// A worker for every runtime that reads JavaScript as Node does. It does what messages say and tells what came of it.
//
//   {"op":"serve","name":N,"options":O,"set":S}   an HTTP server; O goes to `listen`, S are properties of the server;
//                                                 with "bare":true a plain TCP server that says who it is
//   {"op":"close","name":N}                       closes it
//   {"op":"udp","name":N,"type":T,"options":O}    a UDP socket; O goes to `bind`
//   {"op":"give","kind":"server"|"socket"|"udp"}  makes one on loopback and sends it to the primary; of the first and the
//                                                 last it closes its own
//   {"op":"leave"}                                leaves of its own will
//   {"op":"listen-to-signals"}                    on SIGUSR2 it sends a message and prints SAID
//   anything else                                 comes back; a socket that came with it serves one client
//
// SERVE (a port): a server named "first" at once, without a message. PRINT: its address goes to standard output, as
// `LISTENING address:port`. CLOSE: it is closed on `disconnect`, which Node does by itself.
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

function httpServer() {
  return http.createServer((request, response) => {
    response.setHeader('x-worker', id);
    response.end(`worker ${id} pid ${process.pid}\n`);
  });
}

function bareServer() {
  return net.createServer((socket) => socket.end(`worker ${id}`));
}

function serve(name, options, set = {}, server = httpServer(), ready = () => {}) {
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
      tell('here', socket, () => socket.close(() => tell({ gone: kind })));
    });
    return;
  }
  const server = net.createServer({ pauseOnConnect: true });
  server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
    tell({ given: kind, port: server.address().port });
    if (kind === 'server') tell('here', server, () => server.close(() => tell({ gone: kind })));
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
      case 'serve': {
        const server = message.bare ? bareServer() : httpServer();
        return serve(message.name, message.options, message.set, server);
      }
      case 'close': return close(message.name);
      case 'udp': return bind(message.name, message.type, message.options);
      case 'give': return give(message.kind);
      case 'leave': return cluster.worker.disconnect();
      case 'listen-to-signals':
        process.on('SIGUSR2', () => {
          tell('unread');
          console.log('SAID');
        });
        return tell('listening to signals');
      default:
        use(handle);
        return tell({ echo: message, handle: handle?.constructor.name ?? null });
    }
  } catch (error) {
    return tell({ threw: message?.op ?? 'echo', error: String(error) });
  }
});

if (process.env.SERVE !== undefined) {
  const options = { host: '127.0.0.1', port: Number(process.env.SERVE) };
  serve('first', options, {}, httpServer(), ({ address, port }) => {
    if (process.env.PRINT !== undefined) console.log(`LISTENING ${address}:${port}`);
  });
}
if (process.env.CLOSE !== undefined) {
  process.on('disconnect', () => open.get('first').close());
}
