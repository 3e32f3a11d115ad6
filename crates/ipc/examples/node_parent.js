// A Node parent with a Rust child: messages both ways, and an accepted connection given away.
//
//   cargo build --examples -p portcrew-ipc
//   node crates/ipc/examples/node_parent.js target/debug/examples/rust_child

'use strict';
const { fork } = require('node:child_process');
const net = require('node:net');

const program = process.argv[2];
if (!program) {
  console.error('usage: node node_parent.js PATH_OF_RUST_CHILD');
  process.exit(2);
}

// `fork` starts `execPath` with the channel; its first argument is of no use to a Rust program.
const child = fork('-', [], { execPath: program, execArgv: [] });

// The channel is closed when the child has said its last word and the client has read all.
let unfinished = 2;
function finished() {
  unfinished -= 1;
  if (unfinished === 0) child.disconnect();
}

child.send({ hello: 'Rust' });
child.on('message', (message) => {
  console.log('parent: the child said', JSON.stringify(message));
  if (message.hello) passConnection();
  if (message.served) finished();
});
child.on('exit', (code, signal) => console.log('parent: the child ended with', code ?? signal));

function passConnection() {
  // Paused, so that nothing the client sends is read here.
  const server = net.createServer({ pauseOnConnect: true }, (connection) => {
    child.send({ serve: 'this' }, connection);
    server.close();
  });
  server.listen(0, '127.0.0.1', () => {
    const client = net.connect(server.address().port, '127.0.0.1');
    client.setEncoding('utf8');
    let answer = '';
    client.on('data', (text) => { answer += text; });
    client.on('end', () => {
      console.log('parent: the client read', JSON.stringify(answer));
      finished();
    });
    client.write('ping');
  });
}
