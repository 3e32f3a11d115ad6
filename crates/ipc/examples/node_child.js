// A Node child of a Rust parent, started by the example `rust_parent`: it answers messages, and serves
// the connections that come with them.

'use strict';

process.on('message', (message, connection) => {
  if (!connection) {
    process.send({ hello: 'parent', from: process.pid, got: message });
    return;
  }
  connection.setEncoding('utf8');
  connection.once('data', (text) => {
    connection.end(`${text} pong from Node child ${process.pid}`);
    process.send({ served: true });
  });
});

// The parent closed the channel. Nothing else keeps this process alive.
process.on('disconnect', () => console.log('child: disconnected'));
