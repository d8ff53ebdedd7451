import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pass, sleep } from './support/clock.js';
import { openPage, outcome, result, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

const ada = { email: 'ada@example.com', password: 'right' };
const grace = { email: 'grace@example.com', password: 'right' };

test('signing in and registering are noticed in every tab', async () => {
  for (const how of ['login', 'register']) {
    const { service, browser } = setUp({ signedIn: false });
    const one = await openPage(browser);
    const two = await openPage(browser);
    const user = await result(one.client[how](ada));
    assert.equal(user.email, ada.email);
    for (const { client } of [one, two])
      assert.deepEqual(client.session, { state: 'signedIn', user, error: null });
    assert.equal(service.callsTo(`/auth/${how}`).length, 1);
    assert.deepEqual(JSON.parse(service.callsTo(`/auth/${how}`)[0].body), ada);
  }
});

test('a wrong password changes nothing', async () => {
  const { browser } = setUp();
  const { client } = await openPage(browser);
  await assert.rejects(result(client.login({ ...grace, password: 'wrong' })), {
    code: 'INVALID_CREDENTIALS',
    status: 401,
  });
  assert.equal(client.session.user.email, 'ada@example.com');
  assert.equal((await result(client.me())).email, 'ada@example.com');
});

test('a sign-in gives up the refresh under way, here and elsewhere: no late cookie overwrites the new one', async () => {
  for (const hasLocks of [true, false]) {
    for (const where of ['here', 'elsewhere']) {
      const { service, browser } = setUp();
      browser.hasLocks = hasLocks;
      const here = await openPage(browser);
      const elsewhere = await openPage(browser);
      await pass(60_000);
      browser.network = ({ path }) => ({
        up: 5,
        down: path === '/auth/refresh-token' ? 2_000 : 50,
        lost: undefined,
      });
      const refreshing = outcome((where === 'here' ? here : elsewhere).client.refresh());
      await pass(10);
      const signingIn = outcome(here.client.login(grace));
      await pass(3_000);
      assert.equal(signingIn.value.email, grace.email);
      assert.equal(refreshing.value.user.email, grace.email);
      assert.equal(service.sessions.get(browser.cookie.sid).email, grace.email);
      for (const { client } of [here, elsewhere]) assert.equal(client.session.user.email, grace.email);
      void here.client.refresh();
      await pass(3_000);
      assert.equal(here.client.session.state, 'signedIn');
    }
  }
});

test('a refresh that was given up for a sign-in that failed goes on', async () => {
  const { service, browser } = setUp();
  const here = await openPage(browser);
  const elsewhere = await openPage(browser);
  await pass(60_000);
  browser.network = () => ({ up: 5, down: 500, lost: undefined });
  const refreshing = outcome(elsewhere.client.refresh());
  await pass(10);
  const signingIn = outcome(here.client.login({ ...grace, password: 'wrong' }));
  await pass(2_000);
  assert.equal(signingIn.error.code, 'INVALID_CREDENTIALS');
  assert.equal(refreshing.value.state, 'signedIn');
  const [first, second] = service.refreshes.slice(-2);
  assert.equal(first.key, second.key);
});

test('logging out ends the session in every tab', async () => {
  const { service, browser } = setUp();
  const one = await openPage(browser);
  const two = await openPage(browser);
  await result(one.client.logout());
  for (const { client } of [one, two]) {
    assert.deepEqual(client.session, { state: 'signedOut', user: null, error: null });
    assert.equal(await client.token(), null);
  }
  assert.equal(browser.cookie, null);
  const asked = service.refreshes.length;
  await pass(3600_000);
  assert.equal(service.refreshes.length, asked);
});

test('a logout gives up the refresh under way: no late cookie comes back', async () => {
  const { service, browser } = setUp();
  const one = await openPage(browser);
  const two = await openPage(browser);
  await pass(60_000);
  browser.network = ({ path }) => ({
    up: 5,
    down: path === '/auth/refresh-token' ? 2_000 : 50,
    lost: undefined,
  });
  const refreshing = outcome(two.client.refresh());
  await pass(10);
  void one.client.logout();
  await pass(5_000);
  assert.equal(browser.cookie, null);
  assert.equal(refreshing.value.state, 'signedOut');
  assert.ok([...service.sessions.values()].every(({ revoked }) => revoked));
});

test('with an expired token it refreshes first, then logs out', async () => {
  const { service, browser } = setUp();
  const { client } = await openPage(browser);
  sleep(1000_000);
  await result(client.logout());
  assert.deepEqual(
    service.calls.map(({ path, status }) => [path, status]),
    [
      ['/auth/refresh-token', 200],
      ['/auth/refresh-token', 200],
      ['/auth/logout', 204],
    ],
  );
  assert.equal(browser.cookie, null);
});

test('with a token that is refused it refreshes, then logs out', async () => {
  const { service, browser } = setUp();
  const { client } = await openPage(browser);
  service.access.clear();
  await result(client.logout());
  assert.deepEqual(
    service.callsTo('/auth/logout').map(({ status }) => status),
    [401, 204],
  );
  assert.equal(client.session.state, 'signedOut');
});

test('as soon as the page is open it can log out', async () => {
  const { browser } = setUp();
  const { client } = browser.open();
  await result(client.logout());
  assert.equal(client.session.state, 'signedOut');
  assert.equal(browser.cookie, null);
});

test('a session that is over already is one that was logged out', async () => {
  const { service, browser } = setUp();
  const { client } = await openPage(browser);
  service.endSessions();
  await result(client.logout());
  assert.equal(client.session.state, 'signedOut');
});

test('offline nobody is logged out, and the page is told', async () => {
  const { browser } = setUp();
  const { client } = await openPage(browser);
  browser.network = () => ({ up: 5, down: 5, lost: 'request' });
  await assert.rejects(result(client.logout()), { code: 'UNREACHABLE' });
  assert.equal(client.session.state, 'signedIn');
  assert.notEqual(browser.cookie, null);
});

test('a stale tab neither acts for nor logs out who has signed in meanwhile', async () => {
  for (const act of ['logout', 'me']) {
    const { service, browser } = setUp();
    browser.hasChannels = false;
    const stale = await openPage(browser);
    const other = await openPage(browser);
    await result(other.client.logout());
    await result(other.client.login(grace));
    await assert.rejects(result(stale.client[act]()), { code: 'USER_CHANGED' });
    assert.equal(stale.client.session.user.email, grace.email);
    assert.equal(stale.seen.at(-1).user.email, grace.email);
    assert.equal(service.sessions.get(browser.cookie.sid).revoked, false);
    assert.ok(service.callsTo('/auth/me').every(({ status }) => status === 401));
    // Now the page knows whom it acts for.
    await result(stale.client[act]());
  }
});

test('a tab whose token has expired does not act for who has signed in meanwhile either', async () => {
  const { service, browser } = setUp();
  browser.hasChannels = false;
  const stale = await openPage(browser);
  const other = await openPage(browser);
  await result(other.client.login(grace));
  sleep(1000_000);
  await assert.rejects(result(stale.client.fetch('/things', { method: 'POST' })), { code: 'USER_CHANGED' });
  assert.equal(service.callsTo('/things').length, 0);
});

test('a session that ends for one tab ends for all, but not for one that has signed in since', async () => {
  const { service, browser } = setUp();
  const one = await openPage(browser);
  const two = await openPage(browser);
  service.endSessions();
  await assert.rejects(result(one.client.refresh()), { code: 'SESSION_REVOKED' });
  assert.equal(two.client.session.state, 'signedOut');

  browser.hasLocks = false;
  const slow = await openPage(browser);
  const quick = await openPage(browser);
  await result(quick.client.login(ada));
  browser.network = ({ path }) => ({
    up: path === '/auth/refresh-token' ? 5 : 50,
    down: 200,
    lost: undefined,
  });
  service.failNext('/auth/refresh-token', 401, 'SESSION_REVOKED');
  const refreshing = outcome(slow.client.refresh());
  await pass(10);
  void quick.client.login(grace);
  await pass(2_000);
  assert.ok(refreshing.isDone);
  for (const { client } of [slow, quick]) assert.equal(client.session.user?.email, grace.email);
});

test('deleting the account, or every session, is a logout', async () => {
  for (const leave of [(client) => client.deleteAccount('right'), (client) => client.endAllSessions()]) {
    const { browser } = setUp();
    const one = await openPage(browser);
    const two = await openPage(browser);
    await result(leave(one.client));
    for (const { client } of [one, two]) assert.equal(client.session.state, 'signedOut');
  }
});
