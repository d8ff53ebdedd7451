import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fixChance, pass, sleep } from './support/clock.js';
import { outcome, setUp, withStoppedClock } from './support/harness.js';

withStoppedClock();

const DAY = 24 * 3600_000;

/** When the second refresh came, in seconds after the first answer. */
async function secondRefresh({ service, browser }) {
  const answeredAt = [];
  const open = browser.open();
  open.client.onChange(() => answeredAt.push(Date.now()));
  await pass(100);
  const from = answeredAt[0];
  while (service.refreshes.length < 2) await pass(1_000);
  return Math.round((service.refreshes[1].at - from) / 1000);
}

test('it refreshes half a minute to a minute and a half ahead of expiry', async () => {
  for (const [chance, expected] of [
    [0, 870],
    [0.5, 840],
    [0.999, 810],
  ]) {
    fixChance(chance);
    assert.equal(await secondRefresh(setUp()), expected);
  }
});

test('a token of two seconds is renewed within its second half', async () => {
  for (const [chance, expected] of [
    [0, 1500],
    [0.999, 1000],
  ]) {
    fixChance(chance);
    const { service, browser } = setUp();
    service.accessSeconds = 2;
    browser.open();
    await pass(20);
    await pass(expected - 30);
    assert.equal(service.refreshes.length, 1);
    await pass(60);
    assert.equal(service.refreshes.length, 2);
  }
});

test('time is counted from receipt, whatever the clock of the service says', async () => {
  fixChance(0);
  for (const skew of [-DAY, -60_000, 60_000, DAY]) {
    const { service, browser } = setUp();
    service.skew = skew;
    assert.equal(await secondRefresh({ service, browser }), 870);
  }
});

test('jitter keeps tabs and users apart', async () => {
  const seconds = new Set();
  for (let i = 0; i < 20; i++) seconds.add(await secondRefresh(setUp()));
  assert.ok(seconds.size > 5, `${[...seconds]}`);
  for (const second of seconds) assert.ok(second >= 809 && second <= 871, `${second}`);
});

test('a day of a quiet tab is a refresh every quarter of an hour', async () => {
  const { service, browser } = setUp();
  const { client, seen } = browser.open();
  await pass(DAY);
  assert.ok(service.refreshes.length >= 96 && service.refreshes.length <= 110, `${service.refreshes.length}`);
  assert.equal(client.session.state, 'signedIn');
  assert.equal(seen.length, 1);
  assert.ok(service.refreshes.every(({ status }) => status === 200));
  assert.equal(new Set(service.refreshes.map(({ key }) => key)).size, service.refreshes.length);
});

test('a lifetime longer than timers can be set for is renewed every day', async () => {
  const { service, browser } = setUp();
  service.accessSeconds = 60 * 24 * 3600;
  browser.open();
  await pass(2.5 * DAY);
  assert.equal(service.refreshes.length, 3);
});

test('a laptop that slept past the expiry refreshes when somebody looks', async () => {
  const { service, browser } = setUp();
  const tab = browser.open();
  await pass(100);
  sleep(DAY);
  tab.document.visibilityState = 'hidden';
  tab.show();
  await pass(100);
  assert.equal(service.refreshes.length, 1);
  tab.document.visibilityState = 'visible';
  tab.show();
  await pass(100);
  assert.equal(service.refreshes.length, 2);
  tab.show();
  await pass(100);
  assert.equal(service.refreshes.length, 2);
});

test('a page out of the back-forward cache asks what it missed', async () => {
  const { service, browser } = setUp();
  const tab = browser.open();
  await pass(100);
  tab.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
  await pass(100);
  assert.equal(service.refreshes.length, 1);
  browser.signedIn('grace@example.com');
  tab.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  await pass(100);
  assert.equal(tab.client.session.user.email, 'grace@example.com');
});

test('a closed client asks nothing more', async () => {
  const { service, browser } = setUp();
  const tab = browser.open();
  await pass(7);
  tab.client.close();
  await pass(DAY);
  tab.show();
  tab.dispatchEvent(new Event('online'));
  await pass(100);
  assert.equal(service.refreshes.length, 1);
  // It can still be asked.
  const user = outcome(tab.client.login({ email: 'ada@example.com', password: 'right' }));
  await pass(100);
  assert.equal(user.value.email, 'ada@example.com');
  await pass(DAY);
  assert.equal(service.refreshes.length, 1);
});
