'use strict';
// WebSockets, plain or by socket.io, and socket.io by long polling: { protocol, ask, close, closed }. The server
// echoes `PID TEXT`.
const { once } = require('node:events');

const open = {
  async ws(port) {
    const { WebSocket } = require('ws');
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const waiting = [];
    socket.on('message', (data) => waiting.shift()(String(data)));
    const closed = new Promise((resolve) => { socket.on('close', resolve); });
    await once(socket, 'open');
    socket.on('error', () => {});
    const say = (text) => new Promise((resolve) => {
      waiting.push(resolve);
      socket.send(text);
    });
    return { protocol: 'websocket', say, close: () => socket.close(), closed };
  },
  'socket.io': (port) => socketIo(port, { transports: ['websocket'] }),
  // Each request on a connection of its own, as by way of a proxy.
  'socket.io-polling': (port) => {
    return socketIo(port, { transports: ['polling'], extraHeaders: { connection: 'close' } });
  },
};

async function socketIo(port, transport) {
  const { io } = require('socket.io-client');
  const options = { ...transport, reconnection: false, forceNew: true };
  const socket = io(`http://127.0.0.1:${port}/`, options);
  const closed = new Promise((resolve) => { socket.on('disconnect', resolve); });
  await new Promise((resolve, reject) => {
    socket.on('connect', resolve);
    socket.on('connect_error', reject);
  });
  const protocol = socket.io.engine.transport.name;
  return { protocol, say: (text) => socket.emitWithAck('echo', text), close: () => socket.disconnect(), closed };
}

let count = 0;

// Says what nobody said before, and gives the pid that the echo names.
async function ask({ say, closed }) {
  count += 1;
  const said = `message ${count} ä`;
  const heard = await Promise.race([say(said), closed.then(() => 'nothing but its end')]);
  const [, pid, text] = /^(\d+) (.*)$/s.exec(heard) ?? [];
  if (text !== said) throw new Error(`said ${said}, heard ${heard}`);
  return Number(pid);
}

exports.connect = async (kind, port) => {
  const it = await open[kind](port);
  return { ...it, ask: () => ask(it) };
};
