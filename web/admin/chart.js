import { timeOfDay } from '../times.js';
import { html, svg } from '../vendor/lit-html.js';
import { digits } from '../words.js';

/** @typedef {import('./api.js').Hour} Hour */

/**
 * @typedef {object} Series
 * @property {string} title
 * @property {(hour: Hour) => number} of
 * @property {string} style
 */

/** @type {Series[]} */
const SERIES = [
  { title: 'Sign-ins', of: (hour) => hour.signIns, style: 'sign-ins' },
  { title: 'Refreshes', of: (hour) => hour.refreshes, style: 'refreshes' },
  { title: 'Reuse alarms', of: (hour) => hour.reuses, style: 'reuses' },
];

// Of the drawing, which is stretched to fit.
const STEP = 10;
const GAP = 2;
const HEIGHT = 100;

/**
 * What happened by the hour. Refreshes outnumber sign-ins by far, so each has a chart to itself with a
 * scale of its own, which its caption tells.
 *
 * @param {Hour[]} hours
 */
export function charts(hours) {
  return html`
    <div class="charts">${SERIES.map((series) => chart(series, hours))}</div>
    <details>
      <summary>The same as a table</summary>
      ${table(hours)}
    </details>
  `;
}

/**
 * @param {Series} series
 * @param {Hour[]} hours
 */
function chart({ title, of, style }, hours) {
  const numbers = hours.map(of);
  const highest = Math.max(...numbers);
  const total = digits(numbers.reduce((sum, number) => sum + number, 0));
  const most = highest > 0 ? `At most ${digits(highest)} in an hour` : 'None';
  const label = `${title} by the hour in the last 24 hours: ${total} in all. ${most}.`;
  const width = hours.length * STEP;
  return html`
    <figure class="chart ${style}">
      <figcaption><strong>${title}</strong> <span>${total}</span></figcaption>
      <p class="quiet">${most}</p>
      <svg role="img" aria-label=${label} viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none">
        <rect class="ground" x="0" y=${HEIGHT - 1} width=${width} height="1"></rect>
        ${hours.map((hour, index) => bar(index, of(hour) / highest, `${timeOfDay(hour.hour)}: ${of(hour)}`))}
      </svg>
      <p class="axis quiet" aria-hidden="true">
        ${hours.filter((_, index) => index % 6 === 0).map(({ hour }) => html`<span>${timeOfDay(hour)}</span>`)}
      </p>
    </figure>
  `;
}

/**
 * @param {number} index From the left.
 * @param {number} part Of the highest bar; no number where all are none.
 * @param {string} words
 */
function bar(index, part, words) {
  // Few is not none: what happened at all is to be seen.
  const height = part > 0 ? Math.max(2, part * HEIGHT) : 0;
  return svg`
    <rect class="bar" x=${index * STEP + GAP / 2} y=${HEIGHT - height} width=${STEP - GAP} height=${height}>
      <title>${words}</title>
    </rect>
  `;
}

/** @param {Hour[]} hours */
function table(hours) {
  return html`
    <table class="figures">
      <caption class="unseen">
        By the hour, the latest first
      </caption>
      <thead>
        <tr>
          <th scope="col">Hour</th>
          ${SERIES.map(({ title }) => html`<th scope="col">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${hours.toReversed().map(
          (hour) => html`
            <tr>
              <th scope="row"><time datetime=${hour.hour}>${timeOfDay(hour.hour)}</time></th>
              ${SERIES.map(({ of }) => html`<td>${digits(of(hour))}</td>`)}
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
}
