import { html } from '../vendor/lit-html.js';
import * as api from './api.js';
import { eventTable } from './event-table.js';
import { EVENTS } from './event-words.js';
import { Pages } from './pages.js';

/**
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function events(update) {
  let kind = '';
  /** @type {Pages<api.Recorded>} */
  const pages = new Pages(update, (cursor) => api.events({ kind, cursor }));
  /** @param {Event} event */
  const choose = ({ currentTarget }) => {
    kind = /** @type {HTMLSelectElement} */ (currentTarget).value;
    pages.first();
  };
  pages.first();
  return {
    title: 'Events',
    width: 'table',
    content: () => html`
      <div class="field inline">
        <label for="kind">Show</label>
        <select id="kind" @change=${choose}>
          <option value="">Everything</option>
          ${Object.entries(EVENTS).map(([kind, words]) => html`<option value=${kind}>${words}</option>`)}
        </select>
      </div>
      ${pages.template((rows) => eventTable(rows), 'event')}
    `,
  };
}
