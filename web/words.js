/** Sentences for what failed, by the codes of the service. */

import { SymbolonError } from './client.js';

/** @type {Record<string, string>} */
const FAILURES = {
  UNREACHABLE: 'No connection to the service. Nothing was lost: try again.',
  USER_CHANGED: 'Somebody else has signed in meanwhile. Nothing was done.',
  EMAIL_NOT_VERIFIED: 'Verify your e-mail address first.',
  EMAIL_TAKEN: 'There is an account with this address already.',
  FORBIDDEN: 'Only administrators may do this, and you are not one any more.',
  INTERNAL: 'Something went wrong on our side. Try again.',
  INVALID_CREDENTIALS: 'The e-mail address or the password is wrong.',
  LAST_ADMIN: 'This is the last administrator who can sign in. Make somebody else one first.',
  NOT_FOUND: 'This is not there any more.',
  REGISTRATION_CLOSED: 'New accounts are not taken at the moment.',
  SESSION_REVOKED: 'Your session has ended.',
  UNAVAILABLE: 'The service is busy. Nothing was lost: try again in a moment.',
};

/** @type {Record<string, string>} */
const PROBLEMS = {
  NO_ADDRESS: 'This is not an e-mail address. It should look like name@example.com.',
  TOO_COMMON: 'Many people use this password, so it would be guessed. Choose another one.',
  TOO_PERSONAL: 'Your address or your name is easily guessed. Choose another password.',
  UNCHANGED: 'This is your address already.',
};

/** @type {Record<string, string>} */
const MISSING = {
  email: 'Enter your e-mail address.',
  newEmail: 'Enter the new e-mail address.',
  password: 'Enter your password.',
  currentPassword: 'Enter your current password.',
  newPassword: 'Enter the new password.',
};

/** Where no answer came to what changes something. */
const UNKNOWN = 'The connection failed: it is not known whether this was done.';

/**
 * What is to be said of a call that failed.
 *
 * @param {unknown} error
 * @param {boolean} [mayBeDone] Whether it changes something, and may have done so if no answer came.
 */
export function ofFailure(error, mayBeDone = false) {
  if (!(error instanceof SymbolonError)) {
    // A fault of these pages.
    reportError(error);
    return 'Something went wrong on this page. Load it again.';
  }
  if (error.code === 'RATE_LIMITED') return `Too many attempts. Try again in ${wait(error.retryAfter ?? 60)}.`;
  if (error.code === 'UNREACHABLE' && mayBeDone) return UNKNOWN;
  return FAILURES[error.code] ?? error.message;
}

/**
 * What is wrong with a field, as the service sees it.
 *
 * @param {import('./client.js').FieldError} problem
 */
export function ofProblem({ field, code, message }) {
  return code === 'REQUIRED' ? ofMissing(field) : (PROBLEMS[code] ?? message);
}

/**
 * That nothing was entered.
 *
 * @param {string} field
 */
export function ofMissing(field) {
  return MISSING[field] ?? 'This is needed.';
}

/**
 * A time to wait, rounded up: nobody is to come too early.
 *
 * @param {number} seconds
 */
export function wait(seconds) {
  if (seconds <= 90) return count(seconds, 'second');
  const minutes = Math.ceil(seconds / 60);
  return minutes <= 90 ? count(minutes, 'minute') : count(Math.ceil(minutes / 60), 'hour');
}

/**
 * So many of a thing.
 *
 * @param {number} number
 * @param {string} thing As in `user`.
 */
export function count(number, thing) {
  return `${digits(number)} ${thing}${number === 1 ? '' : 's'}`;
}

/**
 * A number as it is written in English, like the words around it.
 *
 * @param {number} number
 */
export function digits(number) {
  return number.toLocaleString('en');
}
