/** Answers that come after what they were asked for is over: none of them brings the past back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pass, sleep } from './support/clock.js';
import { openPage, outcome, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

const GRACE = { email: 'grace@example.com', password: 'right' };

/** Two pages of Ada's, a minute later. */
async function twoTabs(change = {}) {
  const { service, browser } = setUp();
  Object.assign(browser, change);
  const [a, b] = [await openPage(browser), await openPage(browser)];
  await pass(60_000);
  const owner = () => browser.cookie && service.sessions.get(browser.cookie.sid).email;
  return { service, browser, a, b, owner };
}

/** Makes some paths slow: milliseconds up and down. */
function slow(browser, slowPath, up, down) {
  browser.network = ({ path }) => (path === slowPath ? { up, down } : { up: 50, down: 50 });
}

test('a refresh that another tab began after the sign-out was announced does not undo it', async () => {
  for (const hasLocks of [false, true]) {
    const { browser, a, b } = await twoTabs({ hasLocks });
    slow(browser, '/auth/refresh-token', 5, 2_000);
    outcome(b.client.refresh());
    await pass(10);
    outcome(a.client.logout());
    await pass(10_000);
    for (const { client } of [a, b]) assert.equal(client.session.state, 'signedOut');
    assert.equal(browser.cookie, null);
  }
});

test('a sign-in that takes longer than a turn is not overwritten by the refresh that did not wait', async () => {
  const { browser, a, owner } = await twoTabs();
  browser.network = ({ path }) =>
    path === '/auth/refresh-token' ? { up: 100, down: 3_000 } : { up: 5_800, down: 200 };
  outcome(a.client.refresh());
  await pass(10);
  const login = outcome(a.client.login(GRACE));
  await pass(15_000);
  assert.equal(login.value.email, GRACE.email);
  assert.equal(a.client.session.user.email, GRACE.email);
  assert.equal(owner(), GRACE.email);
});

test('ending every session, or deleting the account, outlasts the refresh under way', async () => {
  for (const leave of [(client) => client.endAllSessions(), (client) => client.deleteAccount('right')]) {
    const { browser, a, b } = await twoTabs();
    slow(browser, '/auth/refresh-token', 5, 2_000);
    outcome(a.client.refresh());
    await pass(10);
    const left = outcome(leave(a.client));
    await pass(10_000);
    assert.ok(left.isDone && !left.error);
    for (const { client } of [a, b]) assert.equal(client.session.state, 'signedOut');
  }
});

test('and ends nothing of who has signed in before its answer came', async () => {
  const { browser, a, b, owner } = await twoTabs();
  slow(browser, '/auth/sessions', 5, 2_000);
  outcome(a.client.endAllSessions());
  await pass(10);
  outcome(b.client.login(GRACE));
  await pass(10_000);
  for (const { client } of [a, b]) assert.equal(client.session.user?.email, GRACE.email);
  assert.equal(owner(), GRACE.email);
});

test('a logout is given up for a sign-in elsewhere, at whatever it is', async () => {
  for (const hasLocks of [true, false]) {
    for (const path of ['/auth/refresh-token', '/auth/logout']) {
      const { browser, a, b, owner } = await twoTabs({ hasLocks });
      if (path === '/auth/refresh-token') sleep(1000_000);
      slow(browser, path, 5, 7_500);
      const left = outcome(a.client.logout());
      await pass(20);
      const login = outcome(b.client.login(GRACE));
      await pass(60_000);
      assert.equal(login.value.email, GRACE.email);
      assert.equal(left.error.code, 'USER_CHANGED');
      for (const { client } of [a, b]) assert.equal(client.session.user?.email, GRACE.email, path);
      assert.equal(owner(), GRACE.email);
    }
  }
});

test('tabs that waited for their turn ask nothing more of a session that is over', async () => {
  const { service, browser, a, b } = await twoTabs();
  slow(browser, '/auth/refresh-token', 5, 300);
  const refreshes = [a, b].map(({ client }) => outcome(client.refresh()));
  await pass(3);
  const before = service.refreshes.length;
  outcome(a.client.logout());
  await pass(10_000);
  assert.ok(refreshes.every(({ value }) => value.state === 'signedOut'));
  assert.ok(service.refreshes.length <= before + 1);
});

test('a clock that is set back hides no sign-out', async () => {
  const { service, a, b } = await twoTabs();
  service.skew += 3600_000;
  sleep(-3600_000);
  outcome(a.client.logout());
  await pass(1_000);
  assert.equal(b.client.session.state, 'signedOut');
});

test('nor does it put off the refresh of a tab that is looked at', async () => {
  const { service, browser } = setUp();
  const tab = await openPage(browser);
  service.skew += 3600_000;
  sleep(-3600_000);
  tab.show();
  await pass(900_000);
  assert.equal(service.refreshes.length, 2);
});

test('the end of the session before, told after a sign-in, ends nothing', async () => {
  const { service, browser, a, b, owner } = await twoTabs({ hasLocks: false });
  const third = await openPage(browser);
  await pass(60_000);
  // Begun anew when the sign-in is announced, refused half a millisecond after it has come.
  browser.network = ({ path }) => (path === '/auth/login' ? { up: 50, down: 200 } : { up: 5, down: 244.5 });
  for (let i = 0; i < 2; i++) service.failNext('/auth/refresh-token', 401, 'SESSION_REVOKED');
  const refused = outcome(b.client.refresh());
  await pass(10);
  outcome(a.client.login(GRACE));
  await pass(1_000);
  assert.equal(refused.error.code, 'SESSION_REVOKED');
  for (const { client } of [a, b, third]) assert.equal(client.session.user?.email, GRACE.email);
  assert.equal(owner(), GRACE.email);
});
