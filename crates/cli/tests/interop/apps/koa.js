'use strict';
const Koa = require('koa');

const app = new Koa();

app.use(async (context) => {
  context.body = `hello from pid ${process.pid}\n`;
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`LISTENING ${server.address().port}`);
});
