// The least that a proxy on node:http can do: no checks, no log, no metrics. A yardstick, not for use.
import http from 'node:http';

const [port, upstream] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, scheduling: 'lifo' });
http
  .createServer((request, response) => {
    const { method, url: path, rawHeaders: headers } = request;
    const call = http.request({ host: '127.0.0.1', port: upstream, method, path, headers, agent }, (answer) => {
      response.writeHead(
        answer.statusCode,
        answer.rawHeaders.filter((_, i, all) => all[i - (i % 2)] !== 'Connection'),
      );
      answer.pipe(response);
    });
    request.pipe(call);
  })
  .listen(port, '127.0.0.1');
