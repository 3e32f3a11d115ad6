'use strict';
const express = require('express');

const app = express();

app.get('/', (request, response) => {
  response.send(`hello from pid ${process.pid}\n`);
});

app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', function listening() {
  console.log(`LISTENING ${this.address().port}`);
});
