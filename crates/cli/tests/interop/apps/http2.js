'use strict';
const fs = require('node:fs');
const http2 = require('node:http2');

const server = http2.createSecureServer({
  key: fs.readFileSync(process.env.TLS_KEY),
  cert: fs.readFileSync(process.env.TLS_CERT),
});

server.on('stream', (stream) => {
  // A client may give a request up.
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'text/plain' });
  stream.end(`hello from pid ${process.pid}\n`);
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`LISTENING ${server.address().port}`);
});
