const net = require('node:net');

const server = net.createServer((client) => {
  client.on('error', () => {});
  client.once('data', () => {
    const body = `worker ${process.pid}\n`;
    client.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
});
server.listen({ fd: Number(process.env.PORTCREW_FD_0) });
process.on('SIGTERM', () => server.close());
