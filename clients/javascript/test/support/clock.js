/** When every test begins. */
export const START = Date.parse('2026-06-01T12:00:00Z');

const real = { setTimeout, clearTimeout, now: Date.now, random: Math.random };

/** @type {Map<number, {at: number, run: () => void}>} */
const timers = new Map();
let now = START;
let lastTimer = 0;

/** From now on time passes by {@link pass} alone. */
export function stopClock() {
  now = START;
  timers.clear();
  Date.now = () => now;
  globalThis.setTimeout = (run, delay = 0) => {
    timers.set(++lastTimer, { at: now + Math.max(0, delay), run });
    return lastTimer;
  };
  globalThis.clearTimeout = (timer) => timers.delete(timer);
}

export function startClock() {
  globalThis.setTimeout = real.setTimeout;
  globalThis.clearTimeout = real.clearTimeout;
  Date.now = real.now;
  Math.random = real.random;
}

/** Every random number is `value` until the clock is started again. */
export function fixChance(value) {
  Math.random = () => value;
}

/** Time goes on for `ms` in which no timer runs, as while a computer sleeps. */
export function sleep(ms) {
  for (const timer of timers.values()) timer.at += ms;
  now += ms;
}

/** Lets everything happen that needs no time. */
export async function settle() {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
}

/** Lets `ms` pass: runs each timer at its time, and what follows from it before the next. */
export async function pass(ms) {
  const end = now + ms;
  await settle();
  for (;;) {
    let next;
    for (const [id, timer] of timers) {
      if (timer.at <= end && (!next || timer.at < next.timer.at)) next = { id, timer };
    }
    if (!next) break;
    timers.delete(next.id);
    now = Math.max(now, next.timer.at);
    next.timer.run();
    await settle();
  }
  now = end;
}
