/** The way between browser and service, which can be slow, or cut. */

import { connect, createServer } from 'node:net';

export class Link {
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();
  #isCut = false;
  /** @type {Promise<void> | undefined} Answers wait for this. */
  #held;
  #release = () => {};

  /**
   * A port that leads to the service, until the test ends.
   *
   * @param {import('node:test').TestContext} t
   * @param {{ port: number }} service
   */
  static async to(t, service) {
    const link = new Link();
    const server = createServer((browser) => link.#join(browser, service.port));
    await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)));
    t.after(() => {
      link.cut();
      server.close();
    });
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    link.url = `http://localhost:${port}`;
    return link;
  }

  url = '';

  /**
   * @param {import('node:net').Socket} browser
   * @param {number} port
   */
  #join(browser, port) {
    if (this.#isCut) return browser.destroy();
    const service = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [browser, service],
      [service, browser],
    ]) {
      this.#sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
    }
    browser.pipe(service);
    service.on('data', async (bytes) => {
      service.pause();
      await this.#held;
      browser.write(bytes);
      service.resume();
    });
  }

  /** Nothing comes through, and what was under way is lost. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    this.release();
  }

  mend() {
    this.#isCut = false;
  }

  /** Requests arrive, answers wait. */
  hold() {
    this.#held = new Promise((release) => (this.#release = () => release(undefined)));
  }

  release() {
    this.#release();
    this.#held = undefined;
  }
}
