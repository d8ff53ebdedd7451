import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fixChance, pass } from './support/clock.js';
import { fine, lost, openPage, outcome, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

test('each refresh has a key of its own, dropped when its answer has come', async () => {
  const { service, browser } = setUp();
  const { client } = await openPage(browser);
  for (let i = 0; i < 10; i++) {
    void client.refresh();
    await pass(7);
    assert.deepEqual([...browser.storage.values()], [service.refreshes.at(-1).key]);
    await pass(100);
    assert.equal(browser.storage.size, 0);
  }
  const keys = service.refreshes.map(({ key }) => key);
  assert.equal(new Set(keys).size, 11);
  for (const key of keys) assert.match(key, /^[0-9a-f]{32}$/);
});

test('an answer that is lost for longer than the grace logs nobody out', async () => {
  const { service, browser } = setUp();
  fixChance(0);
  const { client } = await openPage(browser);
  await pass(60_000);
  browser.network = lost;
  const refreshed = outcome(client.refresh());
  await pass(3600_000);
  assert.equal(refreshed.error.code, 'UNREACHABLE');
  browser.network = fine;
  await pass(100_000);
  assert.deepEqual([client.session.state, client.session.error], ['signedIn', null]);
  const tries = service.refreshes.slice(1);
  assert.ok(tries.length > 10);
  assert.equal(new Set(tries.map(({ key }) => key)).size, 1);
  assert.equal(browser.storage.size, 0);
});

test('the key outlives a reload', async () => {
  const { service, browser } = setUp();
  const first = await openPage(browser);
  await pass(60_000);
  browser.network = () => ({ up: 5, down: 3_000, lost: undefined });
  void first.client.refresh();
  await pass(100);
  first.kill();
  await pass(3600_000);
  browser.network = fine;
  const { client } = await openPage(browser);
  assert.equal(client.session.state, 'signedIn');
  const [, before, after] = service.refreshes;
  assert.equal(before.key, after.key);
  assert.equal(browser.storage.size, 0);
});

test('a failure is no answer: the key is kept', async () => {
  for (const failure of [
    [503, 'UNAVAILABLE'],
    [429, 'RATE_LIMITED'],
    [500, 'INTERNAL'],
    [401, 'SESSION_REVOKED'],
  ]) {
    const { service, browser } = setUp();
    const { client } = await openPage(browser);
    service.failNext('/auth/refresh-token', ...failure);
    void client.refresh().catch(() => {});
    await pass(100);
    assert.deepEqual([...browser.storage.values()], [service.refreshes.at(-1).key]);
  }
});

test('a tab whose answer is lost puts back the key that another has dropped', async () => {
  const { service, browser } = setUp();
  Object.assign(browser, { hasLocks: false, hasChannels: false });
  const one = await openPage(browser);
  const two = await openPage(browser);
  await pass(60_000);
  browser.network = () => ({ up: 5, down: 2_000, lost: 'answer' });
  void one.client.refresh().catch(() => {});
  await pass(10);
  browser.network = fine;
  void two.client.refresh();
  await pass(100);
  assert.equal(service.refreshes.at(-1).key, service.refreshes.at(-2).key);
  assert.equal(browser.storage.size, 0);
  await pass(2_000);
  assert.deepEqual([...browser.storage.values()], [service.refreshes.at(-1).key]);
});

test('where nothing may be stored, a page keeps its key itself', async () => {
  const { service, browser } = setUp();
  browser.mayStore = false;
  const { client } = await openPage(browser);
  await pass(60_000);
  browser.network = lost;
  void client.refresh().catch(() => {});
  await pass(60_000);
  browser.network = fine;
  await pass(100_000);
  assert.equal(client.session.state, 'signedIn');
  assert.equal(new Set(service.refreshes.slice(1).map(({ key }) => key)).size, 1);
});

test('where there is no more room, too', async () => {
  const { service, browser } = setUp();
  const tab = await openPage(browser);
  const full = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  const storage = { getItem: () => null, setItem: full, removeItem: () => {} };
  Object.defineProperty(tab.world, 'localStorage', { get: () => storage });
  await pass(60_000);
  browser.network = lost;
  void tab.client.refresh().catch(() => {});
  await pass(60_000);
  browser.network = fine;
  await pass(100_000);
  assert.equal(tab.client.session.state, 'signedIn');
  assert.equal(new Set(service.refreshes.slice(1).map(({ key }) => key)).size, 1);
});

test('a visitor who has no session keeps no key', async () => {
  const { browser } = setUp({ signedIn: false });
  await openPage(browser);
  assert.equal(browser.storage.size, 0);
});
