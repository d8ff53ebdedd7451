import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fixChance, pass, sleep } from './support/clock.js';
import { fine, offline, openPage, outcome, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

/** A signed-in page whose refreshes fail from now on, and the times in seconds of its next tries. */
async function failing(chance, tries) {
  fixChance(chance);
  const { service, browser } = setUp();
  const { client } = await openPage(browser);
  for (let i = 0; i < tries; i++) service.failNext('/auth/refresh-token', 503, 'UNAVAILABLE');
  void client.refresh().catch(() => {});
  await pass(600_000);
  const at = service.refreshes.slice(1, tries + 1).map((call) => call.at);
  assert.equal(client.session.state, 'signedIn');
  return at.slice(1).map((time, i) => Math.round((time - at[i]) / 1000));
}

test('it waits ever longer, up to a minute, and half as long again at most', async () => {
  assert.deepEqual(await failing(0, 9), [1, 2, 4, 8, 16, 32, 60, 60]);
  assert.deepEqual(await failing(0.9999, 9), [2, 3, 6, 12, 24, 48, 90, 90]);
});

test('what the service asks for is waited for', async () => {
  for (const [status, code] of [
    [429, 'RATE_LIMITED'],
    [503, 'UNAVAILABLE'],
  ]) {
    fixChance(0);
    const { service, browser } = setUp();
    const { client, seen } = await openPage(browser);
    service.failNext('/auth/refresh-token', status, code, { headers: { 'retry-after': '120' } });
    const refreshed = outcome(client.refresh());
    await pass(119_000);
    assert.equal(refreshed.error.retryAfter, 120);
    assert.deepEqual([client.session.state, client.session.error?.code], ['signedIn', code]);
    assert.equal(service.refreshes.length, 2);
    await pass(2_000);
    assert.equal(service.refreshes.length, 3);
    assert.equal(client.session.error, null);
    assert.deepEqual(
      seen.map(({ error }) => error?.code),
      [undefined, code, undefined],
    );
  }
});

test('a day offline is no storm, and no logout', async () => {
  const { browser } = setUp();
  const { client } = await openPage(browser);
  let tries = 0;
  browser.network = () => (tries++, offline());
  await pass(24 * 3600_000);
  assert.ok(tries > 900 && tries < 1_500, `${tries}`);
  assert.equal(client.session.state, 'signedIn');
  assert.equal(client.session.user.email, 'ada@example.com');
});

test('when the network is back it goes on at once', async () => {
  for (const event of ['online', 'visibilitychange']) {
    fixChance(0);
    const { browser } = setUp();
    const tab = await openPage(browser);
    browser.network = offline;
    await pass(3600_000);
    assert.equal(tab.client.session.error?.code, 'UNREACHABLE');
    browser.network = fine;
    if (event === 'online') tab.dispatchEvent(new Event('online'));
    else tab.show();
    await pass(100);
    assert.equal(tab.client.session.error, null, event);
  }
});

test('but not more than once a second, and a service that asks to be left alone is', async () => {
  const { service, browser } = setUp();
  fixChance(0);
  const tab = await openPage(browser);
  let tries = 0;
  browser.network = () => (tries++, offline());
  void tab.client.refresh().catch(() => {});
  await pass(100);
  for (let i = 0; i < 1_000; i++) {
    tab.dispatchEvent(new Event('online'));
    await pass(10);
  }
  assert.ok(tries <= 12, `${tries}`);
  browser.network = fine;
  await pass(60_000);
  service.failNext('/auth/refresh-token', 429, 'RATE_LIMITED', { headers: { 'retry-after': '60' } });
  void tab.client.refresh().catch(() => {});
  await pass(100);
  const before = service.refreshes.length;
  for (let i = 0; i < 100; i++) tab.show();
  await pass(50_000);
  assert.equal(service.refreshes.length, before);
});

test('a computer that slept while it was waiting does not wait again', async () => {
  const { service, browser } = setUp();
  const tab = await openPage(browser);
  service.failNext('/auth/refresh-token', 503, 'UNAVAILABLE', { headers: { 'retry-after': '600' } });
  void tab.client.refresh().catch(() => {});
  await pass(100);
  sleep(1000_000);
  tab.show();
  await pass(100);
  assert.equal(tab.client.session.error, null);
});

test('a refresh that hangs is given up before the grace is over, and has more time when repeated', async () => {
  const { service, browser } = setUp();
  fixChance(0);
  const { client } = await openPage(browser);
  browser.network = () => ({ up: 5, down: 3600_000, lost: undefined });
  void client.refresh().catch(() => {});
  await pass(300_000);
  const at = service.refreshes.slice(1).map((call) => call.at);
  const gaps = at.slice(1).map((time, i) => Math.round((time - at[i]) / 1000));
  assert.deepEqual(gaps.slice(0, 6), [8 + 1, 16 + 2, 30 + 4, 30 + 8, 30 + 16, 30 + 32]);
});

test('while the token is good, calls go on', async () => {
  const { service, browser } = setUp();
  const { client } = await openPage(browser);
  for (let i = 0; i < 5; i++) service.failNext('/auth/refresh-token', 503, 'UNAVAILABLE');
  void client.refresh().catch(() => {});
  await pass(100);
  const call = outcome(client.me());
  await pass(100);
  assert.equal(call.value.email, 'ada@example.com');
});

test('an answer that makes no sense is none', async () => {
  for (const text of [
    '',
    'null',
    '{}',
    '[]',
    '{"accessToken":"x"}',
    '{"accessToken":"x","expiresIn":0,"user":{}}',
  ]) {
    fixChance(0);
    const { service, browser } = setUp();
    const { client } = await openPage(browser);
    for (let i = 0; i < 3; i++) service.failures.push({ path: '/auth/refresh-token', status: 200, text });
    void client.refresh().catch(() => {});
    await pass(500);
    assert.deepEqual([client.session.state, client.session.error?.code], ['signedIn', 'UNREACHABLE'], text);
    assert.equal(service.refreshes.length, 2);
    await pass(10_000);
    assert.equal(client.session.error, null);
    assert.equal(service.refreshes.length, 5);
  }
});

test('a service that wants to be left alone for longer than timers take is', async () => {
  const { service, browser } = setUp();
  const { client } = await openPage(browser);
  const wait = { headers: { 'retry-after': `${60 * 24 * 3600}` } };
  for (let i = 0; i < 100; i++) service.failNext('/auth/refresh-token', 429, 'RATE_LIMITED', wait);
  void client.refresh().catch(() => {});
  await pass(24 * 3600_000 - 10_000);
  assert.equal(service.refreshes.length, 2);
});

test('what another tab hears of the user does not make this one impatient', async () => {
  const { service, browser } = setUp();
  const [one, two] = [await openPage(browser), await openPage(browser)];
  service.failNext('/auth/refresh-token', 429, 'RATE_LIMITED', { headers: { 'retry-after': '600' } });
  void one.client.refresh().catch(() => {});
  await pass(100);
  void two.client.me();
  await pass(100);
  assert.equal(one.client.session.error?.code, 'RATE_LIMITED');
});
