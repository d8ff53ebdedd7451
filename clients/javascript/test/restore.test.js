import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClient } from '../symbolon.js';
import { fixChance, pass } from './support/clock.js';
import { outcome, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

test('on load, one refresh restores the session', async () => {
  const { service, browser } = setUp();
  const { client, seen } = browser.open();
  const ready = outcome(client.ready);
  assert.deepEqual(client.session, { state: 'unknown', user: null, error: null });
  await pass(100);
  assert.equal(client.session.state, 'signedIn');
  assert.equal(client.session.user?.email, 'ada@example.com');
  assert.equal(ready.value, client.session);
  assert.deepEqual(seen, [client.session]);
  assert.equal(service.calls.length, 1);
  assert.equal(service.calls[0].path, '/auth/refresh-token');
});

test('without a cookie nobody is signed in, and nothing more is asked', async () => {
  const { service, browser } = setUp({ signedIn: false });
  const { client } = browser.open();
  await pass(100);
  assert.deepEqual(client.session, { state: 'signedOut', user: null, error: null });
  await pass(24 * 3600_000);
  assert.equal(service.calls.length, 1);
  assert.equal(await client.token(), null);
});

test('every code that ends a session ends it, and only as a 401', async () => {
  const ends = ['MISSING', 'INVALID', 'EXPIRED', 'REUSED'].map((why) => `REFRESH_TOKEN_${why}`);
  for (const code of [...ends, 'SESSION_REVOKED']) {
    for (const [status, state] of /** @type {const} */ ([
      [401, 'signedOut'],
      [500, 'signedIn'],
    ])) {
      const { service, browser } = setUp();
      const { client } = browser.open();
      await pass(100);
      service.failNext('/auth/refresh-token', status, code);
      const refreshed = outcome(client.refresh());
      await pass(100);
      assert.equal(refreshed.error.code, code);
      assert.equal(client.session.state, state, `${status} ${code}`);
      client.close();
    }
  }
});

test('a page that cannot reach the service does not know, and finds out later', async () => {
  const { browser } = setUp();
  browser.network = () => ({ up: 5, down: 5, lost: 'request' });
  const { client } = browser.open();
  const ready = outcome(client.ready);
  await pass(60_000);
  assert.equal(client.session.state, 'unknown');
  assert.equal(client.session.error?.code, 'UNREACHABLE');
  assert.ok(!ready.isDone);
  browser.network = () => ({ up: 5, down: 5, lost: undefined });
  await pass(90_000);
  assert.deepEqual([client.session.state, client.session.error], ['signedIn', null]);
  assert.ok(ready.isDone);
});

test('what is no answer of the service is no answer', async () => {
  const { service, browser } = setUp();
  service.failures.push({ path: '/auth/refresh-token', status: 200, text: '<h1>Welcome to our wifi</h1>' });
  service.failures.push({ path: '/auth/refresh-token', status: 401, text: '<h1>Who are you?</h1>' });
  fixChance(0);
  const { client } = browser.open();
  await pass(500);
  assert.equal(client.session.error?.code, 'UNREACHABLE');
  await pass(1_000);
  assert.equal(client.session.error?.code, 'HTTP_401');
  assert.equal(client.session.state, 'unknown');
  await pass(2_000);
  assert.equal(client.session.state, 'signedIn');
});

test('the page stores no token anywhere', async () => {
  const { service, browser } = setUp();
  const { client } = browser.open();
  await pass(7);
  const stored = [...browser.storage.values()];
  assert.deepEqual(stored, [service.refreshes[0].key]);
  await pass(100);
  assert.equal(client.session.state, 'signedIn');
  assert.equal(browser.storage.size, 0);
});

test('a page that is rendered on a server asks nothing', async () => {
  const calls = [];
  const world = { fetch: (url) => calls.push(url), navigator: {} };
  const client = createClient({ baseUrl: 'https://auth.example.com' }, world);
  await pass(1_000);
  assert.deepEqual(calls, []);
  assert.equal(client.session.state, 'unknown');
});

test('a page of another site is told why nobody stays signed in', async () => {
  const { browser } = setUp();
  const complaints = (page, baseUrl) => {
    browser.said.error = [];
    browser.open({ page, baseUrl }).kill();
    return browser.said.error;
  };
  const same = [
    ['https://app.example.com/a?b#c', 'https://auth.example.com'],
    ['https://example.com/', 'https://auth.example.com:8443'],
    ['http://localhost:5173/', 'http://localhost:8080'],
    ['http://127.0.0.1:5173/', 'http://127.0.0.1:8080'],
    ['http://[::1]:5173/', 'http://[::1]:8080'],
    ['https://app.example.com/', ''],
  ];
  const other = [
    ['https://app.example.org/', 'https://auth.example.com'],
    ['http://localhost:5173/', 'http://127.0.0.1:8080'],
    ['http://127.0.0.1:5173/', 'http://127.0.0.2:8080'],
    ['http://app.example.com/', 'https://auth.example.com'],
  ];
  for (const [page, service] of same) assert.deepEqual(complaints(page, service), [], `${page} ${service}`);
  for (const [page, service] of other) {
    const [complaint] = complaints(page, service);
    assert.match(complaint, /different sites.*SameSite=Strict/);
    assert.ok(complaint.includes(new URL(page).origin) && complaint.includes(service));
  }
});

test('a page that gets no answer it may read is told of ALLOWED_ORIGINS, once', async () => {
  const { browser } = setUp();
  browser.network = () => ({ up: 5, down: 5, lost: 'request' });
  browser.open();
  await pass(60_000);
  assert.equal(browser.said.warn.length, 1);
  assert.match(
    browser.said.warn[0],
    /https:\/\/auth\.example\.com.*is https:\/\/app\.example\.com in its ALLOWED_ORIGINS/,
  );
});
