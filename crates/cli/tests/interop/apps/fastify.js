'use strict';
const fastify = require('fastify')();

fastify.get('/', async () => `hello from pid ${process.pid}\n`);

// Without a host fastify takes every address of localhost.
fastify.listen({ port: Number(process.env.PORT ?? 0) }).then((address) => {
  console.log(`LISTENING ${address}`);
});
