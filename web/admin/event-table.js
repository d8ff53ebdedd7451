import { nameOfDevice } from '../device.js';
import { dateAndTime } from '../times.js';
import { html, nothing } from '../vendor/lit-html.js';
import { isAlarm, ofKind } from './event-words.js';
import { table } from './table.js';

/** @typedef {import('./api.js').Recorded} Recorded */

/**
 * @param {Recorded[]} events
 * @param {string} [about] The user at whose page they are shown.
 */
export function eventTable(events, about) {
  return table(
    'Events, the newest first',
    ['When', 'What', 'Whose account', 'By', 'From'],
    events.map((event) => row(event, about)),
  );
}

/**
 * @param {Recorded} event
 * @param {string} [about]
 */
function row({ at, kind, detail, user, actor, ip, userAgent }, about) {
  return html`
    <tr>
      <td data-label="When">${dateAndTime(at)}</td>
      <td data-label="What">
        <span class=${isAlarm(kind) ? 'badge bad' : ''}>${ofKind(kind)}</span>
        ${detail ? html`<br /><span class="quiet">${detail}</span>` : nothing}
      </td>
      <td data-label="Whose account">${owner(user, about)}</td>
      <td data-label="By">${doer(actor, user)}</td>
      <td data-label="From">
        ${ip ?? '–'} ${userAgent ? html`<br /><span class="quiet">${nameOfDevice(userAgent)}</span>` : nothing}
      </td>
    </tr>
  `;
}

/**
 * @param {string | null} user
 * @param {string} [about]
 */
function owner(user, about) {
  if (!user) return '–';
  return user === about ? html`<span class="quiet">this one</span>` : linkTo(user);
}

/**
 * @param {string | null} actor
 * @param {string | null} user
 */
function doer(actor, user) {
  if (!actor) return '–';
  return actor === user ? html`<span class="quiet">the owner</span>` : linkTo(actor);
}

/**
 * By the end of the id, which is random; accounts of one day begin alike.
 *
 * @param {string} id
 */
function linkTo(id) {
  return html`<a href="#/users/${id}" title=${id}>…${id.slice(-8)}</a>`;
}
