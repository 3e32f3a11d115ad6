'use strict';
const { randomUUID } = require('node:crypto');
const { createServer } = require('node:http');
const { Server } = require('socket.io');

const server = createServer();
const io = new Server(server, { transports: ['polling'] });
// Where a session lives: its requests come by connections of their own, and find it by this.
io.engine.generateId = () => `${randomUUID()}.w${process.env.NODE_APP_INSTANCE}`;

io.on('connection', (socket) => {
  socket.on('echo', (data, answer) => answer(`${process.pid} ${data}`));
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`LISTENING ${server.address().port}`);
});
