/** Times, in the words of the browser's language. */

import { html } from './vendor/lit-html.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
];

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const hour = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });

/** The language of these words, for screen readers: the rest of the page is in English. */
const { locale } = minute.resolvedOptions();

/**
 * How far it is from now.
 *
 * @param {string} at RFC 3339.
 */
export function distance(at) {
  const seconds = (Date.parse(at) - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  // Less than a minute is now.
  const words = relative.format(unit === 'second' ? 0 : Math.trunc(seconds / length), unit);
  return html`<time datetime=${at} lang=${locale} title=${minute.format(new Date(at))}>${words}</time>`;
}

/**
 * The day that it was or will be.
 *
 * @param {string} at RFC 3339.
 */
export function date(at) {
  return html`<time datetime=${at} lang=${locale}>${day.format(new Date(at))}</time>`;
}

/**
 * The minute that it was.
 *
 * @param {string} at RFC 3339.
 */
export function dateAndTime(at) {
  return html`<time datetime=${at} lang=${locale}>${minute.format(new Date(at))}</time>`;
}

/**
 * The time of the day that it was, as text.
 *
 * @param {string} at RFC 3339.
 */
export function timeOfDay(at) {
  return hour.format(new Date(at));
}
