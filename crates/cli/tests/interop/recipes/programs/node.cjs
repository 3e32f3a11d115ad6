const http = require('node:http');

const server = http.createServer((request, response) => response.end(`worker ${process.pid}\n`));
server.listen({ fd: Number(process.env.PORTCREW_FD_0) });
// Stops accepting, answers what it has, and ends.
process.on('SIGTERM', () => server.close());
