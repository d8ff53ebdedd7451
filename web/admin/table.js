import { html } from '../vendor/lit-html.js';

/**
 * A table, which on a small screen becomes a card for each row: so its cells say by `data-label` what they are.
 *
 * @param {string} caption For those who do not see the heading above it.
 * @param {string[]} columns
 * @param {unknown[]} rows
 */
export function table(caption, columns, rows) {
  return html`
    <table>
      <caption class="unseen">
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col">${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  `;
}
