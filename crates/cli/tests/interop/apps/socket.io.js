'use strict';
const { createServer } = require('node:http');
const { Server } = require('socket.io');

const server = createServer();
// Long polling makes several connections of one session, which would need a sticky policy.
const io = new Server(server, { transports: ['websocket'] });

io.on('connection', (socket) => {
  socket.on('echo', (data, answer) => answer(`${process.pid} ${data}`));
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`LISTENING ${server.address().port}`);
});
