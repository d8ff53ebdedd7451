import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fixChance, pass } from './support/clock.js';
import { openPage, outcome, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

/** Ten pages of one browser. */
async function tenTabs(change = {}) {
  const { service, browser } = setUp();
  Object.assign(browser, change);
  const tabs = Array.from({ length: 10 }, () => browser.open());
  await pass(1_000);
  return { service, browser, tabs, clients: tabs.map(({ client }) => client) };
}

test('ten tabs that open together refresh once, and all know the user', async () => {
  const { service, clients } = await tenTabs();
  assert.equal(service.refreshes.length, 1);
  for (const { session } of clients) assert.equal(session.user.email, 'ada@example.com');
  assert.equal(new Set(await Promise.all(clients.map((client) => client.token()))).size, 1);
});

test('ten tabs that refresh at the same moment refresh once', async () => {
  const { service, clients } = await tenTabs();
  for (let round = 2; round < 20; round++) {
    await pass(11_000);
    const done = clients.map((client) => outcome(client.refresh()));
    await pass(1_000);
    assert.ok(done.every(({ value }) => value.state === 'signedIn'));
    assert.equal(service.refreshes.length, round);
  }
});

test('a day of ten tabs is a refresh every quarter of an hour', async () => {
  const { service, clients } = await tenTabs();
  await pass(24 * 3600_000);
  assert.ok(service.refreshes.length >= 96 && service.refreshes.length <= 115, `${service.refreshes.length}`);
  assert.ok(clients.every(({ session }) => session.state === 'signedIn'));
});

test('without locks, or channels, or storage, or any of these, nobody is logged out', async () => {
  const without = [{ hasLocks: false }, { hasChannels: false }, { mayStore: false }];
  for (const change of [...without, Object.assign({}, ...without)]) {
    const { clients, browser } = await tenTabs(change);
    let n = 0;
    browser.network = () => ({ up: 5 + ((n * 7) % 40), down: 5 + ((n++ * 13) % 50), lost: undefined });
    for (let round = 0; round < 100; round++) {
      const done = clients.map((client) => outcome(client.refresh()));
      await pass(3_000);
      assert.ok(
        done.every(({ value }) => value?.state === 'signedIn'),
        `${JSON.stringify(change)} ${round}`,
      );
    }
  }
});

test('a lock that nobody gives back is waited for five seconds', async () => {
  const { service, browser } = setUp();
  void browser.locks.request('', {}, () => new Promise(() => {}));
  const { client } = browser.open();
  await pass(4_900);
  assert.equal(service.refreshes.length, 0);
  await pass(200);
  assert.equal(client.session.state, 'signedIn');
});

test('a page that may not use locks does without', async () => {
  const { browser } = setUp();
  browser.locks.request = async () => {
    throw new DOMException('no locks here', 'SecurityError');
  };
  const { client } = await openPage(browser);
  assert.equal(client.session.state, 'signedIn');
});

test('a tab that is closed while it refreshes holds nobody up', async () => {
  const { service, browser } = setUp();
  browser.network = () => ({ up: 5, down: 6_000, lost: undefined });
  const first = browser.open();
  await pass(100);
  const second = browser.open();
  await pass(100);
  browser.network = () => ({ up: 5, down: 5, lost: undefined });
  first.kill();
  await pass(100);
  assert.equal(second.client.session.state, 'signedIn');
  // The one took the key of the other, whose answer never came.
  assert.equal(service.refreshes.length, 2);
  assert.equal(service.refreshes[0].key, service.refreshes[1].key);
  assert.equal(browser.storage.size, 0);
});

test('news that is older than what a tab knows is passed over', async () => {
  const { browser } = setUp();
  fixChance(0);
  const { client } = await openPage(browser);
  const token = await client.token();
  const [channel] = browser.channels;
  const user = client.session.user;
  const old = { access: 'old', receivedAt: Date.now() - 1_000, expiresAt: Date.now() + 900_000, user };
  channel.hear({ tokens: old });
  channel.hear({ endedAt: Date.now() - 1_000 });
  await pass(10);
  assert.equal(await client.token(), token);
  channel.hear({ endedAt: Date.now() });
  channel.hear({ tokens: old });
  await pass(10);
  assert.equal(client.session.state, 'signedOut');
});
