import assert from 'node:assert/strict';
import { afterEach, beforeEach } from 'node:test';

import { Browser } from './browser.js';
import { pass, settle, startClock, stopClock } from './clock.js';
import { Service } from './service.js';

/** Has every test of a file begin with a stopped clock. */
export function withStoppedClock() {
  beforeEach(() => stopClock());
  afterEach(async () => {
    await settle();
    startClock();
  });
}

/** A service, and a browser that is signed in there unless told otherwise. */
export function setUp({ signedIn = true } = {}) {
  const service = new Service();
  const browser = new Browser(service);
  if (signedIn) browser.signedIn();
  return { service, browser };
}

/** A page that knows who is signed in. */
export async function openPage(browser, options) {
  const tab = browser.open(options);
  await pass(100);
  return tab;
}

/** What became of a promise, whenever that was. */
export function outcome(promise) {
  const outcome = { value: undefined, error: undefined, isDone: false };
  promise.then(
    (value) => Object.assign(outcome, { value, isDone: true }),
    (error) => Object.assign(outcome, { error, isDone: true }),
  );
  return outcome;
}

/** What a call comes to, with the time that it needs. */
export async function result(promise) {
  const done = outcome(promise);
  await pass(200);
  assert.ok(done.isDone);
  if (done.error) throw done.error;
  return done.value;
}

/** Networks: as they should be, without a way there, without a way back. */
export const fine = () => ({ up: 5, down: 5, lost: undefined });
export const offline = () => ({ up: 5, down: 5, lost: 'request' });
export const lost = () => ({ up: 5, down: 5, lost: 'answer' });
