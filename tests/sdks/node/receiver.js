// A webhook receiver on loopback: it answers RingCentral's handshake and keeps every delivery.
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';

export class Receiver {
  handshakes = 0;
  deliveries = []; // { verification, event }
  #arrivals = new EventEmitter();
  #server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const validation = request.headers['validation-token'];
    response.setHeader('Content-Type', 'application/json');
    if (validation) response.setHeader('Validation-Token', validation);
    response.end('{}');
    if (validation) this.handshakes += 1;
    else this.deliveries.push({ verification: request.headers['verification-token'], event: JSON.parse(body) });
    this.#arrivals.emit('arrival');
  });

  static async open() {
    const receiver = new Receiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    receiver.address = `http://127.0.0.1:${receiver.#server.address().port}/webhook`;
    return receiver;
  }

  /** The deliveries, as soon as there are `count` different events among them. */
  async waitFor(count, seconds = 30) {
    const signal = AbortSignal.timeout(seconds * 1000);
    const arrived = () => new Set(this.deliveries.map(({ event }) => event.uuid)).size;
    while (arrived() < count) {
      await once(this.#arrivals, 'arrival', { signal }).catch(() => {
        throw new Error(`${arrived()} of ${count} events arrived within ${seconds} s`);
      });
    }
    return this.deliveries;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
