import { Task } from '../task.js';
import { dateAndTime } from '../times.js';
import { html, nothing } from '../vendor/lit-html.js';
import { digits } from '../words.js';
import * as api from './api.js';
import { charts } from './chart.js';

/**
 * @param {() => void} update
 * @returns {import('../frame.js').View}
 */
export function overview(update) {
  /** @type {api.Stats | undefined} */
  let stats;
  let asOf = '';
  const task = new Task(update);
  const read = () =>
    task.run(async () => {
      stats = await api.stats();
      asOf = new Date().toISOString();
    });
  read();
  return {
    title: 'Overview',
    width: 'table',
    content: () => html`
      ${task.outcome}
      <div aria-busy=${task.isBusy}>${stats ? figures(stats) : nothing}</div>
      <div class="buttons">
        <button aria-disabled=${task.isBusy} @click=${read}>${stats || task.isBusy ? 'Update' : 'Try again'}</button>
        ${asOf ? html`<span class="quiet" role="status">As of ${dateAndTime(asOf)}</span>` : nothing}
      </div>
    `,
  };
}

/** @param {api.Stats} stats */
function figures({ users, liveSessions, mailsWaiting, reuses, hours }) {
  return html`
    <dl class="figures">
      ${figure('Accounts', users.total, `${digits(users.active)} active`)}
      ${figure('Sessions', liveSessions, 'that can be refreshed')}
      ${figure('Mails waiting', mailsWaiting, 'not sent yet')} ${figure('Reuse alarms', reuses, 'in the last 24 hours')}
    </dl>
    <h2>The last 24 hours</h2>
    ${charts(hours)}
  `;
}

/**
 * @param {string} title
 * @param {number} number
 * @param {string} note
 */
function figure(title, number, note) {
  return html`
    <div>
      <dt>${title}</dt>
      <dd class="number">${digits(number)}</dd>
      <dd class="quiet">${note}</dd>
    </div>
  `;
}
