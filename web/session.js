/** Who is signed in here, and if nobody is, why. */

import { createClient } from './client.js';
import { isVerificationRequired } from './facts.js';

/** @typedef {import('./client.js').User} User */
/** @typedef {import('./client.js').Session} Session */

export const client = createClient({ baseUrl: location.origin });

let wasSignedIn = false;
let farewell = '';

client.onChange(({ state }) => {
  if (state !== 'signedIn') return;
  wasSignedIn = true;
  farewell = '';
});

/**
 * The user who is signed in: for views that are open only while somebody is.
 *
 * @returns {User}
 */
export function currentUser() {
  const { user } = client.session;
  if (!user) throw new Error('nobody is signed in');
  return user;
}

/**
 * Whether the service refuses all calls of `user` until the address is verified.
 *
 * @param {User} user
 */
export function mustVerify(user) {
  return isVerificationRequired && !user.emailVerified;
}

/**
 * Does what ends the session.
 *
 * @param {() => Promise<void>} work
 * @param {string} words Said afterwards, in place of a reason.
 */
export async function leave(work, words) {
  // Beforehand: the pages hear of the session's end before the work is done.
  farewell = words;
  try {
    await work();
  } catch (error) {
    farewell = '';
    throw error;
  }
}

export function signOut() {
  return leave(() => client.logout(), 'You have signed out.');
}

/** Why a page that was there, or was asked for, is not shown. */
export function whySignedOut() {
  if (farewell) return farewell;
  if (!wasSignedIn) return 'Sign in to see this page.';
  return 'You are not signed in any more. Your session was ended in another tab or on another device, or it was over.';
}
